package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// canary is the password that stories put where passwords go. No output may
// hold it, nor a part of it.
const canary = "canary"

// story is what a script has seen so far.
type story struct {
	kind string
	exit int             // of the last command that `exits` ran
	told strings.Builder // everything that was printed
}

type storyKey struct{}

func of(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

// words are the commands of the stories beside testscript's own.
var words = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":     exits,
	"limited":   limited,
	"json":      checkJSON,
	"canary":    noCanary,
	"sql":       doSQL,
	"structure": structure,
	"pgdb":      newDatabase,
	"pguser":    newUser,
	"edit":      edit,
	"await":     await,
	"begun":     begun,
	"age-lease": ageLease,
}

// exits runs a command that must end with a code: exits N COMMAND...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGUMENT...]")
	}
	run(ts, args[0], args[1:])
}

// limited is exits for a user whom permissions of files bind, also where the
// tests run as root.
func limited(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: limited CODE COMMAND [ARGUMENT...]")
	}
	command := args[1:]
	if os.Geteuid() == 0 {
		command = append([]string{"setpriv", "--bounding-set", "-dac_override,-dac_read_search"}, command...)
	}
	run(ts, args[0], command)
}

func run(ts *testscript.TestScript, code string, command []string) {
	want, err := strconv.Atoi(code)
	ts.Check(err)
	s := of(ts)
	s.exit = 0
	if err := ts.Exec(command[0], command[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("run %s: %v", command[0], err)
		}
		s.exit = exit.ExitCode()
	}
	s.told.WriteString(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if s.exit != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(command, " "), s.exit, want)
	}
}

// checkJSON checks that the last command printed one document, of version 1 and
// with the exit code of the process, and compares single values of it:
// json [PATH VALUE]..., a path like did.0.step; "count" counts a list.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args)%2 != 0 {
		ts.Fatalf("usage: json [PATH VALUE]...")
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc); err != nil {
		ts.Fatalf("standard output is no JSON document: %v", err)
	}
	if doc["stopover"] != float64(1) {
		ts.Fatalf("the document has the version %v, want 1", doc["stopover"])
	}
	if doc["exit"] != float64(of(ts).exit) {
		ts.Fatalf("the document says exit %v, the process ended with %d", doc["exit"], of(ts).exit)
	}
	if _, isList := doc["next"].([]any); !isList {
		ts.Fatalf("next is %v, not a list", doc["next"])
	}
	for i := 0; i < len(args); i += 2 {
		if got := fmt.Sprint(at(doc, strings.Split(args[i], "."))); got != args[i+1] {
			ts.Fatalf("%s is %s, want %s", args[i], got, args[i+1])
		}
	}
}

// at follows a path into a document; what is not there is nil.
func at(value any, path []string) any {
	if len(path) == 0 {
		return value
	}
	switch v := value.(type) {
	case map[string]any:
		return at(v[path[0]], path[1:])
	case []any:
		if path[0] == "count" {
			return len(v)
		}
		if i, err := strconv.Atoi(path[0]); err == nil && i < len(v) {
			return at(v[i], path[1:])
		}
	}
	return nil
}

// noCanary fails if the password was printed anywhere in the story so far.
func noCanary(ts *testscript.TestScript, _ bool, _ []string) {
	told := of(ts).told.String()
	if told == "" {
		ts.Fatalf("nothing was printed at all: the canary proves nothing")
	}
	if i := strings.Index(strings.ToLower(told), canary); i >= 0 {
		ts.Fatalf("the password was printed: ...%s...", told[max(0, i-60):min(len(told), i+60)])
	}
}

// newDatabase makes a fresh PostgreSQL database and sets DATABASE_URL, or the
// variable that is named: pgdb [NAME].
func newDatabase(ts *testscript.TestScript, _ bool, args []string) {
	name := "DATABASE_URL"
	if len(args) == 1 {
		name = args[0]
	}
	t := testingOf(ts)
	ts.Setenv(name, testserver.Postgres(t).NewURL(t))
}

// newUser makes a role on the story's database, with what it may do, and sets
// USER_URL, WRONG_URL with another password, and NOWHERE_URL for a database that
// is not there: pguser PASSWORD ['GRANT ... TO :user']...
func newUser(ts *testscript.TestScript, _ bool, args []string) {
	t, url := testingOf(ts), ts.Getenv("DATABASE_URL")
	server := testserver.Postgres(t)
	database := url[strings.LastIndexByte(url, '/')+1 : strings.IndexByte(url, '?')]
	user := "user_" + database
	server.Exec(t, database, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", user, args[0]))
	for _, grant := range args[1:] {
		server.Exec(t, database, strings.ReplaceAll(grant, ":user", user))
	}
	ts.Setenv("USER_URL", server.URLAs(user, args[0], database))
	ts.Setenv("WRONG_URL", server.URLAs(user, "s-"+canary+"-t", database))
	ts.Setenv("NOWHERE_URL", server.URL("no_such_database"))
}

// testingOf ends the story, not the test binary, where a helper for tests
// fails.
func testingOf(ts *testscript.TestScript) testing.TB { return scriptTB{ts: ts} }

type scriptTB struct {
	testing.TB
	ts *testscript.TestScript
}

func (s scriptTB) Helper()                   {}
func (s scriptTB) Fatal(args ...any)         { s.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (s scriptTB) Fatalf(f string, a ...any) { s.ts.Fatalf(f, a...) }

// edit replaces a text in a file by another, once: edit FILE OLD NEW.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	content := ts.ReadFile(args[0])
	if !strings.Contains(content, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(content, args[1], args[2], 1)), 0o644))
}

// await waits until a file is there: await FILE.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await FILE")
	}
	name := filepath.Clean(ts.MkAbs(args[0]))
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return
		}
	}
	ts.Fatalf("%s did not come within 30 s", args[0])
}

// begun waits until the books hold a cursor of a step: begun MIGRATION.STEP.
func begun(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: begun MIGRATION.STEP")
	}
	ask := "SELECT value FROM stopover_note WHERE key LIKE 'cursor/" + strings.Replace(args[0], ".", "/", 1) + "%'"
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if lines, err := query(ts, ts.Getenv("DATABASE_URL"), ask); err == nil && strings.Contains(strings.Join(lines, "\n"), `"at"`) {
			return
		}
	}
	ts.Fatalf("%s did not begin within 30 s", args[0])
}
