package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

func (f fixture) survey() store.Survey {
	f.t.Helper()
	survey, err := f.Store.Survey(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return survey
}

func TestSurveyNamesTheServer(t *testing.T) {
	for want, servers := range map[string][]*testserver.RedisServer{
		"Redis 7.": {testserver.Redis(t)}, "Valkey 8.": {testserver.Valkey(t)}, ", 3 masters": testserver.RedisCluster(t),
	} {
		if survey := opened(t, servers...).survey(); !strings.Contains(survey.Server, want) || len(survey.Missing) > 0 || survey.ReadOnly {
			t.Errorf("%+v, want %q", survey, want)
		}
	}
}

// TestEmptyMeansThatAllWasSeen hides few keys among many of others: the first
// answers of SCAN have none of them.
func TestEmptyMeansThatAllWasSeen(t *testing.T) {
	server := testserver.OwnRedis(t)
	f := opened(t, server)
	server.Do(t, "EVAL", `for i = 1, 50000 do redis.call('SET', 'other:' .. i, '') end`, 0)
	if survey := f.survey(); !survey.Empty {
		t.Errorf("evidence %q", survey.Evidence)
	}
	f.raw("SET", f.Store.full("tenant:1"), "")
	f.raw("SET", f.Store.full("tenant:2"), "")
	f.raw("SET", f.Store.full("installation"), "")
	survey := f.survey()
	if survey.Empty || len(survey.Evidence) != 2 || !strings.HasPrefix(survey.Evidence[0], "keys tenant:* (2, for example tenant:") || survey.Evidence[1] != "key installation" {
		t.Errorf("evidence %q", survey.Evidence)
	}
	server.Do(t, "EVAL", `for i = 1, 30000 do redis.call('SET', ARGV[1] .. 'sort' .. i % 50 .. ':' .. i, '') end`, 0, f.Store.prefix)
	survey = f.survey()
	if len(survey.Evidence) != 20 || !strings.Contains(survey.Evidence[0], "at least") || !strings.Contains(survey.Evidence[19], "more sorts") {
		t.Errorf("evidence %q", survey.Evidence)
	}
}

// user makes a user with these rules, besides its password, and a store as it.
func user(t *testing.T, f fixture, rules ...any) *Store {
	t.Helper()
	for _, server := range f.servers {
		server.Do(t, append([]any{"ACL", "SETUSER", f.Store.tag, "reset", "on", ">canary-of-a-user"}, rules...)...)
	}
	settings := f.settings
	settings.URL = f.servers[0].URLAs(f.Store.tag, "canary-of-a-user")
	return open(t, settings)
}

// needs are the rights that docs/redis.md names.
var needs = []any{"+eval", "+evalsha", "+hget", "+hset", "+hdel", "+hexists", "+hkeys", "+time", "+info", "+scan", "+command",
	"+dump", "+pexpiretime", "+pttl", "+del", "+restore"}

// TestTheRightsThatAreNamedSuffice runs everything as a user with these alone.
func TestTheRightsThatAreNamedSuffice(t *testing.T) {
	for name, servers := range map[string][]*testserver.RedisServer{
		"Redis": {testserver.Redis(t)}, "Valkey": {testserver.Valkey(t)}, "cluster": testserver.RedisCluster(t),
	} {
		f := opened(t, servers...)
		own := append([]any{"~" + f.Store.prefix + "*"}, needs...)
		if name == "cluster" {
			own = append(own, "+cluster|slots", "+cluster|nodes", "+get", "+set")
		}
		s := user(t, f, append(own, "+rpush", "+get", "+set")...)
		survey, err := s.Survey(t.Context())
		if err != nil || len(survey.Missing) > 0 {
			t.Errorf("%s: missing %q, %v", name, survey.Missing, err)
		}
		if err := s.Prepare(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		guard, err := s.Swap(t.Context(), nil, store.Note{Key: "epoch", Value: []byte(`1`)})
		if err != nil {
			t.Fatal(name, err)
		}
		failing := Script("fail", `redis.call('RPUSH', KEYS[1], 'x') redis.call('SET', KEYS[2], 'y') error('no')`, []string{f.beside("a"), f.beside("b")})
		_, err = s.Do(t.Context(), store.Task{Action: failing})
		if failed := failure(t, err); failed.Message != "line 1: no" {
			t.Errorf("%s: %v", name, err)
		}
		f.fill(50)
		if _, err := s.Do(t.Context(), store.Task{Action: mark(), Size: 10, Guard: guard}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMissingRights(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	prefix := "~" + f.Store.prefix + "*"
	for _, c := range []struct {
		name  string
		rules []any
		want  []string // in Missing
	}{
		{"no writes, may ask", []any{prefix, "+@all", "-hset", "-restore"}, []string{"HSET", "RESTORE"}},
		{"other keys, may ask", []any{"~other:*", "+@all"}, []string{"HGET on " + f.Store.prefix + "*", "DUMP on " + f.Store.prefix + "*"}},
		{"no writes, may not ask", append([]any{prefix, "+@all", "-acl"}, "-hdel", "-dump"), []string{"HDEL on", "DUMP on"}},
		{"no scan", []any{prefix, "+@all", "-acl", "-scan"}, []string{"'scan'"}},
		{"no scripts", []any{prefix, "+@all", "-acl", "-eval", "-evalsha"}, []string{"'evalsha'"}},
		{"no info", []any{prefix, "+@all", "-acl", "-info"}, []string{"'info'"}},
	} {
		s := user(t, f, c.rules...)
		survey, err := s.Survey(t.Context())
		missing := strings.Join(survey.Missing, "; ")
		for _, want := range c.want {
			if err != nil || !strings.Contains(missing, want) {
				t.Errorf("%s: missing %q, %v, want %q", c.name, missing, err, want)
			}
		}
	}
	s := user(t, f, prefix, "+@all", "-hset")
	_, err := s.Do(t.Context(), store.Task{Action: Script("set", `redis.call('SET', KEYS[1], 'x')`, []string{"a"}), Record: recorded("done")})
	if _, ok := errors.AsType[*store.RightsError](err); !ok {
		t.Errorf("a note that may not be written: %v", err)
	}
	if f.raw("GET", f.Store.full("a")) != nil {
		t.Error("the work stayed without its note")
	}
	s = user(t, f, prefix, "+@all", "-set")
	_, err = s.Do(t.Context(), store.Task{Action: Script("set", `redis.call('SET', KEYS[1], 'x')`, []string{"a"})})
	if right, ok := errors.AsType[*store.RightsError](err); !ok || !strings.Contains(strings.ToLower(right.Missing), "run this command") {
		t.Errorf("a command that may not be run: %v", err)
	}
}

func TestAReplicaIsReadOnly(t *testing.T) {
	server := testserver.OwnRedis(t)
	f := prepared(t, server)
	f.note("a", store.Absent, `1`)
	server.Do(t, "REPLICAOF", "127.0.0.1", "1")
	if survey := f.survey(); !survey.ReadOnly || !survey.Stamped {
		t.Errorf("%+v", survey)
	}
	if !f.has("a") {
		t.Error("a replica can be looked at")
	}
	for what, err := range writes(f) {
		right, ok := errors.AsType[*store.RightsError](err)
		if !ok || !strings.Contains(right.Missing, "replica") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// writes tries each way of writing.
func writes(f fixture) map[string]error {
	ctx := context.Background()
	note := store.Note{Key: "b", Rev: store.Any, Value: []byte(`1`)}
	_, swap := f.Store.Swap(ctx, nil, note)
	_, script := f.Store.Do(ctx, store.Task{Action: Script("set", `redis.call('SET', KEYS[1], 'x')`, []string{"x"})})
	_, sweep := f.Store.Do(ctx, store.Task{Size: 1, Action: Stretch("set", func(ctx context.Context, w *Sweep, _ []byte, _ int) ([]byte, bool, int64, error) {
		_, err := w.Each(ctx, `redis.call('SET', KEYS[1], 'x')`, []string{"x"})
		return nil, true, 0, err
	})})
	return map[string]error{"Swap": swap, "Script": script, "Stretch": sweep}
}

func TestAnEvictingServerIsNamed(t *testing.T) {
	f := opened(t, testserver.OwnRedis(t, "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"))
	if missing := fmt.Sprint(f.survey().Missing); !strings.Contains(missing, "allkeys-lru") {
		t.Errorf("missing: %s", missing)
	}
}
