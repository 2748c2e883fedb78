// Package cli turns a command line and an environment into a Request, a value
// that says what was asked for. It decides nothing, prints nothing, opens
// nothing and never ends the process; help is a Request too.
//
// The invariant: the same arguments and variables give the same Request or the
// same *UsageError.
package cli

import "time"

// Request is what was asked for.
type Request struct {
	Program string // how the program is called: "stopover", "shop migrate"
	Command string // "plan", "new project", "help"
	Global  Global
	Ask     Ask // the command's own flags and arguments, one of the types below, by value
}

// Ask is the part of a Request that belongs to one command: NewProject,
// NewMigration, Lint, List, Init, Status, Plan, Apply, Verify, Cleanup,
// Rollback, Check, Throttle, Fleet, AttestComponent, AttestClient, AttestRestored, Run, Unlock, Adopt,
// ImportTable, ImportGitLab, Demo, Version or Help.
type Ask interface{ isAsk() }

// Formats of output. Markdown and Mermaid exist for plans only.
const (
	Text     = "text"
	JSON     = "json"
	Markdown = "markdown"
	Mermaid  = "mermaid"
)

// Global are the flags of every command.
type Global struct {
	Config     string `placeholder:"FILE" help:"Read this file instead of stopover.yaml."`
	Dir        string `short:"C" placeholder:"DIR" help:"Work as if started in this folder."`
	Store      string `placeholder:"NAME" help:"Only this store."`
	URL        string `name:"url" placeholder:"URL" help:"The one store of a project without stopover.yaml."`
	Migrations string `placeholder:"DIR" help:"Its migrations, with --url (default: migrations), or those of import table."`
	Format     string `enum:"text,json,markdown,mermaid" default:"text" placeholder:"FORMAT" help:"text or json; a plan also as markdown or mermaid."`
	Color      string `enum:"auto,always,never" default:"auto" placeholder:"WHEN" help:"auto, always or never."`
	Verbose    bool   `short:"v" help:"Say more."`
	Quiet      bool   `short:"q" help:"Print nothing but errors."`
}

// Change are the flags of every command that changes a store.
type Change struct {
	Yes      bool          `short:"y" help:"Do not ask. Needed where there is no terminal."`
	LockWait time.Duration `default:"5m" placeholder:"TIME" help:"How long to wait for a store that another runner holds (default 5m)."`
	Operator string        `placeholder:"NAME" help:"Who is recorded as operator (default: the login's name)."`
	Dev      bool          `help:"Let a development build run steps that have floors."`
}

// Locks are the flags of every command that runs statements of migrations.
type Locks struct {
	DDLWait          time.Duration `name:"ddl-wait" default:"10m" placeholder:"TIME" help:"How long to try for locks that the application holds, in short attempts (default 10m)."`
	StatementTimeout time.Duration `placeholder:"TIME" help:"Longest time of one statement of a step that is not a backfill (default: none)."`
}

// NewProject scaffolds a project.
type NewProject struct {
	Folder string `arg:"" name:"DIR" help:"The folder to make it in."`
	Kind   string `placeholder:"KIND" help:"Kind of its first store (default: sqlite)."`
}

// NewMigration scaffolds a migration.
type NewMigration struct {
	In   string `arg:"" name:"STORE" help:"The store that it is for."`
	Name string `arg:"" name:"NAME" help:"What it does, in a word or two: add_currency."`
}

// Lint checks the catalogue and all migrations.
type Lint struct {
	Scratch string `placeholder:"URL" help:"Also run the files on a scratch store on this server."`
}

// List asks for every step of every store.
type List struct{}

// Init sets up empty stores.
type Init struct {
	Change
	Current bool `help:"Set up stores that are empty, then only check, as check does."`
}

// Status asks where the stores stand.
type Status struct{}

// Plan asks for the way to a target.
type Plan struct {
	To      string `placeholder:"TARGET" help:"A release, or STORE:MIGRATION[.STEP] (default: the newest release)."`
	Offline bool   `help:"Permit steps that need all writers stopped."`
	Assume  string `placeholder:"FILE" help:"Plan on paper from the positions and the fleet in this file; no store is opened."`
	Out     string `placeholder:"FILE" help:"Also write the plan to this file, for apply FILE."`
	SQL     bool   `name:"sql" help:"Show the statements of every step."`
}

// Apply does what is allowed now, to the next stop.
type Apply struct {
	File     string `arg:"" optional:"" name:"FILE" help:"Do exactly this plan, made by plan --out."`
	To       string `placeholder:"TARGET" help:"A release, or STORE:MIGRATION[.STEP] (default: the newest release)."`
	Until    string `placeholder:"TIME" help:"Begin nothing after this time, and stop long work at it: 06:00, 2h or 2026-11-20T06:00:00Z."`
	Offline  bool   `help:"Permit steps that need all writers stopped."`
	Sweep    bool   `help:"Also ask again what was verified, and open backfills again for what is found."`
	Wait     bool   `help:"At a stop, wait until the rollout is seen, and go on (until the time of --until)."`
	Switch   bool   `help:"Also cut over: instances of the new release wait in their gates, and old writers are shut out."`
	Retarget bool   `help:"Leave the route that is under way for another target."`
	Workers  int    `default:"2" placeholder:"N" help:"Workers of a backfill, 1 to 8 (default 2); throttle changes it while it runs."`
	Change
	Locks
}

// Throttle changes how fast the backfills of a store go, also while one runs.
type Throttle struct {
	Workers  *int     `placeholder:"N" help:"Workers of a backfill, 1 to 8; 0: as the runner was told."`
	Rate     *float64 `placeholder:"ROWS/S" help:"Rows a second of all workers together; 0: no limit."`
	Pause    bool     `help:"Begin no further stretch until --resume."`
	Resume   bool     `help:"Go on."`
	Operator string   `placeholder:"NAME" help:"Who is recorded as operator (default: the login's name)."`
}

// Verify checks everything that is applied.
type Verify struct{}

// Cleanup runs the contracts that are allowed.
type Cleanup struct {
	ShutOut bool `help:"Shut the logins of older releases out of the store first, where each release has its own (fence: in stopover.yaml). They stay out."`
	Change
	Locks
}

// Rollback reverses steps.
type Rollback struct {
	To string `required:"" placeholder:"TARGET" help:"A release, or STORE:MIGRATION[.STEP]: what is done after it is undone."`
	Change
	Locks
}

// Check asks the gate.
type Check struct {
	Component string `placeholder:"NAME" help:"The component that wants to start (default: any)."`
	Release   string `placeholder:"RELEASE" help:"The release that wants to start (default: the newest)."`
}

// Fleet asks who is alive, on what evidence.
type Fleet struct{}

// Statement are the flags of an attestation.
type Statement struct {
	Reason   string        `required:"" placeholder:"TEXT" help:"How you know. It is recorded and shown."`
	For      time.Duration `default:"24h" placeholder:"TIME" help:"How long the statement counts (default 24h)."`
	Operator string        `placeholder:"NAME" help:"Who is recorded as operator (default: the login's name)."`
}

// AttestComponent records what runs of a component.
type AttestComponent struct {
	Name     string   `arg:"" name:"NAME" help:"The component."`
	Releases []string `arg:"" name:"RELEASE" help:"The releases that run, and no others; none: it does not run."`
	Statement
}

// AttestClient records that a client of a store needs no lease.
type AttestClient struct {
	Name string `arg:"" name:"NAME" help:"The client as fleet names it: by its sessions' name, its user or its address."`
	Statement
}

// AttestRestored records that a store was set back on purpose.
type AttestRestored struct {
	Name     string `arg:"" name:"STORE" help:"The store."`
	Reason   string `required:"" placeholder:"TEXT" help:"How you know. It is recorded and shown."`
	Operator string `placeholder:"NAME" help:"Who is recorded as operator (default: the login's name)."`
}

// Run runs a program as an instance.
type Run struct {
	Component string        `placeholder:"NAME" help:"The component that it is (default: the only one)."`
	Release   string        `placeholder:"RELEASE" help:"The release that it is."`
	Instance  string        `placeholder:"NAME" help:"Its name among the component's instances (default: made of host and process)."`
	Wait      bool          `help:"Wait until what the release needs is done."`
	TTL       time.Duration `name:"ttl" default:"1m" placeholder:"TIME" help:"How long its lease lives without being renewed (default 1m)."`
	Grace     time.Duration `default:"10s" placeholder:"TIME" help:"How long it has to end when its lease is lost, before it is killed (default 10s)."`
	Program   []string      `arg:"" passthrough:"" name:"PROGRAM" help:"The program and its arguments, behind --."`
}

// Unlock shows who holds a store and clears a dead lease.
type Unlock struct {
	Yes bool `short:"y" help:"Do not ask. Needed where there is no terminal."`
}

// Adopt takes over existing stores.
type Adopt struct {
	At string `placeholder:"TARGET" help:"The release or migration that the stores are at: 1.4, or main:0041_totals."`
	Change
}

// ImportTable makes a catalogue of a table of releases.
type ImportTable struct {
	File string `arg:"" name:"FILE" help:"The table."`
	Out  string `placeholder:"FILE" help:"Write the catalogue to this file instead of the screen."`
}

// ImportGitLab makes a catalogue of an upgrade_path.yml.
type ImportGitLab struct {
	File string `arg:"" name:"FILE" help:"The upgrade_path.yml."`
	Out  string `placeholder:"FILE" help:"Write the catalogue to this file instead of the screen."`
}

// Demo plays an upgrade from beginning to end.
type Demo struct {
	Orders int    `default:"200000" placeholder:"N" help:"Rows to begin with (default 200000)."`
	Folder string `placeholder:"DIR" help:"Play it in this folder and keep it (default: a temporary one)."`
}

// Version asks what this program is.
type Version struct{}

// Help holds a help text.
type Help struct{ Text string } // without the last line end

func (NewProject) isAsk()      {}
func (NewMigration) isAsk()    {}
func (Lint) isAsk()            {}
func (List) isAsk()            {}
func (Init) isAsk()            {}
func (Status) isAsk()          {}
func (Plan) isAsk()            {}
func (Apply) isAsk()           {}
func (Verify) isAsk()          {}
func (Cleanup) isAsk()         {}
func (Rollback) isAsk()        {}
func (Check) isAsk()           {}
func (Fleet) isAsk()           {}
func (AttestComponent) isAsk() {}
func (AttestClient) isAsk()    {}
func (AttestRestored) isAsk()  {}
func (Unlock) isAsk()          {}
func (Adopt) isAsk()           {}
func (ImportTable) isAsk()     {}
func (ImportGitLab) isAsk()    {}
func (Demo) isAsk()            {}
func (Version) isAsk()         {}
func (Help) isAsk()            {}
func (Throttle) isAsk()        {}
func (Run) isAsk()             {}
