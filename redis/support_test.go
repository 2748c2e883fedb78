package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// fixture is a prepared store on a prefix of its own.
type fixture struct {
	*Store
	*site
	t *testing.T
}

func prepared(t *testing.T, servers ...*testserver.RedisServer) fixture {
	t.Helper()
	f := opened(t, servers...)
	if err := f.Store.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func opened(t *testing.T, servers ...*testserver.RedisServer) fixture {
	t.Helper()
	place := suite{servers: servers, prefix: "own%d:"}.site()
	t.Cleanup(func() { place.client.Close() })
	return fixture{Store: open(t, place.settings), site: place, t: t}
}

func open(t *testing.T, settings store.Settings) *Store {
	t.Helper()
	s, err := Kind().Open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*Store)
}

// another opens one more handle.
func (f fixture) another() *Store { return open(f.t, f.settings) }

// run performs an action with a note, "done".
func (f fixture) run(action store.Action) (store.Progress, error) {
	return f.Store.Do(f.t.Context(), store.Task{Action: action, Size: 10, Record: recorded("done")})
}

func recorded(key string) func(store.Progress) []store.Note {
	return func(store.Progress) []store.Note {
		return []store.Note{{Key: key, Rev: store.Any, Value: []byte(`1`)}}
	}
}

func (f fixture) has(key string) bool {
	f.t.Helper()
	view, err := f.Store.Look(f.t.Context(), key)
	if err != nil {
		f.t.Fatal(err)
	}
	return len(view.Notes) > 0
}

// raw performs a command of the application, its keys in full.
func (f fixture) raw(args ...any) any {
	f.t.Helper()
	answer, err := f.client.Do(context.Background(), args...).Result()
	if err != nil && err.Error() != "redis: nil" {
		f.t.Fatalf("%v: %v", args, err)
	}
	return answer
}

// key gives a full key beside the books.
func (f fixture) key(name string) string { return f.Store.full(f.beside(name)) }

// note writes a note.
func (f fixture) note(key string, rev int64, value string) store.Note {
	f.t.Helper()
	n, err := f.Store.Swap(f.t.Context(), nil, store.Note{Key: key, Rev: rev, Value: []byte(value)})
	if err != nil {
		f.t.Fatal(err)
	}
	return n[0]
}

func failure(t *testing.T, err error) *store.StatementError {
	t.Helper()
	failed, ok := errors.AsType[*store.StatementError](err)
	if !ok {
		t.Fatalf("error %v (%T), want a StatementError", err, err)
	}
	return failed
}

func wantText(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come about within 20 s: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func numbered(format string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return all
}
