package redis

import (
	"errors"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestEveryRightThatAStepLacksIsNamed takes one command at a time from a user,
// lets it do the step that needs it, and wants that command named, whether or not
// the user may ask the server what it may do.
func TestEveryRightThatAStepLacksIsNamed(t *testing.T) {
	rewrite := rewriteOf(t, Rewriting{Keys: "at:<id>", Set: map[string]string{"at": "unixms(at)"}, Remove: []string{"gone"}})
	type step struct {
		action   store.Action
		commands []string
	}
	for name, c := range map[string]struct {
		servers []*testserver.RedisServer
		steps   []step
	}{
		"standalone": {[]*testserver.RedisServer{testserver.Redis(t)}, []step{
			{Copy{Layout: renamed}, []string{"copy"}},
			{Compare{Layout: renamed}, []string{"exists"}},
			{Seal{Layout: renamed}, []string{"type", "get", "hgetall", "smembers", "zrange", "lrange", "xrange", "xinfo", "xpending", "hset"}},
			{DeleteSources{Layout: renamed}, []string{"hexists", "unlink"}},
			{rewrite, []string{"hmget", "hget", "hdel", "set"}},
		}},
		"cluster": {testserver.RedisCluster(t), []step{{Copy{Layout: renamed}, []string{"restore", "dump"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := prepared(t, c.servers...)
			for _, step := range c.steps {
				f.upTo(step.action)
				for _, command := range step.commands {
					f.lacks(step.action, command)
				}
				if err := toTheEnd(t, f.Store, step.action); err != nil {
					t.Errorf("%T, with all rights afterwards: %v", step.action, err)
				}
			}
		})
	}
}

// lacks performs a step without the right to a command.
func (f fixture) lacks(action store.Action, command string) {
	f.t.Helper()
	for _, ask := range []any{"+acl", "-acl"} {
		if _, rewrites := action.(Rewrite); rewrites {
			f.on("HSET", "at:1", "at", before, "gone", "x")
			f.on("SET", "at:2", `{"at":"`+before+`"}`)
		}
		s := user(f.t, f, "~"+f.Store.prefix+"*", "+@all", ask, "-"+command)
		err := toTheEnd(f.t, s, action)
		right, ok := errors.AsType[*store.RightsError](err)
		if !ok || !strings.Contains(strings.ToLower(right.Missing), command) {
			f.t.Errorf("%T without %s (%s): %v (%T)", action, command, ask, err, err)
		}
		if ask == "+acl" && ok && strings.Contains(right.Missing, ",") && command != "xinfo" {
			f.t.Errorf("%T without %s: it says %s", action, command, right.Missing)
		}
	}
}

// upTo brings a store to where a step has something to do.
func (f fixture) upTo(action store.Action) {
	f.t.Helper()
	for _, key := range f.below("*") {
		f.on("DEL", key)
	}
	f.everySort()
	var first []store.Action
	switch action.(type) {
	case Compare, Seal:
		first = []store.Action{Copy{Layout: renamed}}
	case DeleteSources:
		first = []store.Action{Copy{Layout: renamed}, Seal{Layout: renamed}}
	}
	for _, action := range first {
		if err := toTheEnd(f.t, f.Store, action); err != nil {
			f.t.Fatal(err)
		}
	}
}

// toTheEnd runs an action as somebody.
func toTheEnd(t *testing.T, s *Store, action store.Action) error {
	t.Helper()
	var cursor []byte
	for {
		p, err := s.Do(t.Context(), store.Task{Action: action, Cursor: cursor, Size: 1000})
		if err != nil || p.Done {
			return err
		}
		cursor = p.Cursor
	}
}
