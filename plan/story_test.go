package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// tells compares a plan with what it should say.
func (tl *tale) tells(p Plan, want string) {
	tl.t.Helper()
	want = strings.ReplaceAll(strings.TrimSpace(want), "\t", "")
	if got := tl.brief(p); got != want {
		tl.t.Errorf("the plan is\n%s\n\nwant\n%s", got, want)
	}
}

func (tl *tale) counts(p Plan, stops, rollouts, steps int) {
	tl.t.Helper()
	if p.Stops != stops || p.Rollouts != rollouts || p.Steps != steps {
		tl.t.Errorf("%d stops, %d rollouts, %d steps; want %d, %d, %d", p.Stops, p.Rollouts, p.Steps, stops, rollouts, steps)
	}
}

func TestTwoStopsAndEachComponentAsRarelyAsPossible(t *testing.T) {
	tl := storyE1(t)
	p := tl.plan(tl.fleetE1(), Goal{Release: tl.at("1.9")})
	tl.counts(p, 2, 7, 8)
	tl.tells(p, `main 0042.expand
		api 1.4 -> 1.5
		worker 1.4 -> 1.5
		STOP 1.5
		main 0043.backfill
		main 0045.expand
		main 0046.backfill
		api 1.5 -> 1.6
		worker 1.5 -> 1.6
		STOP 1.6
		cache 0003.expand
		api 1.6 -> 1.9
		worker 1.6 -> 1.9
		web 1.3 -> 1.9
		AFTER
		main 0044.contract
		main 0047.contract
		cache 0003.contract`)
	for _, l := range p.Legs {
		for _, a := range l.Actions {
			if a.Because == "" {
				t.Errorf("%+v has no reason", a)
			}
		}
	}
	roll := p.Legs[0].Actions[1]
	if want := "main 0043.backfill wants writers 1.5, and api runs 1.4"; roll.Because != want {
		t.Errorf("api rolls because %q, want %q", roll.Because, want)
	}
}

func TestARequiredContractTakesOneMoreRollout(t *testing.T) {
	tl := storyE1(t)
	tl.cat.Soak = time.Hour
	for i := range tl.cat.Steps {
		if tl.cat.Steps[i].ID.Ref() == "main:0045.expand" {
			tl.cat.Steps[i].Requires = []StepID{{Store: "main", Migration: "0044", Kind: Contract}}
		}
	}
	p := tl.plan(tl.fleetE1(), Goal{Release: tl.at("1.9")})
	tl.counts(p, 2, 8, 8)
	tl.tells(p, `main 0042.expand
		api 1.4 -> 1.5
		worker 1.4 -> 1.5
		STOP 1.5
		main 0043.backfill
		api 1.5 -> 1.6
		worker 1.5 -> 1.6
		web 1.3 -> 1.6..1.7
		STOP 1.6
		cache 0003.expand
		main 0044.contract
		main 0045.expand
		main 0046.backfill
		api 1.6 -> 1.9
		worker 1.6 -> 1.9
		web 1.6 -> 1.9
		AFTER
		main 0047.contract
		cache 0003.contract`)
	if got := p.Legs[1].Stop.Soak; got != time.Hour {
		t.Errorf("before the contract the fleet soaks for %s, want 1h", got)
	}
}

func TestADualWriteInTheStoreSavesAStop(t *testing.T) {
	tl := storyE1(t)
	tl.cat.Steps[1].Writers = NoRelease
	p := tl.plan(tl.fleetE1(), Goal{Release: tl.at("1.9")})
	tl.counts(p, 1, 5, 8)
	tl.tells(p, `main 0042.expand
		main 0043.backfill
		main 0045.expand
		main 0046.backfill
		api 1.4 -> 1.6
		worker 1.4 -> 1.6
		STOP 1.6
		cache 0003.expand
		api 1.6 -> 1.9
		worker 1.6 -> 1.9
		web 1.3 -> 1.9
		AFTER
		main 0044.contract
		main 0047.contract
		cache 0003.contract`)

	tl.cat.Steps[6].Writers = NoRelease
	p = tl.plan(tl.fleetE1(), Goal{Release: tl.at("1.9")})
	tl.counts(p, 0, 3, 8)
}

// Story A1: what a table says of code and schema, and what tests show.
func TestATableSaysTwoLegsAndATestedWindowOne(t *testing.T) {
	table := func(floor string) *tale {
		tl := newTale(t, "1138", "1200", "1564", "1565", "1577", "2000")
		tl.cat.Releases[1].Unlisted = true
		tl.component("bmaas", map[string]Role{"bmdb": ReadWrite})
		tl.step("bmdb:1672749980_backoff.expand")
		tl.step("bmdb:1681826233_exponential_backoff.expand needs=1565 writers=" + floor + " readers=" + floor)
		return tl
	}
	state := func(tl *tale) State {
		return State{Fleet: tl.fleet("bmaas", "1200"), Done: tl.done("bmdb:1672749980_backoff.expand")}
	}
	tl := table("1564")
	p := tl.plan(state(tl), Goal{Release: tl.at("2000")})
	tl.tells(p, `bmaas 1200 -> 1564
		STOP 1564
		bmdb 1681826233_exponential_backoff.expand
		bmaas 1564 -> 2000`)

	tl = table("1138")
	p = tl.plan(state(tl), Goal{Release: tl.at("2000")})
	tl.tells(p, `bmdb 1681826233_exponential_backoff.expand
		bmaas 1200 -> 2000`)
}

func storyOffline(t *testing.T) (*tale, State) {
	tl := newTale(t, "1584", "1819", "1865", "2000")
	tl.component("bmaas", map[string]Role{"bmdb": ReadWrite})
	tl.component("docs", map[string]Role{"pages": ReadWrite})
	tl.step("bmdb:1687875953_installation_report.expand offline needs=1865 writers=1865 readers=1865")
	tl.cat.Steps[0].Estimate = 4 * time.Second
	tl.step("pages:0001.expand needs=1865")
	tl.cat.Steps[1].Estimate = time.Hour
	return tl, State{Fleet: tl.fleet("bmaas", "1584", "docs", "1584")}
}

func TestWhereNoReleaseLivesOnBothSidesTheWayIsOffline(t *testing.T) {
	tl, state := storyOffline(t)
	goal := Goal{Release: tl.at("2000")}
	p := tl.plan(state, goal)
	tl.tells(p, "BLOCKED bmdb 1687875953_installation_report.expand runs only while no writer of bmdb is alive, and bmaas gets as far as 1819")
	if len(p.Blocked[0].Repairs) != 1 || p.Blocked[0].Repairs[0].Kind != Offline || p.Blocked[0].Repairs[0].Downtime != 4*time.Second {
		t.Fatalf("the repairs are %+v", p.Blocked[0].Repairs)
	}
	if got := p.Blocked[0].Repairs[0].Text; got != "stop bmaas while it runs" {
		t.Errorf("the repair is %q", got)
	}
	goal.Offline = true
	p = tl.plan(state, goal)
	tl.tells(p, `pages 0001.expand
		HALT bmaas
		bmdb 1687875953_installation_report.expand
		bmaas  -> 2000
		docs 1584 -> 2000`)
	if p.Downtime != 4*time.Second || p.Work != time.Hour+4*time.Second {
		t.Errorf("downtime %s of %s work", p.Downtime, p.Work)
	}
}

func TestAPermittedOfflineWayIsNotTakenWhereARollingOneExists(t *testing.T) {
	tl := storyE1(t)
	p := tl.plan(tl.fleetE1(), Goal{Release: tl.at("1.9"), Offline: true})
	tl.counts(p, 2, 7, 8)
}

func TestAWithdrawnBridgeIsNamedAndAHotfixReplacesIt(t *testing.T) {
	tl := newTale(t, "1.4", "1.4.9", "1.5", "1.6")
	hotfix := &tl.cat.Releases[1]
	hotfix.Line, hotfix.Base = "1.4", 0
	tl.cat.Releases[2].Withdrawn = true
	tl.component("api", map[string]Role{"main": ReadWrite})
	tl.step("main:0042.expand needs=1.5")
	tl.step("main:0043.backfill writers=1.5 needs=1.6")
	state := State{Fleet: tl.fleet("api", "1.4")}
	goal := Goal{Release: tl.at("1.6")}
	p := tl.plan(state, goal)
	tl.tells(p, "BLOCKED main 0043.backfill wants writers 1.5, api gets as far as 1.4.9, and api 1.5 would do, but it is withdrawn, and api 1.6 needs main 0043.backfill, which is not done")
	var kinds []string
	for _, r := range p.Blocked[0].Repairs {
		kinds = append(kinds, r.Kind.String())
	}
	if got := strings.Join(kinds, " "); got != "bridge dual-write widen offline" {
		t.Errorf("repairs %s", got)
	}
	if r := p.Blocked[0].Repairs[0]; r.First != tl.at("1.4.9") || r.Last != tl.at("1.6") {
		t.Errorf("a bridge is sought from %d to %d", r.First, r.Last)
	}

	hotfix.Contains = []int{tl.at("1.5")}
	p = tl.plan(state, goal)
	tl.tells(p, `main 0042.expand
		api 1.4 -> 1.4.9
		STOP 1.4.9
		main 0043.backfill
		api 1.4.9 -> 1.6`)

	// The withdrawn release may still be alive: then it is the bridge.
	hotfix.Contains = nil
	state = State{Fleet: tl.fleet("api", "1.5"), Done: tl.done("main:0042.expand")}
	p = tl.plan(state, goal)
	tl.tells(p, `main 0043.backfill
		api 1.5 -> 1.6`)
}

func TestASwitchIsOneActionForAllWriters(t *testing.T) {
	tl := newTale(t, "1.5", "1.6")
	tl.component("api", map[string]Role{"cache": ReadWrite})
	tl.component("worker", map[string]Role{"cache": ReadWrite})
	tl.component("web", map[string]Role{"cache": ReadOnly})
	tl.step("cache:0007.backfill")
	tl.step("cache:0007.verify")
	tl.step("cache:0007.cutover needs=1.6")
	tl.step("cache:0007.contract readers=1.6")
	state := State{Fleet: tl.fleet("api", "1.5", "worker", "1.5", "web", "1.5")}
	goal := Goal{Release: tl.at("1.6")}
	p := tl.plan(state, goal)
	tl.counts(p, 0, 3, 4)
	tl.tells(p, `cache 0007.backfill
		cache 0007.verify
		SWITCH cache 0007.cutover api 1.5 -> 1.6, worker -> 1.6
		web 1.5 -> 1.6
		AFTER
		cache 0007.contract`)

	// A worker that cannot follow would go on writing its own form.
	tl.cat.Releases[1].Peers = []Peer{{Component: "web", AtLeast: 1}}
	p = tl.plan(state, goal)
	if len(p.Blocked) != 2 || !strings.Contains(p.Blocked[0].Because, "each its own form, cannot be merged without loss") {
		t.Errorf("blocked: %+v", p.Blocked)
	}
}

func TestAMirrorIsFilledInTheLegOfItsSwitch(t *testing.T) {
	tl := newTale(t, "1.4", "1.4.7", "1.5", "1.6")
	tl.cat.Releases[1].Unlisted = true
	tl.component("api", map[string]Role{"main": ReadWrite, "cache": ReadWrite})
	tl.component("web", map[string]Role{"main": ReadOnly})
	tl.step("main:0042_currency.expand needs=1.5")
	tl.step("main:0042_currency.backfill writers=1.5 needs=1.6")
	tl.step("main:0042_currency.verify")
	tl.step("main:0042_currency.contract writers=1.6 readers=1.6")
	tl.step("cache:0007_hashtag.backfill")
	tl.step("cache:0007_hashtag.verify")
	tl.step("cache:0007_hashtag.cutover needs=1.6")
	tl.step("cache:0007_hashtag.contract readers=1.6")
	p := tl.plan(State{Fleet: tl.fleet("api", "1.4.7", "web", "1.4.7")}, Goal{Release: tl.at("1.6")})
	tl.counts(p, 1, 3, 8)
	tl.tells(p, `main 0042_currency.expand
		api 1.4.7 -> 1.5
		STOP 1.5
		main 0042_currency.backfill
		main 0042_currency.verify
		cache 0007_hashtag.backfill
		cache 0007_hashtag.verify
		SWITCH cache 0007_hashtag.cutover api 1.5 -> 1.6
		web 1.4.7 -> 1.6
		AFTER
		main 0042_currency.contract
		cache 0007_hashtag.contract`)
	if got, want := fmt.Sprint(p.Legs[0].Actions[1].Back), "[{api [0 1 2]} {web [0 1]}]"; got != want {
		t.Errorf("back after the first leg: %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(p.Legs[1].Actions[5].Back), "[{api [3]} {web [0 1 2 3]}]"; got != want {
		t.Errorf("back at the end: %s, want %s", got, want)
	}
}

// Story A6: an old release on a newer store.
func TestAnOldReleaseStartsOnANewerStoreIfTheFloorsAllowIt(t *testing.T) {
	tl := storyE1(t)
	state := State{Done: tl.done("main:0042.expand", "main:0045.expand", "main:0046.backfill")}
	if r := Ready(tl.cat, state, "api", tl.at("1.4")); len(r) > 0 {
		t.Errorf("api 1.4 is refused: %s", r)
	}
	state.Begun = tl.done("main:0043.backfill")
	got := Ready(tl.cat, state, "api", tl.at("1.4")).String()
	if want := "api 1.4 is shut out of main: main 0043.backfill wants writers 1.5 or later"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if r := Ready(tl.cat, state, "web", tl.at("1.4")); len(r) > 0 {
		t.Errorf("web only reads and is refused: %s", r)
	}
	got = Ready(tl.cat, state, "api", tl.at("1.6")).String()
	if want := "api 1.6 needs main 0043.backfill, which is not done"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	state.Floors = []Floor{{Store: "main", Role: ReadOnly, Release: tl.at("1.8"), Because: "main 0050.contract"}}
	got = Ready(tl.cat, state, "web", tl.at("1.4")).String()
	if want := "web 1.4 is shut out of main: main 0050.contract wants readers 1.8 or later"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAStepIsRefusedBesideReleasesThatCannotLiveWithIt(t *testing.T) {
	tl := storyE1(t)
	state := tl.fleetE1()
	state.Done = tl.done("main:0042.expand")
	id := StepID{Store: "main", Migration: "0043", Kind: Backfill}
	got := Allowed(tl.cat, state, id)
	if len(got) != 2 || got[0].Because != "main 0043.backfill wants writers 1.5, and api runs 1.4" || got[1].Component != "worker" {
		t.Errorf("refused because %q", got)
	}
	state.Fleet = tl.fleet("api", "1.5", "worker", "1.5", "web", "1.3")
	if got := Allowed(tl.cat, state, id); len(got) > 0 {
		t.Errorf("refused because %q", got)
	}
	state.Done = nil
	if got := Allowed(tl.cat, state, id).String(); got != "main 0043.backfill comes after main 0042.expand, which is not done" {
		t.Errorf("refused because %q", got)
	}
	id.Kind = Verify
	if got := Allowed(tl.cat, state, id).String(); got != "there is no step main:0043.verify" {
		t.Errorf("refused because %q", got)
	}
}

// Story E4 on paper: every release that a plan says one can go back to starts,
// and the point of no return is announced before anything is shut out for good.
func TestTheWayBackIsTrueAfterEveryAction(t *testing.T) {
	tl := storyE1(t)
	state := tl.fleetE1()
	p := tl.plan(state, Goal{Release: tl.at("1.9")})
	at := State{Done: map[StepID]bool{}, Fleet: map[string][]int{}}
	for name, live := range state.Fleet {
		at.Fleet[name] = live
	}
	var noReturn []string
	for _, a := range p.actions() {
		carryOut(at, a)
		if a.NoReturn != "" {
			noReturn = append(noReturn, a.Step.String()+": "+a.NoReturn)
		}
		for _, b := range a.Back {
			said := map[int]bool{}
			for _, r := range b.Releases {
				said[r] = true
			}
			for r := 0; r <= at.Fleet[b.Component][0]; r++ {
				if ready := Ready(tl.cat, at, b.Component, r); (len(ready) == 0) != said[r] {
					t.Errorf("after %+v: back to %s %s said %v, the gate says %q", a, b.Component, tl.cat.Releases[r].ID, said[r], ready)
				}
			}
		}
	}
	want := "[main 0044.contract: no return below 1.6 without a restore main 0047.contract: no return below 1.8 without a restore cache 0003.contract: no return below 1.7 without a restore]"
	if got := fmt.Sprint(noReturn); got != want {
		t.Errorf("points of no return %s, want %s", got, want)
	}
}

func TestWithoutReleasesEverythingRunsAndContractsComeLast(t *testing.T) {
	tl := newTale(t, "head")
	tl.cat.Implicit = true
	tl.component("app", map[string]Role{"main": ReadWrite})
	tl.step("main:0001.expand")
	tl.step("main:0001.contract")
	tl.step("main:0002.expand requires=main:0001.contract")
	tl.step("main:0003.contract")
	for _, goal := range []Goal{{Release: 0}, {Release: NoRelease}} {
		p := tl.plan(State{Fleet: tl.fleet("app", "head")}, goal)
		tl.counts(p, 0, 0, 4)
		tl.tells(p, `main 0001.expand
			main 0001.contract
			main 0002.expand
			AFTER
			main 0003.contract`)
	}
	p := tl.plan(State{}, Goal{Release: 0, Step: StepID{Store: "main", Migration: "0001"}})
	tl.tells(p, "main 0001.expand")
}

func TestAStepIsAGoal(t *testing.T) {
	tl := storyE1(t)
	p := tl.plan(tl.fleetE1(), Goal{Release: NoRelease, Step: StepID{Store: "main", Migration: "0043"}})
	tl.tells(p, `main 0042.expand
		api 1.4 -> 1.5
		worker 1.4 -> 1.5
		STOP 1.5
		main 0043.backfill`)
	p = tl.plan(tl.fleetE1(), Goal{Release: NoRelease, Step: StepID{Store: "main", Migration: "0044", Kind: Contract}})
	tl.tells(p, `main 0042.expand
		api 1.4 -> 1.5
		worker 1.4 -> 1.5
		STOP 1.5
		main 0043.backfill
		api 1.5 -> 1.6
		worker 1.5 -> 1.6
		web 1.3 -> 1.6..1.7
		AFTER
		main 0044.contract`)
}

func TestWhatCannotBePlannedIsNamed(t *testing.T) {
	tl := storyE1(t)
	tl.cat.Releases[0].Unlisted = true
	tl.cat.Releases[5].Withdrawn = true
	tests := []struct {
		state State
		goal  Goal
		want  string
	}{
		{State{Fleet: tl.fleet("web", "1.3")}, Goal{Release: tl.at("1.9")}, "web runs 1.3, which is older than the oldest listed release: list it, or the one that it was built on"},
		{State{Fleet: map[string][]int{"web": {-1}}}, Goal{Release: tl.at("1.9")}, "web runs a release that this catalogue does not know"},
		{State{Fleet: map[string][]int{"wbe": {1}}}, Goal{Release: tl.at("1.9")}, "component wbe is alive and not declared"},
		{State{Fleet: tl.fleet("web", "1.9")}, Goal{Release: tl.at("1.6")}, "the target 1.6 is below 1.9, which web runs: nothing goes down by itself"},
		{State{Fleet: tl.fleet("web", "1.4")}, Goal{Release: tl.at("1.8")}, "the target 1.8 is withdrawn"},
		{State{}, Goal{Release: 99}, "the target is a release that this catalogue does not know"},
		{State{}, Goal{Release: NoRelease}, "neither a release nor a step is asked for"},
		{State{}, Goal{Release: NoRelease, Step: StepID{Store: "main", Migration: "0099"}}, "there is no step main:0099"},
		{State{Floors: []Floor{{Store: "main", Role: ReadWrite, Release: NoRelease, Because: "main 0099.contract"}}}, Goal{Release: tl.at("1.9")},
			"store main holds a floor at a release that this catalogue does not know (main 0099.contract): use the newest catalogue"},
	}
	for _, test := range tests {
		if _, err := Make(tl.cat, test.state, test.goal); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

func TestPosition(t *testing.T) {
	tl := storyE1(t)
	tests := []struct {
		done    []string
		want    string
		pending int
	}{
		{nil, "", 6},
		{[]string{"main:0042.expand"}, "0042", 5},
		{[]string{"main:0042.expand", "main:0043.backfill"}, "0044", 4},
		{[]string{"main:0042.expand", "main:0045.expand"}, "0042", 4},
	}
	for _, test := range tests {
		got, pending := Position(tl.cat, State{Done: tl.done(test.done...)}, "main")
		if got != test.want || pending != test.pending {
			t.Errorf("%v: at %q with %d pending, want %q with %d", test.done, got, pending, test.want, test.pending)
		}
	}
}
