package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// Every script is a story of the whole command line: what is typed, what is
// read, and the exit code. `stopover` runs in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(withServers{m}, map[string]func(){"stopover": main})
}

// withServers stops the servers that stories started when the tests end.
type withServers struct{ m *testing.M }

func (w withServers) Run() int { return testserver.Run(w.m) }

// TestScripts plays the stories. Those in sqlite and postgres are about that
// kind of store; those in both are played on each, word for word.
func TestScripts(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Files:              stories(t, kind, "both"),
				Setup:              func(env *testscript.Env) error { return setUp(env, kind) },
				Cmds:               words,
				Condition:          func(cond string) (bool, error) { return cond == kind, nil },
				RequireUniqueNames: true,
			})
		})
	}
}

// stories lists the scripts of folders below testdata/script.
func stories(t *testing.T, folders ...string) []string {
	t.Helper()
	var files []string
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join("testdata", "script", folder, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Fatalf("there are no stories in testdata/script/%s", folder)
		}
		files = append(files, found...)
	}
	return files
}

// setUp gives a story its store: KIND and DATABASE_URL. Nothing of the
// machine's own settings reaches it.
func setUp(env *testscript.Env, kind string) error {
	t := env.T().(testing.TB)
	s := &story{kind: kind}
	env.Values[storyKey{}] = s
	env.Setenv("KIND", kind)
	env.Setenv("NO_COLOR", "1")
	env.Setenv("TZ", "UTC")
	env.Setenv("USER", "ana")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // each of hundreds of processes would sleep a second
	url := "sqlite:" + filepath.Join(env.WorkDir, "shop.db")
	if kind == "postgres" {
		url = testserver.Postgres(t).NewURL(t)
	}
	env.Setenv("DATABASE_URL", url)
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "STOPOVER_") {
			env.Setenv(name, "")
		}
	}
	return nil
}
