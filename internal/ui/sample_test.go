package ui

import (
	"maps"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func head(command string, exit int, next ...string) wire.Head {
	h := wire.NewHead(command)
	h.Exit, h.Next = exit, append(h.Next, next...)
	return h
}

func failed(command string, exit int, e wire.Error, next ...string) wire.Head {
	h := head(command, exit, next...)
	h.Error = &e
	return h
}

func back(pairs ...string) []wire.Back {
	var out []wire.Back
	for i := 0; i < len(pairs); i += 2 {
		b := wire.Back{Component: pairs[i]}
		if pairs[i+1] != "" {
			b.Releases = []string{pairs[i+1]}
		}
		out = append(out, b)
	}
	return out
}

func stepOf(store, migration, step string, seconds float64) wire.Action {
	return wire.Action{Kind: wire.ActStep, Store: store, Migration: migration, Step: step, Estimate: &wire.Estimate{Seconds: seconds}}
}

func with(a wire.Action, change func(*wire.Action)) wire.Action {
	change(&a)
	return a
}

// shopPlan is a live way with a stop, a switch and a contract.
func shopPlan() *wire.Plan {
	from := []wire.Running{{Component: "api", Releases: []string{"1.4.7"}}, {Component: "web", Releases: []string{"1.4"}}}
	return &wire.Plan{
		Head: head("plan", 0, "stopover apply --to 1.6"), Application: "shop",
		Target: wire.Target{Release: "1.6", Text: "shop 1.4.7 -> 1.6", From: from},
		Way: wire.Way{
			Mode: "live", Soak: 86400,
			Summary: wire.Summary{Stops: 1, Rollouts: 3, Switches: 1, Steps: 7, Seconds: 3000},
			Legs: []wire.Leg{
				{Stop: &wire.Stop{Range: wire.Range{From: "1.5", To: "1.5", Text: "1.5"}, Fleet: []wire.Running{{Component: "api", Releases: []string{"1.5"}}, {Component: "web", Releases: []string{"1.4"}}}}, Back: back("api", "1.4", "web", "1.4"), Actions: []wire.Action{
					with(stepOf("main", "0042_currency", "expand", 0.01), func(a *wire.Action) { a.Because = "api 1.5 needs it"; a.Back = back("api", "1.4", "web", "1.4") }),
					{Kind: wire.ActRoll, Component: "api", From: []string{"1.4.7"}, To: "1.5", Range: &wire.Range{From: "1.5", To: "1.5", Text: "any 1.5.x"},
						Because: "0042_currency.backfill wants writers 1.5", Back: back("api", "1.4", "web", "1.4")},
				}},
				{Back: back("api", "1.5", "web", "1.4"), Actions: []wire.Action{
					with(stepOf("main", "0042_currency", "backfill", 1300), func(a *wire.Action) {
						a.Refuses, a.Because, a.Resumes = "writers below 1.5", "api 1.6 needs it", true
						a.Statements = []wire.SQLPart{{File: "migrations/main/0042_currency.sql", Line: 4, Text: "UPDATE orders SET currency = cur_code\n WHERE currency IS NULL"}}
					}),
					with(stepOf("main", "0042_currency", "verify", 20), func(a *wire.Action) { a.Back = back("api", "1.5", "web", "1.4") }),
					with(stepOf("cache", "0007_hashtag", "backfill", 540), func(a *wire.Action) {
						a.Estimate = &wire.Estimate{Seconds: 540, Rows: 2_100_000, Bytes: 1_200_000_000, Note: "then follows the old keys"}
					}),
					stepOf("cache", "0007_hashtag", "verify", 1),
					{Kind: wire.ActSwitch, Store: "cache", Migration: "0007_hashtag", Step: "cutover", Component: "api", From: []string{"1.5"}, To: "1.6",
						Because: "0007_hashtag.cutover wants writers 1.6", Back: back("api", "1.5", "web", "1.4")},
					{Kind: wire.ActRoll, Component: "web", From: []string{"1.4"}, To: "1.6", Because: "it is the target", Back: back("api", "1.5", "web", "1.4")},
				}},
			},
			After: []wire.Action{stepOf("main", "0043_region", "expand", 2), with(stepOf("main", "0040_old", "contract", 1), func(a *wire.Action) { a.NoReturn = true }), with(stepOf("main", "0042_currency", "contract", 4), func(a *wire.Action) { a.NoReturn, a.NoReturnText = true, "no return below 1.6 without a restore" })},
		},
		Later: []wire.Wait{{Step: "cache:0007_hashtag.contract", Because: "no release asks for it"}},
		Notes: []string{"estimates are from the statistics of the stores"},
		Inputs: wire.Inputs{Hash: "5e1f", Stores: []wire.InputStore{
			{Name: "main", Place: "shop on 127.0.0.1:5432, schema shop", Position: "0041_totals", Sum: "aa01"},
			{Name: "cache", Place: "127.0.0.1:6379, prefix shop:", Sum: "bb02"}},
			Steps: []wire.InputStep{{Step: "main:0042_currency.expand", Sum: "cc03"}}},
	}
}

func blockedPlan() *wire.Plan {
	return &wire.Plan{
		Head: head("plan", 3, "stopover plan --to 1.9 --offline"), Application: "shop",
		Target: wire.Target{Release: "1.9", Text: "shop 1.4 -> 1.9"}, Way: wire.Way{Mode: "live"},
		Blocked: []wire.Blocked{{Component: "api", Release: "1.6", Step: "main:0043_split.backfill",
			Because: "main 0043_split.backfill wants writers 1.7, and api runs 1.6",
			Repairs: []wire.Repair{
				{Kind: "bridge", Text: "ship a release between 1.6 and 1.7 that writes both forms", Range: &wire.Range{From: "1.6", To: "1.7", Text: "1.6 to 1.7"}},
				{Kind: "offline", Text: "stop api while it runs", Downtime: 420, Next: "stopover plan --to 1.9 --offline"}}}},
	}
}

func offlinePlan() *wire.Plan {
	return &wire.Plan{
		Head: head("plan", 0, "stopover apply --to 1.9 --offline"), Application: "shop",
		Target: wire.Target{Release: "1.9", Offline: true, Text: "shop 1.4 -> 1.9"},
		Way: wire.Way{Mode: "offline", Summary: wire.Summary{Rollouts: 1, Steps: 1, Unknown: 1, Downtime: 420}, Legs: []wire.Leg{{Actions: []wire.Action{
			{Kind: wire.ActHalt, Component: "api", From: []string{"1.4"}, Because: "0043_split.backfill is offline"},
			with(stepOf("main", "0043_split", "backfill", 0), func(a *wire.Action) { a.Offline, a.Estimate = true, nil }),
			{Kind: wire.ActRoll, Component: "api", To: "1.9", Because: "it is the target", Back: back("api", "", "web", "1.4")},
		}}}},
	}
}

func smallPlan() *wire.Plan {
	return &wire.Plan{
		Head: head("plan", 0, "stopover apply"), Application: "shop", Implicit: true, Target: wire.Target{Text: "shop"},
		Way: wire.Way{Mode: "live", Summary: wire.Summary{Steps: 2, Seconds: 0.2},
			Legs:  []wire.Leg{{Actions: []wire.Action{stepOf("main", "0001_orders", "expand", 0.1)}}},
			After: []wire.Action{with(stepOf("main", "0001_orders", "contract", 0.1), func(a *wire.Action) { a.NoReturn = true })}},
	}
}

// samples are documents of every kind, by name.
func samples() map[string]wire.Document {
	all := map[string]wire.Document{}
	for _, some := range []map[string]wire.Document{planSamples(), reportSamples(), storeSamples()} {
		maps.Copy(all, some)
	}
	return all
}

func planSamples() map[string]wire.Document {
	return map[string]wire.Document{
		"plan": shopPlan(), "plan_blocked": blockedPlan(), "plan_offline": offlinePlan(), "plan_small": smallPlan(),
		"plan_nothing": &wire.Plan{Head: head("plan", 0), Application: "shop", Implicit: true, Target: wire.Target{Text: "shop"}, Way: wire.Way{Mode: "live"}},
	}
}

func reportSamples() map[string]wire.Document {
	return map[string]wire.Document{
		"report": &wire.Report{Head: head("apply", 7, "roll api to 1.5, then stopover apply --to 1.6"), Application: "shop", To: "1.6", Seconds: 1321,
			Did: []wire.Deed{
				{Kind: wire.DeedStamp, Store: "main", Note: "schema shop"},
				{Kind: wire.DeedStep, Store: "main", Migration: "0042_currency", Step: "expand", Rows: -1, Seconds: 0.01},
				{Kind: wire.DeedStep, Store: "main", Migration: "0042_currency", Step: "backfill", Rows: 41_000_000, Seconds: 1300, Resumed: true, Swept: 1},
				{Kind: wire.DeedHook, Note: "./backup.sh", Seconds: 12}},
			Skipped: []wire.Skip{{Store: "main", Migration: "0044_geo", Step: "expand", Because: "no extension postgis"}},
			Stop:    &wire.Stop{Range: wire.Range{From: "1.5", To: "1.5", Text: "1.5"}},
			Rolls:   []wire.Action{{Kind: wire.ActRoll, Component: "api", To: "1.5", Because: "0042_currency.backfill wants writers 1.5"}},
			Left:    wire.Left{Pending: 3, Later: 1}},
		"report_nothing": &wire.Report{Head: head("apply", 0), Application: "shop"},
		"report_clean":   &wire.Report{Head: head("verify", 0)}, "report_kept": &wire.Report{Head: head("cleanup", 0)}, "report_stays": &wire.Report{Head: head("rollback", 0)},
		"report_refused": &wire.Report{Head: head("cleanup", 3, "roll web to 1.6", "stopover attest client reports --reason ..."), Application: "shop", Left: wire.Left{Later: 1},
			Refused: []wire.Refusal{{Store: "main", Migration: "0042_currency", Step: "contract", Because: "wants readers 1.6",
				Evidence: []string{"web-6f9 runs 1.4.7 (lease 8 s old)", `10.0.0.7 "reports" has no lease (session since 09:12)`}}}},
		"report_not_now": &wire.Report{Head: failed("cleanup", 3, wire.Error{Kind: wire.KindRefused, Message: "not now: main 0042_currency.backfill is not done", Safe: "nothing was changed", Hint: "apply first"}, "stopover plan"),
			Application: "shop", Left: wire.Left{Pending: 2, Later: 1}, Refused: []wire.Refusal{{Store: "main", Migration: "0042_currency", Step: "contract", Because: "main 0042_currency.backfill is not done"}}},
		"report_partly": &wire.Report{Head: failed("cleanup", 3, wire.Error{Kind: wire.KindRefused, Message: "not now"}), Application: "shop", Seconds: 2,
			Did:     []wire.Deed{{Kind: wire.DeedStep, Store: "main", Migration: "0040_old", Step: "contract", Seconds: 2}},
			Refused: []wire.Refusal{{Store: "main", Migration: "0042_currency", Step: "contract", Because: "wants readers 1.6"}}},
		"report_violated": &wire.Report{Head: head("verify", 5, "stopover apply"), Application: "shop", Seconds: 3,
			Violations: []wire.Violation{{Store: "main", Migration: "0042_currency", Step: "verify", Rows: 41, Sample: []string{"id=7", "id=\x1b[2J8"}, File: "migrations/main/0042_currency.sql", Line: 6}},
			Drift:      []wire.Drift{{Store: "cache", Lines: []string{"index a_idx is gone"}}}},
		"report_failed": &wire.Report{Head: failed("apply", 1, wire.Error{Kind: wire.KindStatement, Message: `column "cur_cod" does not exist`, Store: "main", Migration: "0042_currency", Step: "backfill",
			File: "migrations/main/0042_currency.sql", Line: 5, Statement: 1, SQL: "UPDATE orders SET currency = cur_cod WHERE currency IS NULL", Column: 30, Code: "42703",
			Detail: "two\nlines", Hint: `perhaps "cur_code"`, Safe: "what is done stays recorded; nothing of this step was changed"}, "mend the file, then stopover apply"),
			Application: "shop", Seconds: 1, Did: []wire.Deed{{Kind: wire.DeedStep, Store: "main", Migration: "0042_currency", Step: "expand", Seconds: 0.01}}, Left: wire.Left{Pending: 2}},
	}
}

func storeSamples() map[string]wire.Document {
	done, begun := noon.Add(-time.Hour), noon.Add(-2*time.Hour)
	lease := &wire.Lease{Host: "laptop-7", PID: 311, Operator: "ana", Command: "apply", Since: begun, Renewed: 12, FreeIn: 3, Live: true, Epoch: 7}
	return map[string]wire.Document{
		"status": &wire.Status{Head: head("status", 0, "stopover apply"), Application: "shop",
			Route: &wire.Route{To: "1.6", Who: "ana on laptop-7", Since: begun},
			Stores: []wire.StoreStatus{
				{Name: "main", Kind: "postgres", Place: "shop on 127.0.0.1:5432, schema shop", Server: "PostgreSQL 15.18", State: wire.StatePending, Position: "0041_totals",
					Done: 80, Pending: 2, Later: 1, Skipped: 1, Lease: lease,
					Begun:  &wire.Begun{Migration: "0042_currency", Step: "backfill", Since: begun, Rows: 15_700_000, Total: 41_000_000, Percent: 38.3, Cursor: `["4711"]`, Host: "laptop-7", Operator: "ana"},
					Floors: []wire.Floor{{Role: "writers", Release: "1.5", Because: "0042_currency.backfill"}},
					Drift:  []string{"column orders.note is there and should not be"}},
				{Name: "cache", Kind: "sqlite", Place: "cache.db", Server: "SQLite 3.51.0", State: wire.StateCurrent, Position: "0002_a", Done: 4},
				{Name: "new", Kind: "sqlite", Place: "new.db", State: wire.StateEmpty, Pending: 5},
				{Name: "old", Kind: "sqlite", Place: "old.db", State: wire.StateUnstamped, Evidence: []string{"table orders (about 41,000 rows)"}},
				{Name: "odd", Kind: "sqlite", Place: "odd.db", State: wire.StateTrouble, Position: "0003_b", Newer: []string{"0009_z.expand, by release 2.0"}, Missing: []string{"0002_gone.expand"}, Edited: []string{"0001_a.expand"}, Late: []string{"0002_late"}},
				{Name: "far", Kind: "postgres", State: wire.StateUnreachable, Problem: &wire.Error{Kind: wire.KindUnreachable, Message: "cannot reach shop on 10.0.0.9:5432: timeout"}},
			}},
		"list": &wire.List{Head: head("list", 0), Application: "shop", Stores: []wire.StoreList{
			{Name: "main", Kind: "postgres", Steps: []wire.Step{
				{Migration: "0042_currency", Step: "expand", State: wire.StepDone, Needs: "1.5", Begun: &begun, Done: &done, Seconds: 0.02, Sum: "9f2c", Reverse: true, Operator: "ana", Host: "laptop-7"},
				{Migration: "0042_currency", Step: "backfill", State: wire.StepDone, Writers: "1.5", Needs: "1.6", Begun: &begun, Done: &done, Seconds: 1320, Rows: 41_000_000, Sum: "17aa"},
				{Migration: "0042_currency", Step: "contract", State: wire.StepContract, Writers: "1.6", Readers: "1.6"},
				{Migration: "0043_split", Step: "expand", State: wire.StepBegun, Begun: &begun, Offline: true},
				{Migration: "0044_geo", Step: "expand", State: wire.StepNotApplicable, Because: "no extension postgis"},
				{Migration: "0045_x", Step: "expand", State: wire.StepPending},
				{Migration: "0040_old", Step: "expand", State: wire.StepMissing, Because: "no file has it", Done: &done},
				{Migration: "0039_old", Step: "expand", State: wire.StepEdited, Because: "changed since it was applied", Done: &done},
			}},
			{Name: "cache", Kind: "sqlite"}}},
		"check": &wire.Check{Head: head("check", 3, "stopover apply --to 1.6"), State: wire.Pending, Component: "api", Release: "1.6", Stores: []wire.StoreCheck{
			{Name: "main", State: wire.Pending, Position: "0041_totals", Because: "api 1.6 needs main 0042_currency.backfill, which is not done", Pending: []string{"main:0042_currency.backfill", "main:0042_currency.verify"}},
			{Name: "cache", State: wire.TooNew, Floors: []wire.Floor{{Role: "writers", Release: "1.7", Because: "0007_hashtag.cutover"}}}}},
		"fleet": &wire.Fleet{Head: head("fleet", 0, "stopover attest component web RELEASE --reason TEXT"), Application: "shop", Components: []wire.FleetComponent{
			{Name: "api", Releases: []string{"1.6", "1.9"}, Since: "1.6", Instances: []wire.Instance{
				{Name: "api-1", Release: "1.9", Host: "web-6f9", PID: 7, Since: begun, Seen: 4, TTL: 60, Live: true, Stores: []string{"main"}},
				{Name: "api-2", Release: "1.6", Host: "web-7aa", PID: 1, Since: begun, Seen: 61, TTL: 60, Stores: []string{"main"}}}},
			{Name: "web", Releases: []string{"1.4"}, Assumed: "1.4", Because: "what runs of web is not known: it is taken to be 1.4, the oldest listed"},
			{Name: "worker", Attestation: &wire.Attestation{Component: "worker", Who: "ana", Reason: "switched off", Since: begun, Until: noon, Holds: true}}},
			Stores: []wire.FleetStore{{Name: "main", Lists: true, Known: 5, Unknown: []wire.Client{{Session: "4711", Name: "reports\x1b[2J", User: "bi", Address: "10.0.0.7", Since: begun}},
				Clients: []wire.Attestation{{Client: "metabase", Who: "ana", Reason: "reads only", Since: begun, Until: noon, Holds: true}}},
				{Name: "orders", Lists: true, Known: 1}, {Name: "cache"}, {Name: "far", Lists: true, Problem: "missing right: pg_stat_activity"}}},
		"attest": &wire.Attest{Head: head("attest component", 0, "stopover plan"), Attestation: wire.Attestation{Component: "api", Releases: []string{"1.5", "1.6"},
			Who: "ana", Reason: "rolled out", Since: begun, Until: noon, Holds: true}, Stores: []string{"main", "cache"}},
		"unlock": &wire.Unlock{Head: head("unlock", 0), Stores: []wire.StoreUnlock{
			{Name: "main", Lease: lease, Because: "its holder is alive"},
			{Name: "old", Lease: &wire.Lease{Host: "gone", PID: 9, Since: begun, Renewed: 4000}, Cleared: true}, {Name: "cache", Because: "free"}}},
		"lint": &wire.Lint{Head: head("lint", 2), Stores: 2, Migrations: 12, Scratch: []string{"main"}, Problems: []wire.Problem{
			{File: "migrations/main/0042_currency.sql", Line: 3, Severity: wire.Fault, Message: `unknown key "writer"`, Hint: "did you mean writers?"},
			{File: "stopover.yaml", Severity: wire.Warning, Message: "no soak is set"}, {Severity: wire.Note, Message: "no listed release needs 0043_split.expand"}}},
		"lint_clean": &wire.Lint{Head: head("lint", 0), Stores: 1, Migrations: 1},
		"new":        &wire.New{Head: head("new project", 0, "cd shop", "stopover init"), Files: []string{"shop/stopover.yaml", "shop/migrations/main/0001_orders.sql"}},
		"import":     &wire.Import{Head: head("import table", 0), From: "compat.md", Text: "application: shop\nreleases: [\"1\"]\n", Releases: 1, Unknown: []string{"which components there are"}},
		"import_out": &wire.Import{Head: head("import table", 0), From: "compat.md", Out: "stopover.yaml", Releases: 2},
		"version":    &wire.VersionInfo{Head: head("version", 0), Program: "stopover", Version: "v0.1.0", Revision: "30deecd", Go: "go1.26.8", Books: 1, Stores: []string{"postgres", "sqlite"}},
		"demo": &wire.Demo{Head: head("demo", 0), Folder: "/tmp/demo", Orders: 200_412, Writes: 912, Kills: 1, Seconds: 31,
			Acts:    []wire.Act{{Title: "The shop runs 1.4", Command: "stopover status", Output: "main at 0041\n"}},
			Digests: []wire.DemoCheck{{What: "orders", Want: "200412", Got: "200412"}, {What: "sum of totals", Want: "17", Got: "17"}}},
		"demo_lost": &wire.Demo{Head: head("demo", 1), Lost: 2, Digests: []wire.DemoCheck{{What: "orders", Want: "3", Got: "1"}}},
		"failure": &wire.Failure{Head: failed("plan", 2, wire.Error{Kind: wire.KindCatalogue, Message: `unknown key "store"`, File: "stopover.yaml", Line: 2,
			SQL: "store: {}", Column: 1, Hint: "did you mean stores?", Safe: "nothing was changed"}, "stopover lint")},
		"failure_edited": &wire.Failure{Head: failed("apply", 3, wire.Error{Kind: wire.KindEdited, Message: "the section was changed after it was applied", Store: "main", Migration: "0001_orders", Step: "expand",
			Evidence: []string{"applied 2026-11-20 with the sum 9f2c", "the file has 17aa"}, Safe: "nothing was changed."})},
	}
}
