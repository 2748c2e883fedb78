package redis

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// restricted opens the store as a user with the rules that docs/redis.md names, and
// others behind them.
func (f fixture) restricted(rules ...any) *Store {
	f.t.Helper()
	user := "rights-" + strings.TrimSuffix(f.Store.prefix, ":")
	documented := "+eval +evalsha +time +info +scan +command +hget +hset +hdel +hexists +hkeys +dump +pexpiretime +pttl +del +restore " +
		"+cluster|slots +cluster|nodes +get +set +acl|whoami +acl|dryrun " +
		"+copy +unlink +exists +type +hgetall +smembers +zrange +lrange +xrange +xinfo +xpending +memory|usage +role +client|tracking"
	for _, server := range f.servers {
		set := []any{"ACL", "SETUSER", user, "reset", "on", ">canary-visitor", "~" + f.Store.prefix + "*"}
		for _, rule := range strings.Fields(documented) {
			set = append(set, rule)
		}
		server.Do(f.t, append(set, rules...)...)
	}
	settings := f.settings
	settings.URL = f.servers[0].URLAs(user, "canary-visitor")
	return open(f.t, settings)
}

// TestARightIsMissedBeforeAnythingRuns takes one right after the other from a user
// that has those of the documentation.
func TestARightIsMissedBeforeAnythingRuns(t *testing.T) {
	one, three := []*testserver.RedisServer{testserver.OwnRedis(t)}, testserver.OwnRedisCluster(t)
	for name, c := range map[string]struct {
		servers []*testserver.RedisServer
		take    []any // "": none
		action  func(Layout) store.Action
		want    string // "": nothing is missing
	}{
		"a copy":                      {servers: three, action: func(l Layout) store.Action { return Copy{Layout: l} }},
		"a live copy":                 {servers: three, action: func(l Layout) store.Action { return Copy{Layout: l, Live: true} }},
		"a comparison":                {servers: one, action: func(l Layout) store.Action { return Compare{Layout: l} }},
		"proofs":                      {servers: three, action: func(l Layout) store.Action { return Seal{Layout: l} }},
		"a deletion":                  {servers: one, action: func(l Layout) store.Action { return DeleteSources{Layout: l} }},
		"a cutover":                   {servers: one, action: func(l Layout) store.Action { return Cutover{Layout: l} }},
		"a copy without COPY":         {servers: one, take: []any{"-copy"}, action: func(l Layout) store.Action { return Copy{Layout: l} }, want: "COPY (ACL rule: +copy)"},
		"a copy without RESTORE":      {servers: three, take: []any{"-restore"}, action: func(l Layout) store.Action { return Copy{Layout: l} }, want: "RESTORE (ACL rule: +restore)"},
		"a copy without keys":         {servers: one, take: []any{"resetkeys", "~elsewhere:*"}, action: func(l Layout) store.Action { return Copy{Layout: l} }, want: "DUMP on PREFIX* (ACL rule: ~PREFIX*)"},
		"a live copy without ROLE":    {servers: one, take: []any{"-role"}, action: func(l Layout) store.Action { return Copy{Layout: l, Live: true} }, want: "ROLE (ACL rule: +role)"},
		"a cutover without TRACKING":  {servers: one, take: []any{"-client"}, action: func(l Layout) store.Action { return Cutover{Layout: l} }, want: "CLIENT TRACKING (ACL rule: +client|tracking)"},
		"a comparison without EXISTS": {servers: three, take: []any{"-exists"}, action: func(l Layout) store.Action { return Compare{Layout: l} }, want: "EXISTS (ACL rule: +exists)"},
		"a deletion without UNLINK":   {servers: three, take: []any{"-unlink"}, action: func(l Layout) store.Action { return DeleteSources{Layout: l} }, want: "UNLINK (ACL rule: +unlink)"},
		"proofs without SCAN":         {servers: one, take: []any{"-scan"}, action: func(l Layout) store.Action { return Seal{Layout: l} }, want: "SCAN (ACL rule: +scan)"},
		"a server that does not tell": {servers: one, take: []any{"-copy", "-acl|dryrun"}, action: func(l Layout) store.Action { return Copy{Layout: l} }},
	} {
		t.Run(name, func(t *testing.T) {
			f := prepared(t, c.servers...)
			action, want := c.action(tagging(t)), strings.ReplaceAll(c.want, "PREFIX", f.Store.prefix)
			missing, err := f.restricted(c.take...).Lacking(t.Context(), action)
			if err != nil || want == "" && len(missing) > 0 || want != "" && !slices.Contains(missing, want) {
				t.Errorf("missing %q, %v, want %q", missing, err, want)
			}
		})
	}
}

// TestNothingBeginsWithoutItsRights copies nothing of two batches, with the right to
// the first half of the work only.
func TestNothingBeginsWithoutItsRights(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t))
	f.strings("old:%d", 10, 10)
	for _, action := range []store.Action{Copy{Layout: tagging(t)}, Compare{Layout: tagging(t)}} {
		_, err := f.restricted("-dump").Do(t.Context(), store.Task{Action: action, Size: 1000, Record: recorded("done")})
		if !errors.As(err, new(*store.RightsError)) {
			t.Fatalf("%T: %v (%T), want a RightsError", action, err, err)
		}
		wantText(t, err, "DUMP (ACL rule: +dump)")
	}
	if f.has("done") || f.raw("EXISTS", f.Store.full("new:{1}")) != int64(0) {
		t.Error("something was done")
	}
}
