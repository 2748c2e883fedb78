package stopover

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/run"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// Config says what to upgrade and how. Its zero value, with Kinds, takes
// stopover.yaml from the working directory.
type Config struct {
	// Kinds are the kinds of stores that can be opened: sqlite.Kind(),
	// postgres.Kind(). The first serves where neither a `kind:` nor a URL tells.
	Kinds []store.Kind

	// Files holds stopover.yaml and the migrations, as an embed.FS for example.
	// nil: the folder Dir.
	Files fs.FS
	// Dir is the project's folder; relative names in stopover.yaml are below it.
	// "": the working directory.
	Dir string
	// File is the name of the catalogue in Files. "": stopover.yaml.
	File string

	// Migrations are those written in Go. They stand among the files by name and
	// are kept in the same ledger.
	Migrations []Migration

	// Stores are opened by the application, by name in the catalogue. Close
	// leaves them open. Their kind is the one of Kinds, or, if there are several,
	// the `kind:` in stopover.yaml.
	Stores map[string]store.Store

	// Release is the release of the application that this program was built as;
	// it is recorded with what it does. "": not known.
	Release string

	// Lookup finds variables for ${..} in stopover.yaml. nil: there are none;
	// cmd passes os.LookupEnv.
	Lookup func(string) (string, bool)

	// Events is told what happens while a change runs. It is called from one
	// goroutine at a time and must not block for long. nil: nobody listens.
	Events func(Event)

	// LockWait is the longest wait for a store that another runner holds.
	// 0: five minutes.
	LockWait time.Duration

	// DDLWait is how long locks that the application holds are tried for, in many
	// short attempts. 0: ten minutes.
	DDLWait time.Duration

	// StatementTimeout is the longest time of one statement of a step that is not
	// done in stretches. 0: none.
	StatementTimeout time.Duration

	// Workers is how many workers a backfill has on stores that can split it, at
	// most 8. 0: two.
	Workers int

	// Operator is recorded as who did it. "": the user that the process runs as.
	Operator string

	// Program is how the command is called, for the lines that say what to type
	// next. "": stopover.
	Program string

	// URL opens the one store, "main", of a project without stopover.yaml; its
	// migrations are in the folder MigrationsDir ("": migrations). It is never
	// printed.
	URL           string
	MigrationsDir string

	// Demo is what the command demo plays. nil: the program has none.
	Demo Demo

	// Only limits everything to the store with this name. "": all stores.
	Only string

	typed    string        // --config as it was typed; "": File
	typedDir string        // --dir as it was typed, for the lines that say what to type next
	leaseTTL time.Duration // 0: book.TTL; shorter in tests, which kill holders
}

// Event is one of the things that are told while a change runs.
type Event = wire.Event

// Kinds of steps.
const (
	Expand   = plan.Expand
	Backfill = plan.Backfill
	Verify   = plan.Verify
	Cutover  = plan.Cutover
	Contract = plan.Contract
)

// Migration is a migration written in Go. Its name is its identity.
type Migration struct {
	Store string
	Name  string // sorts among the names of files: "0042_currency"
	After []string
	Steps []Step
}

// Step is one step of a migration in Go.
type Step struct {
	Kind plan.Kind
	// Undo: the step takes the step of this kind back.
	Undo bool
	// Do is the work, made by the kind of the store: sqlite.Tx, postgres.Stretch.
	Do store.Action
	// Version is the step's checksum: change it when what Do does changes. A step
	// that was done under another version is reported as edited.
	Version string

	Writers, Readers, Needs string // releases, as in a directive
	Requires                []string
	Offline                 bool
}

// ConfigError says that a Config cannot be used.
type ConfigError struct{ Message string }

func (e *ConfigError) Error() string { return "stopover: " + e.Message }

// in gives the Config for what a command line names: a folder, and a file that
// may lie in another one, which then is the project's.
func (c Config) in(dir, file string) Config {
	if dir != "" {
		c.Dir, c.typedDir = dir, dir
	}
	if file == "" {
		return c
	}
	c.File, c.typed = file, file
	if folder := filepath.Dir(file); folder != "." && c.Files == nil {
		c.Dir, c.File = within(c.Dir, folder), filepath.Base(file)
	}
	return c
}

// within gives a name as it is meant in a folder.
func within(dir, name string) string {
	if dir == "" || dir == "." || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// ready fills in the defaults and refuses what cannot work.
func (c Config) ready() (Config, error) {
	if len(c.Kinds) == 0 {
		return c, &ConfigError{"Config.Kinds is empty: no migration could be read"}
	}
	if c.Dir == "" {
		c.Dir = "."
	}
	if c.Files == nil {
		c.Files = files.Disk(c.Dir)
	}
	if c.Lookup == nil {
		c.Lookup = func(string) (string, bool) { return "", false }
	}
	if c.LockWait == 0 {
		c.LockWait = 5 * time.Minute
	}
	if c.Program == "" {
		c.Program = "stopover"
	}
	if c.Workers < 0 || c.Workers > run.MaxWorkers {
		return c, &ConfigError{fmt.Sprintf("Config.Workers is %d; a backfill has 1 to %d workers", c.Workers, run.MaxWorkers)}
	}
	for _, m := range c.Migrations {
		if err := m.check(); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (m Migration) check() error {
	if m.Store == "" || m.Name == "" {
		return &ConfigError{fmt.Sprintf("a migration in Go needs a store and a name (store %q, name %q)", m.Store, m.Name)}
	}
	seen := map[[2]any]bool{}
	for _, s := range m.Steps {
		key := [2]any{s.Kind, s.Undo}
		switch {
		case s.Kind < plan.Expand || s.Kind > plan.Contract:
			return &ConfigError{fmt.Sprintf("migration %s: %d is not a kind of step", m.Name, s.Kind)}
		case s.Do == nil:
			return &ConfigError{fmt.Sprintf("migration %s: its %s does nothing (Do is nil)", m.Name, s.Kind)}
		case seen[key]:
			return &ConfigError{fmt.Sprintf("migration %s has two steps of the kind %s", m.Name, s.Kind)}
		}
		seen[key] = true
	}
	if len(m.Steps) == 0 {
		return &ConfigError{fmt.Sprintf("migration %s has no steps", m.Name)}
	}
	return nil
}

func (c Config) tell(e Event) {
	if c.Events != nil {
		if e.Time.IsZero() {
			e.Time = time.Now()
		}
		c.Events(e)
	}
}
