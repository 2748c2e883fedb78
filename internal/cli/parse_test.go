package cli

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func variables(env ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, line := range env {
			if value, found := strings.CutPrefix(line, name+"="); found {
				return value, true
			}
		}
		return "", false
	}
}

var plain = Global{Format: Text, Color: "auto"}

func globally(change func(*Global)) Global {
	g := plain
	change(&g)
	return g
}

var (
	patient = Change{LockWait: 5 * time.Minute}
	locks   = Locks{DDLWait: 10 * time.Minute}
)

func pointer[T any](value T) *T { return &value }

func TestParse(t *testing.T) {
	for _, c := range []struct {
		line    string
		env     []string
		command string
		global  Global
		ask     Ask
	}{
		{line: "status", command: "status", ask: Status{}},
		{line: "list --store main", command: "list", ask: List{}, global: globally(func(g *Global) { g.Store = "main" })},
		{line: "--format json status -v", command: "status", ask: Status{}, global: globally(func(g *Global) { g.Format, g.Verbose = JSON, true })},
		{line: "status --url sqlite:a.db --migrations m -C /srv", command: "status", ask: Status{},
			global: globally(func(g *Global) { g.URL, g.Migrations, g.Dir = "sqlite:a.db", "m", "/srv" })},
		{line: "new project shop --kind postgres", command: "new project", ask: NewProject{Folder: "shop", Kind: "postgres"}},
		{line: "new migration main add_currency", command: "new migration", ask: NewMigration{In: "main", Name: "add_currency"}},
		{line: "lint --scratch postgres://h/db", command: "lint", ask: Lint{Scratch: "postgres://h/db"}},
		{line: "init --current", command: "init", ask: Init{Change: patient, Current: true}},
		{line: "plan --to 1.10 --offline --sql --assume a.yaml --out p.json --format mermaid", command: "plan",
			ask:    Plan{To: "1.10", Offline: true, SQL: true, Assume: "a.yaml", Out: "p.json"},
			global: globally(func(g *Global) { g.Format = Mermaid })},
		{line: "apply", command: "apply", ask: Apply{Change: patient, Locks: locks, Workers: 2}},
		{line: "apply p.json -y --lock-wait 3s --operator ana --dev", command: "apply",
			ask: Apply{File: "p.json", Change: Change{Yes: true, LockWait: 3 * time.Second, Operator: "ana", Dev: true}, Locks: locks, Workers: 2}},
		{line: "apply --to main:0042_currency.backfill --until 06:00 --retarget --offline", command: "apply",
			ask: Apply{To: "main:0042_currency.backfill", Until: "06:00", Retarget: true, Offline: true, Change: patient, Locks: locks, Workers: 2}},
		{line: "verify", command: "verify", ask: Verify{}},
		{line: "cleanup --yes", command: "cleanup", ask: Cleanup{Change: Change{Yes: true, LockWait: 5 * time.Minute}, Locks: locks}},
		{line: "rollback --to 1.4", command: "rollback", ask: Rollback{To: "1.4", Change: patient, Locks: locks}},
		{line: "check --component api --release 1.10", command: "check", ask: Check{Component: "api", Release: "1.10"}},
		{line: "throttle --workers 4 --rate 5000.5 --pause --store main", command: "throttle",
			ask: Throttle{Workers: pointer(4), Rate: pointer(5000.5), Pause: true}, global: globally(func(g *Global) { g.Store = "main" })},
		{line: "throttle --resume", env: []string{"STOPOVER_WORKERS=3", "STOPOVER_PAUSE=1"}, command: "throttle", ask: Throttle{Resume: true}},
		{line: "apply --ddl-wait 1h --statement-timeout 90s --workers 8", command: "apply",
			ask: Apply{Change: patient, Locks: Locks{DDLWait: time.Hour, StatementTimeout: 90 * time.Second}, Workers: 8}},
		{line: "fleet", command: "fleet", ask: Fleet{}},
		{line: "attest component api 1.5 1.6 --reason seen --for 2h", command: "attest component",
			ask: AttestComponent{Name: "api", Releases: []string{"1.5", "1.6"}, Statement: Statement{Reason: "seen", For: 2 * time.Hour}}},
		{line: "attest client reports --reason seen --operator ana", command: "attest client",
			ask: AttestClient{Name: "reports", Statement: Statement{Reason: "seen", For: 24 * time.Hour, Operator: "ana"}}},
		{line: "run --component api --release 1.6 --wait -- ./api --help -v -- x", command: "run",
			ask: Run{Component: "api", Release: "1.6", Wait: true, TTL: time.Minute, Grace: 10 * time.Second, Program: []string{"./api", "--help", "-v", "--", "x"}}},
		{line: "run --ttl 30s ./api --wait", command: "run", ask: Run{TTL: 30 * time.Second, Grace: 10 * time.Second, Program: []string{"./api", "--wait"}}},
		{line: "unlock --yes", command: "unlock", ask: Unlock{Yes: true}},
		{line: "adopt --at main:0041_totals", command: "adopt", ask: Adopt{At: "main:0041_totals", Change: patient}},
		{line: "import table t.md --out s.yaml", command: "import table", ask: ImportTable{File: "t.md", Out: "s.yaml"}},
		{line: "import table t.md --migrations m", command: "import table", global: globally(func(g *Global) { g.Migrations = "m" }), ask: ImportTable{File: "t.md"}},
		{line: "import gitlab u.yml", command: "import gitlab", ask: ImportGitLab{File: "u.yml"}},
		{line: "demo --orders 10", command: "demo", ask: Demo{Orders: 10}},
		{line: "version", command: "version", ask: Version{}},
		{line: "--version --format json", command: "version", ask: Version{}, global: globally(func(g *Global) { g.Format = JSON })},
		{line: "plan --version --sql", command: "version", ask: Version{}},

		// A variable stands where no flag does; an empty one is none.
		{line: "apply", env: []string{"STOPOVER_YES=true", "STOPOVER_LOCK_WAIT=1s", "STOPOVER_TO=1.6", "STOPOVER_FORMAT=json"}, command: "apply",
			ask:    Apply{To: "1.6", Change: Change{Yes: true, LockWait: time.Second}, Locks: locks, Workers: 2},
			global: globally(func(g *Global) { g.Format = JSON })},
		{line: "apply --to 1.7 --yes=false", env: []string{"STOPOVER_YES=1", "STOPOVER_TO=1.6"}, command: "apply", ask: Apply{To: "1.7", Change: patient, Locks: locks, Workers: 2}},
		{line: "rollback", env: []string{"STOPOVER_TO=1.4"}, command: "rollback", ask: Rollback{To: "1.4", Change: patient, Locks: locks}},
		{line: "plan", env: []string{"STOPOVER_TO=", "STOPOVER_FORMAT="}, command: "plan", ask: Plan{}},
		// Variables of flags that a command does not have are not its business.
		{line: "status", env: []string{"STOPOVER_LOCK_WAIT=nonsense", "STOPOVER_HELP=1", "STOPOVER_VERSION=2"}, command: "status", ask: Status{}},
	} {
		t.Run(c.line, func(t *testing.T) {
			got, err := Parse(strings.Fields(c.line), variables(c.env...))
			if err != nil {
				t.Fatal(err)
			}
			if c.global == (Global{}) {
				c.global = plain
			}
			want := Request{Program: "stopover", Command: c.command, Global: c.global, Ask: c.ask}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		line    string
		env     []string
		message string
		hint    string
		next    string // after "stopover "
	}{
		{line: "", message: "no command was given", next: "--help"},
		{line: "plam", message: `there is no command "plam"`, hint: "did you mean plan?", next: "--help"},
		{line: "xyzzy", message: `there is no command "xyzzy"`, next: "--help"},
		{line: "new projet x", message: `there is no command "new projet"`, hint: "did you mean project?", next: "new --help"},
		{line: "new", message: "the command is not complete: new project or new migration", next: "new --help"},
		{line: "plan --ofline", message: "unknown flag --ofline", hint: "did you mean --offline?", next: "plan --help"},
		{line: "plan --yes", message: "unknown flag --yes", next: "plan --help"},
		{line: "plan --to", message: "--to wants a value", next: "plan --help"},
		{line: "plan --format xml", message: `--format is text, json, markdown, mermaid, not "xml"`, next: "plan --help"},
		{line: "plan", env: []string{"STOPOVER_FORMAT=xml"}, message: `--format is text, json, markdown, mermaid, not "xml" (from STOPOVER_FORMAT)`, next: "plan --help"},
		{line: "status --format mermaid", message: "--format mermaid is for plan only, status has text and json", next: "status --help"},
		{line: "new migration main", message: "missing: NAME", next: "new migration --help"},
		{line: "rollback", message: "missing: --to TARGET", next: "rollback --help"},
		{line: "apply a b", message: "unexpected argument b", next: "apply --help"},
		{line: "apply p.json --to 1.6", message: "a plan file says its target itself: leave out --to", next: "apply --help"},
		{line: "apply --lock-wait soon", message: `--lock-wait is a time like 90s or 5m, not "soon"`, next: "apply --help"},
		{line: "apply", env: []string{"STOPOVER_LOCK_WAIT=5"}, message: `--lock-wait is a time like 90s or 5m, not "5" (from STOPOVER_LOCK_WAIT)`, next: "apply --help"},
		{line: "apply --workers 9", message: "--workers is a number from 1 to 8", next: "apply --help"},
		{line: "apply --ddl-wait 0s", message: "--ddl-wait must be more than 0, and --statement-timeout not negative", next: "apply --help"},
		{line: "throttle", message: "say what to change: --workers, --rate, --pause or --resume", next: "throttle --help"},
		{line: "throttle --pause --resume", message: "--pause and --resume exclude each other", next: "throttle --help"},
		{line: "throttle --workers 9", message: "--workers is a number from 0 to 8", next: "throttle --help"},
		{line: "throttle --rate=-1", message: "--rate is a number of rows a second, or 0", next: "throttle --help"},
		{line: "apply --lock-wait=-5s", message: "--lock-wait must not be negative", next: "apply --help"},
		{line: "status -q -v", message: "--quiet and --verbose exclude each other", next: "status --help"},
		{line: "status --url x:y --config z", message: "--url is for a project without stopover.yaml: leave out --config", next: "status --help"},
		{line: "status --migrations m", message: "--migrations goes with --url", next: "status --help"},
		{line: "run --release 1 --", message: "missing: PROGRAM, behind --", next: "run --help"},
		{line: "run --release 1", message: "missing: PROGRAM ...", next: "run --help"},
		{line: "demo --orders 0", message: "--orders must be at least 1", next: "demo --help"},
		{line: "status postgres://ana:canary@h/db", message: "unexpected argument postgres://...", next: "status --help"},
		{line: "status password=canary", message: "unexpected argument password=...", next: "status --help"},
		{line: "postgres://ana:canary@h/db", message: `there is no command "postgres://..."`, next: "--help"},
	} {
		t.Run(c.line, func(t *testing.T) {
			_, err := Parse(strings.Fields(c.line), variables(c.env...))
			var usage *UsageError
			if !errors.As(err, &usage) {
				t.Fatalf("got %v, want a usage error", err)
			}
			if usage.Message != c.message || usage.Hint != c.hint || usage.Next != "stopover "+c.next {
				t.Errorf("got  %q, %q, %q\nwant %q, %q, %q", usage.Message, usage.Hint, usage.Next, c.message, c.hint, "stopover "+c.next)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Error("the password shows")
			}
		})
	}
}

// Whoever asked for JSON gets usage errors as JSON too.
func TestUsageErrorKnowsTheFormat(t *testing.T) {
	for line, want := range map[string]string{
		"plan --ofline --format json": JSON,
		"--format=json plam":          JSON,
		"plam":                        Text,
		"plan --format":               Text,
		"plan --format xml":           Text,
	} {
		_, err := Parse(strings.Fields(line), variables())
		var usage *UsageError
		if !errors.As(err, &usage) || usage.Format != want {
			t.Errorf("%s: got %+v, want the format %s", line, err, want)
		}
	}
	_, err := Parse([]string{"plam"}, variables("STOPOVER_FORMAT=json"))
	var usage *UsageError
	if !errors.As(err, &usage) || usage.Format != JSON {
		t.Errorf("by variable: got %+v", err)
	}
}

func TestHelp(t *testing.T) {
	for _, line := range []string{"--help", "help plan", "apply -h", "new --help", "help import table", "help run"} {
		t.Run(line, func(t *testing.T) {
			request, err := Parse(strings.Fields(line), variables())
			if err != nil {
				t.Fatal(err)
			}
			help, ok := request.Ask.(Help)
			if !ok || request.Command != "help" {
				t.Fatalf("got %+v", request)
			}
			golden(t, strings.Trim(strings.ReplaceAll(line, " ", "_"), "-"), help.Text)
		})
	}
}

// Every command has a help text with an example that the parser takes.
func TestExamplesParse(t *testing.T) {
	p := parser{program: "stopover", lookup: variables()}
	if err := p.build(); err != nil {
		t.Fatal(err)
	}
	for _, node := range p.kong.Model.Leaves(true) {
		example := node.Tag.Get("example")
		request, err := Parse(strings.Fields(example), variables())
		if err != nil || request.Command != commandOf(node) {
			t.Errorf("%s: the example %q gives %+v, %v", commandOf(node), example, request, err)
		}
	}
}

func TestParseAs(t *testing.T) {
	request, err := ParseAs("shop migrate", []string{"--help"}, variables())
	if err != nil {
		t.Fatal(err)
	}
	if text := request.Ask.(Help).Text; !strings.Contains(text, "Usage: shop migrate COMMAND") || strings.Contains(text, "  stopover") {
		t.Errorf("help under another name:\n%s", text)
	}
	_, err = ParseAs("shop migrate", []string{"plam"}, variables())
	var usage *UsageError
	if !errors.As(err, &usage) || usage.Next != "shop migrate --help" {
		t.Errorf("got %+v", err)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", file, got)
	}
}
