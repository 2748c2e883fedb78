package redis

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestARewriteThatMayNotRemove has a user without the right to remove fields:
// nothing is set either, or the new name would stand beside the old one.
func TestARewriteThatMayNotRemove(t *testing.T) {
	server := testserver.Redis(t)
	f := prepared(t, server)
	server.Do(t, "ACL", "SETUSER", "keeper", "on", ">keeper", "~"+f.Store.prefix+"*", "+@all", "-hdel")
	defer server.Do(t, "ACL", "DELUSER", "keeper")
	for i := range 3 {
		f.raw("HSET", f.Store.full(fmt.Sprintf("tenant:%d:tenant", i)), "created_at", before, "mail", "m")
	}
	settings := f.settings
	settings.URL = server.URLAs("keeper", "keeper")
	weak := open(t, settings)
	task := store.Task{Action: rewriteOf(t, instants(Fail, "")), Size: 100}
	var p store.Progress
	var err error
	for err == nil && !p.Done { // other tests have keys there as well
		p, err = weak.Do(t.Context(), task)
		task.Cursor = p.Cursor
	}
	if !errors.As(err, new(*store.RightsError)) {
		t.Errorf("%v (%T)", err, err)
	}
	for i := range 3 {
		key := f.Store.full(fmt.Sprintf("tenant:%d:tenant", i))
		if got := fmt.Sprint(f.raw("HMGET", key, "created_at", "mail", "email")); got != "["+before+" m <nil>]" {
			t.Errorf("%s holds %s", key, got)
		}
	}
}
