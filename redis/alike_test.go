package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestPairsAreComparedWhole compares keys that were made by different commands, in
// one slot and in two: what is stored in another way, or another order, is equal,
// and one value more, less or other is not.
func TestPairsAreComparedWhole(t *testing.T) {
	long := strings.Repeat("long", 40) // so that the server keeps a hash as a table
	large := strings.Repeat("x", bigKey)
	cases := []struct {
		name      string
		one, more [][]any // what makes the source, and the target
		says      string
	}{
		{"string", [][]any{{"SET", "1"}}, [][]any{{"APPEND", "1"}}, ""},
		{"other string", [][]any{{"SET", "1"}}, [][]any{{"SET", "2"}}, "contents differ"},
		{"large", [][]any{{"SET", large}}, [][]any{{"SET", large}}, ""},
		{"other large", [][]any{{"SET", large}}, [][]any{{"SET", large[1:] + "y"}}, "contents differ"},
		{"hash", [][]any{{"HSET", "a", long, "b", "2", "c", "3"}}, [][]any{{"HSET", "c", "3", "b", "2"}, {"HSET", "a", long}}, ""},
		{"value", [][]any{{"HSET", "a", "1", "b", "2"}}, [][]any{{"HSET", "b", "2", "a", "2"}}, "contents differ"},
		{"exchanged", [][]any{{"HSET", "a", "1", "b", "2"}}, [][]any{{"HSET", "a", "2", "b", "1"}}, "contents differ"},
		{"field", [][]any{{"HSET", "a", "1", "b", "2"}}, [][]any{{"HSET", "a", "1", "c", "2"}}, "contents differ"},
		{"field more", [][]any{{"HSET", "a", "1"}}, [][]any{{"HSET", "a", "1", "b", "2"}}, "contents differ"},
		{"boundary", [][]any{{"HSET", "a", "bc"}}, [][]any{{"HSET", "ab", "c"}}, "contents differ"},
		{"set", [][]any{{"SADD", "1", "2"}}, [][]any{{"SADD", "2", "1"}}, ""},
		{"member", [][]any{{"SADD", "1", "2"}}, [][]any{{"SADD", "1", "3"}}, "contents differ"},
		{"zset", [][]any{{"ZADD", "1", "a", "2", "b"}}, [][]any{{"ZADD", "2", "b", "1", "a"}}, ""},
		{"score", [][]any{{"ZADD", "1", "a"}}, [][]any{{"ZADD", "1.5", "a"}}, "contents differ"},
		{"list", [][]any{{"RPUSH", "a", "b"}}, [][]any{{"LPUSH", "b", "a"}}, ""},
		{"order", [][]any{{"RPUSH", "a", "b"}}, [][]any{{"RPUSH", "b", "a"}}, "contents differ"},
		{"stream", [][]any{{"XADD", "1-1", "a", "1"}}, [][]any{{"XADD", "1-1", "a", "1"}}, ""},
		{"entry", [][]any{{"XADD", "1-1", "a", "1"}}, [][]any{{"XADD", "1-1", "a", "2"}}, "contents differ"},
		{"type", [][]any{{"SADD", "a"}}, [][]any{{"RPUSH", "a"}}, "one is a set, the other a list"},
		{"end", [][]any{{"SET", "1"}, {"EXPIRE", "1000"}}, [][]any{{"SET", "1"}}, "ends by itself"},
		{"ends", [][]any{{"SET", "1"}, {"EXPIRE", "1000"}}, [][]any{{"SET", "1"}, {"EXPIRE", "2000"}}, "apart"},
		{"no target", [][]any{{"SET", "1"}}, nil, "no target"},
		{"no source", nil, [][]any{{"SET", "1"}}, "no source"},
		{"neither", nil, nil, ""},
	}
	everyServer(t, func(t *testing.T, f fixture) {
		var pairs []pair
		want := map[string]string{}
		for i, c := range cases {
			for _, tag := range []string{"{%d}", "%d"} {
				p := pair{"old:" + fmt.Sprintf(tag, i), "new:" + fmt.Sprintf(tag, i)}
				for key, words := range map[string][][]any{p.from: c.one, p.to: c.more} {
					for _, w := range words {
						f.raw(append([]any{w[0], f.Store.full(key)}, w[1:]...)...)
					}
				}
				pairs, want[p.from] = append(pairs, p), c.says
			}
		}
		differing, err := f.Store.comparePairs(t.Context(), pairs, 10*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, d := range differing {
			found[d.from] = d.because
		}
		for i, p := range pairs {
			if says := want[p.from]; (says == "") != (found[p.from] == "") || !strings.Contains(found[p.from], says) {
				t.Errorf("%s, %s: %q, want %q", cases[i/2].name, p.from, found[p.from], says)
			}
		}
	})
}
