package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestRoutes plays stories on paper, which need no store. ROUTES is the folder
// of the examples.
func TestRoutes(t *testing.T) {
	t.Parallel()
	routes, err := filepath.Abs(filepath.Join("..", "..", "examples", "routes"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files: stories(t, "route"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROUTES", routes)
			return onPaper(env)
		},
		Cmds:               words,
		RequireUniqueNames: true,
	})
}

// onPaper sets a story up without a store, and without the machine's own
// settings.
func onPaper(env *testscript.Env) error {
	env.Values[storyKey{}] = &story{kind: "paper"}
	env.Setenv("NO_COLOR", "1")
	env.Setenv("TZ", "UTC")
	env.Setenv("HOME", os.DevNull)
	env.Setenv("GORACE", "atexit_sleep_ms=0") // or each process sleeps a second at its end
	return nil
}
