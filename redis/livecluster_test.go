package redis

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/redismodel"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestMastersThatChangeHands promotes a replica while keys are copied, and another
// right before the cutover. The old master keeps its connections and tells of
// changes still, as its replication brings them: too late. The new masters know
// none of the store's scripts.
func TestMastersThatChangeHands(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisClusterWithReplicas(t)
	proxies, through := proxiedServers(t, servers)
	proxies.Delay(redismodel.Delay{ToClient: 400 * time.Millisecond, Only: "PSYNC"})
	l := lively(t, few(), servers, through)
	copied := make(chan error, 1)
	go func() {
		_, err := l.perform(Copy{Layout: l.layout, Live: true}, "copied")
		copied <- err
	}()
	testserver.Failover(t, servers[3], servers)
	if err := <-copied; err != nil {
		t.Fatal(err)
	}
	l.write(300)
	l.compare()
	testserver.Failover(t, servers[4], servers)
	l.write(1000)
	l.cutOver()
	proxies.Delay(redismodel.Delay{})
	l.write(500)
	testserver.Failover(t, servers[5], servers)
	l.write(500)
	l.end()
	old := fenced{fixture: l.fixture, Fence: *l.fence}.asAll()
	for tenant := range 30 { // on each master, also the promoted ones
		key := l.old.Name(tenant, "profile")
		if err := old.HIncrBy(t.Context(), key, "n", 1).Err(); !denied(err) {
			t.Errorf("the old release writes %s: %v", key, err)
		}
	}
}

// TestAMasterThatCrashes has its replica take over while writers are followed.
// What the crash itself loses is lost to the sources; the targets are what those
// are. The node that is down cannot be fenced, so it has to come back first.
func TestAMasterThatCrashes(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisClusterWithReplicas(t)
	l := lively(t, few(), servers, nil)
	l.follow()
	l.write(300)
	if err := servers[0].Stop(); err != nil {
		t.Fatal(err)
	}
	testserver.AwaitMaster(t, servers[3], servers[1:])
	l.write(300)
	l.compare()
	cutover := Cutover{Layout: l.layout, Fence: l.fence}
	wantText(t, l.Store.Follow(t.Context(), store.Task{Action: cutover, Guard: []store.Note{l.guard}}), servers[0].Addr(), "down")
	servers[0].Restart(t)
	l.addWriter(servers[0], l.old.User) // it has forgotten its users
	testserver.AwaitMaster(t, servers[3], servers)
	l.run.Stop() // the model knows more than the sources do
	if _, err := l.perform(cutover, "cut over"); err != nil {
		t.Fatal(err)
	}
	report, err := l.model.Compare(t.Context(), l.old, l.new)
	if err != nil || report.Bad() || report.OK < 3000 {
		t.Error(err, report)
	}
}

// TestSlotsThatMoveDuringALiveCopy moves slots with keys between masters and to
// one that joins.
func TestSlotsThatMoveDuringALiveCopy(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisCluster(t)
	options := few()
	options.Tolerance = 50 * time.Millisecond // MIGRATE tells how long a key still has, not until when
	l := lively(t, options, servers, nil)
	copied := make(chan error, 1)
	go func() {
		_, err := l.perform(Copy{Layout: l.layout, Live: true}, "copied")
		copied <- err
	}()
	testserver.MoveSlots(t, servers[0], servers[1], servers, span(0, 400)...)
	joined := testserver.AddRedisMaster(t, servers)
	l.addWriter(joined, l.old.User)
	all := append([]*testserver.RedisServer{joined}, servers...)
	testserver.MoveSlots(t, servers[1], joined, all, span(6000, 200)...)
	if err := <-copied; err != nil {
		t.Fatal(err)
	}
	l.write(300)
	testserver.MoveSlots(t, servers[2], joined, all, span(12000, 200)...)
	l.write(1000)
	l.cutOver()
	l.write(800)
	l.end()
}

func span(from, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = from + i
	}
	return all
}

// TestNoCutoverWithoutAllMasters stops one that has no replica: nothing may be
// called complete, and the writers of the others go on.
func TestNoCutoverWithoutAllMasters(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisCluster(t)
	for _, server := range servers {
		server.Do(t, "CONFIG", "SET", "cluster-require-full-coverage", "no")
	}
	l := lively(t, few(), servers, nil)
	l.follow()
	down := l.without()
	if err := down.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, fence := range []*Fence{l.fence, nil} {
		task := store.Task{Action: Cutover{Layout: l.layout, Fence: fence}, Guard: []store.Note{l.guard}, Record: recorded("cut over")}
		followErr := l.Store.Follow(t.Context(), task)
		_, err := l.Store.Do(t.Context(), task)
		if followErr == nil || err == nil {
			t.Errorf("with a master down: %v, %v", followErr, err)
		}
	}
	if a, err := l.Store.authorityOf(t.Context(), l.layout); err != nil || a.Targets || a.Fence != nil || l.has("cut over") {
		t.Errorf("the books say %+v, %v", a, err)
	}
	if written := l.run.Stop(); written.Denied > 0 {
		t.Errorf("writers are shut out: %s", written)
	}
}

// without gives a master that does not have the books.
func (l *living) without() *testserver.RedisServer {
	return l.servers[(slot(l.Store.books)*len(l.servers)/slots+1)%len(l.servers)]
}

// TestAMasterThatIsEmptied loses sources whose targets are elsewhere, and targets
// whose sources are: only going over all keys finds either.
func TestAMasterThatIsEmptied(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisCluster(t)
	l := lively(t, few(), servers, nil)
	l.follow()
	l.run.Stop()
	l.without().Do(t, "FLUSHALL")
	if _, err := l.perform(Cutover{Layout: l.layout}, "cut over"); err != nil {
		t.Fatal(err)
	}
	report, err := l.model.Compare(t.Context(), l.old, l.new)
	if err != nil || report.Bad() || report.OK == 0 {
		t.Error(err, report)
	}
}

// TestTargetsWrittenTooEarly has a target before the first copy, which no source
// explains.
func TestTargetsWrittenTooEarly(t *testing.T) {
	onShared(t, func(t *testing.T, servers []*testserver.RedisServer) {
		l := lively(t, redismodel.Options{Tenants: 50, Rate: 500}, servers, nil)
		l.on("SET", "tenant:{7}:early", "somebody's")
		_, err := l.perform(Copy{Layout: l.layout, Live: true}, "copied")
		taken, ok := errors.AsType[*TakenError](err)
		if !ok || len(taken.Keys) != 1 || !strings.HasPrefix(taken.Keys[0], "tenant:{7}:early ") {
			t.Errorf("%v", err)
		}
		if got := l.on("GET", "tenant:{7}:early"); got != "somebody's" {
			t.Errorf("it holds %v", got)
		}
	})
}
