package stopover

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAFenceByHandIsNotForgotten is about a store that may not set users: what its
// fence takes away stays in the books, although the switch failed, since an operator
// raises it now, and nothing could tell afterwards what was before.
func TestAFenceByHandIsNotForgotten(t *testing.T) {
	t.Parallel()
	s := newCartSite(t)
	s.server.Do(t, "ACL", "SETUSER", "tool", "on", ">tool", "~*", "+@all", "-acl|setuser", "-client|kill")
	file := filepath.Join(s.dir, "stopover.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), s.server.URL(), s.server.URLAs("tool", "tool"), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(testConfig(s.dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	_, err = a.Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}, Switch: true})
	if err == nil || !strings.Contains(err.Error(), "let an operator do it") {
		t.Fatalf("the switch without the right: %v", err)
	}
	books := s.server.Do(t, "HGET", "shop:{shop}:stopover", "note/fence/0002_tags/cutover")
	if kept, _ := books.(string); !strings.Contains(kept, "~shop:*") {
		t.Errorf("the books have forgotten what the fence takes away: %v", books)
	}
}
