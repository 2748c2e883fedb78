package stopover

import (
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
)

// TestLintRunsRedisFiles runs the files of a copy and of a live copy with its
// cutover on a scratch store, whose server is named for this kind or for another.
func TestLintRunsRedisFiles(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	for name, dir := range map[string]string{"a copy": renames(t, server), "a live copy": newCartSite(t).dir} {
		t.Run(name, func(t *testing.T) {
			a, err := Open(testConfig(dir))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Close() }()
			doc, err := a.Lint(wait(t), LintOptions{Scratch: server.URL()})
			if err != nil || doc.Exit != 0 || !slices.Equal(doc.Scratch, []string{"main"}) {
				t.Errorf("%v, %+v", err, doc)
			}
			doc, err = a.Lint(wait(t), LintOptions{Scratch: "postgres://127.0.0.1/shop"})
			if err != nil || doc.Exit != 0 || len(doc.Scratch) > 0 || !slices.ContainsFunc(doc.Problems, func(p wire.Problem) bool {
				return p.Severity == wire.Note && strings.Contains(p.Message, "not run")
			}) {
				t.Errorf("with a server of another kind: %v, %+v", err, doc)
			}
		})
	}
	if left := server.Do(t, "KEYS", "stopover-scratch-*"); len(left.([]any)) > 0 {
		t.Errorf("keys are left: %v", left)
	}
}
