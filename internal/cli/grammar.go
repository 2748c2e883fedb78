package cli

// grammar is the whole command line. The fields of the commands are in
// request.go.
type grammar struct {
	Global
	Help    bool `short:"h" help:"Show help."`
	Version bool `help:"Show the version."`

	Commands commands `embed:""`
}

type commands struct {
	Status  Status  `cmd:"" group:"daily" help:"Show where every store stands." example:"status"`
	Plan    Plan    `cmd:"" group:"daily" help:"Show the way to a release: steps, rollouts, stops, and the way back." example:"plan --to 1.6"`
	Apply   Apply   `cmd:"" group:"daily" help:"Do what is allowed now, up to the next stop." example:"apply --to 1.6 --until 06:00"`
	Verify  Verify  `cmd:"" group:"daily" help:"Check everything that is applied. Changes nothing." example:"verify"`
	Cleanup Cleanup `cmd:"" group:"daily" help:"Run the contracts that are allowed: remove what no release uses any more." example:"cleanup"`
	Check   Check   `cmd:"" group:"daily" help:"Ask whether a release may start now. For scripts: 0 ready, 3 pending, 6 too new." example:"check --component api --release 1.6"`

	New      newCommands    `cmd:"" group:"sometimes" help:"Make a project or a migration."`
	Lint     Lint           `cmd:"" group:"sometimes" help:"Check stopover.yaml and all migrations." example:"lint --scratch postgres://localhost/postgres"`
	List     List           `cmd:"" group:"sometimes" help:"Show every step of every store." example:"list --store main"`
	Init     Init           `cmd:"" group:"sometimes" help:"Set up empty stores." example:"init --yes"`
	Adopt    Adopt          `cmd:"" group:"sometimes" help:"Take over existing stores: record where they are, run nothing." example:"adopt --at 1.4"`
	Throttle Throttle       `cmd:"" group:"sometimes" help:"Change how fast backfills go, also while one runs elsewhere; pause them, let them go on." example:"throttle --store main --workers 1 --rate 5000"`
	Rollback Rollback       `cmd:"" group:"sometimes" help:"Reverse steps that can be reversed; say what needs a restore." example:"rollback --to main:0041_totals"`
	Fleet    Fleet          `cmd:"" group:"sometimes" help:"Show who is alive, at which release, on what evidence." example:"fleet"`
	Attest   attestCommands `cmd:"" group:"sometimes" help:"Record what you vouch for where nothing else can tell."`
	Run      Run            `cmd:"" group:"sometimes" help:"Run a program as an instance: the gate before it, a lease around it." example:"run --component api --release 1.6 -- ./api --port 8080"`
	Unlock   Unlock         `cmd:"" group:"sometimes" help:"Show who holds a store; clear a lease whose holder is provably dead." example:"unlock --store main"`
	Import   importCommands `cmd:"" group:"sometimes" help:"Make a catalogue to start from out of another tool's table."`
	Demo     Demo           `cmd:"" group:"sometimes" help:"Play an upgrade on SQLite in a temporary folder. Needs nothing." example:"demo"`
	Version  Version        `cmd:"" name:"version" group:"sometimes" help:"Show what this program is." example:"version --format json"`
}

type newCommands struct {
	Project   NewProject   `cmd:"" help:"Make a project: a folder with stopover.yaml and a first migration." example:"new project shop"`
	Migration NewMigration `cmd:"" help:"Make the next migration of a store." example:"new migration main add_currency"`
}

type attestCommands struct {
	Component AttestComponent `cmd:"" help:"These releases of a component run, and no others." example:"attest component api 1.5 --reason rolled-out-and-checked --for 2h"`
	Client    AttestClient    `cmd:"" help:"This client of a store reads and writes nothing that changes." example:"attest client reports --reason reads-a-view-only"`
	Restored  AttestRestored  `cmd:"" help:"This store was restored from a backup, and the others can live with that." example:"attest restored main --reason all-restored-to-noon"`
}

type importCommands struct {
	Table  ImportTable  `cmd:"" help:"From a table with the columns ID, schema range, release range and notes." example:"import table compat.md --out stopover.yaml"`
	GitLab ImportGitLab `cmd:"" name:"gitlab" help:"From an upgrade_path.yml." example:"import gitlab upgrade_path.yml"`
}
