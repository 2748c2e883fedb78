package redis

import (
	"fmt"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestTwoFencesBeforeOneUser: the second one takes nothing away, so lifting it must
// not bring back what the first one had made of the user.
func TestTwoFencesBeforeOneUser(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t)).withOld()
	var undos [][]byte
	for range 2 {
		err := f.Store.Fence(t.Context(), store.Fence{Logins: []string{f.User}}, func(undo []byte) error {
			undos = append(undos, undo)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	old := f.as(f.servers[0])
	if err := old.Set(t.Context(), f.Store.full("a"), 1, 0).Err(); !denied(err) {
		t.Fatalf("behind the fence: %v", err)
	}
	for i, undo := range undos {
		if err := f.Store.Lift(t.Context(), undo); err != nil {
			t.Fatal(err)
		}
		if err := old.Set(t.Context(), f.Store.full("a"), 1, 0).Err(); err != nil {
			t.Errorf("after %d of 2 were lifted: %v", i+1, err)
		}
	}
}

// TestANodeThatIsDownKeepsNobodyShutOut lifts a fence where it can be lifted.
func TestANodeThatIsDownKeepsNobodyShutOut(t *testing.T) {
	servers := testserver.OwnRedisCluster(t)
	f := prepared(t, servers...).withOld()
	f.raise()
	if err := servers[2].Freeze(); err != nil {
		t.Fatal(err)
	}
	err := f.Store.LiftFence(t.Context(), f.Fence, f.before)
	if thawed := servers[2].Thaw(); thawed != nil {
		t.Fatal(thawed)
	}
	if err == nil {
		t.Error("a node that does not answer has lifted it")
	}
	for i, server := range servers {
		said := fmt.Sprint(server.Do(t, "ACL", "DRYRUN", f.User, "SET", f.Store.full("tenant:probe"), "1"))
		if said != "OK" && i < 2 {
			t.Errorf("on node %d the user is still shut out: %s", i, said)
		}
	}
}
