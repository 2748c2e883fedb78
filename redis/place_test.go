package redis

import (
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		url     string
		options string // key=value,..
		place   string // or what the error says
		failure bool
	}{
		{"redis://localhost", "prefix=shop:", "shop:* on localhost:6379, database 0", false},
		{"redis://", "prefix=shop:", "shop:* on localhost:6379, database 0", false},
		{"redis://h:7/3", "prefix=shop:", "shop:* on h:7, database 3", false},
		{"redis://[::1]:7/", "prefix=a", "a* on [::1]:7, database 0", false},
		{"rediss://ana:pw@h", "prefix=a", "a* on h:6379, database 0", false},
		{"redis://h", "prefix=a,cluster=true", "a* on the cluster of h:6379", false},
		{"redis://h/0", "prefix=a,cluster=true", "a* on the cluster of h:6379", false},
		{"redis://h/1", "prefix=a,cluster=true", "only database 0", true},
		{"redis://h", "prefix=", "needs a prefix", true},
		{"redis://h", "", "needs a prefix", true},
		{"redis://h", "prefix=a\n", "control character", true},
		{"redis://h", "prefix=a,cluster=yes", `"true" or "false"`, true},
		{"redis://h", "prefix=a,schema=b", `no option "schema"`, true},
		{"redis://h", "prefix=a,tls_skip_verify=true", "rediss://", true},
		{"rediss://h", "prefix=a,tls_skip_verify=1", `"true" or "false"`, true},
		{"redis://h/x", "prefix=a", "not understood", true},
		{"redis://h/-1", "prefix=a", "not understood", true},
		{"redis://h?db=1", "prefix=a", "not understood", true},
		{"http://h", "prefix=a", "not understood", true},
	} {
		options := map[string]string{}
		for _, pair := range strings.Split(c.options, ",") {
			if key, value, ok := strings.Cut(pair, "="); ok {
				options[key] = value
			}
		}
		s, err := Kind().Open(t.Context(), store.Settings{Name: "cache", URL: c.url, Options: options})
		if c.failure {
			wantText(t, err, c.place, "store cache")
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if got := s.(store.Placer).Place(); got != c.place {
			t.Errorf("%s: place %q, want %q", c.url, got, c.place)
		}
		s.Close()
	}
}

// TestSlots asks a server.
func TestSlots(t *testing.T) {
	server := testserver.RedisCluster(t)[0]
	for _, key := range []string{"123456789", "foo", "{foo}", "a{foo}b{bar}", "{}foo", "a{}{foo}", "foo{", "}{a}", "{{a}}", "\x00\xff"} {
		if got, want := int64(slot(key)), server.Do(t, "CLUSTER", "KEYSLOT", key); got != want {
			t.Errorf("slot of %q: %d, want %d", key, got, want)
		}
	}
}

func TestBooksKeys(t *testing.T) {
	for prefix, want := range map[string]string{
		"shop:": "shop:{shop}:stopover", "{shop}:": "{shop}:{shop}:stopover", ":": ":{stopover}:stopover", "a{b:": "a{b:{ab}:stopover",
	} {
		k := newKeyspace(prefix)
		if k.books != want || !k.own(k.books) || k.own(prefix+"stopover") || k.own("x"+k.books) {
			t.Errorf("prefix %q: books in %q", prefix, k.books)
		}
	}
}
