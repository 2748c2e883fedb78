package plan

import (
	"strings"
	"testing"
	"time"
)

// one makes a plan of one leg.
func one(actions ...Action) Plan {
	p := Plan{Legs: []Leg{{Actions: actions}}}
	p.sum()
	return p
}

func (tl *tale) run(step string) Action {
	tl.t.Helper()
	id, err := ParseStepID(step)
	if err != nil {
		tl.t.Fatal(err)
	}
	return Action{Kind: DoStep, Step: id, To: NoRelease, ToUpto: NoRelease}
}

func (tl *tale) roll(component, from, to string) Action {
	return Action{Kind: DoRoll, Component: component, From: []int{tl.at(from)}, To: tl.at(to), ToUpto: tl.at(to)}
}

func TestPlansMadeByHandAreRejected(t *testing.T) {
	tl := newTale(t, "1.4", "1.5", "1.6")
	tl.component("api", map[string]Role{"main": ReadWrite})
	tl.component("worker", map[string]Role{"main": ReadWrite})
	tl.step("main:1.backfill offline")
	tl.step("main:2.cutover needs=1.6")
	cutover := Action{Kind: DoSwitch, Step: tl.cat.Steps[1].ID, Component: "api", From: []int{tl.at("1.5")}, To: tl.at("1.6"), ToUpto: tl.at("1.6")}
	halt := Action{Kind: DoHalt, Component: "api", From: []int{tl.at("1.5")}, To: NoRelease, ToUpto: NoRelease}
	state := State{Fleet: tl.fleet("api", "1.5", "worker", "1.5")}
	done := state.clone()
	done.Done = tl.done("main:1.backfill")
	tests := []struct {
		name  string
		state State
		plan  Plan
		want  string
	}{
		{"an offline step beside writers", state, one(tl.run("main:1.backfill")), "is alive and writes"},
		{"a switch that leaves a writer behind", done, one(cutover), "each its own form: worker does not move along"},
		{"a cutover beside old writers", done, one(tl.run("main:2.cutover")), "may not begin beside"},
		{"a way down", done, one(tl.roll("api", "1.5", "1.4")), "back to 1.4"},
		{"a release that needs more", done, one(tl.roll("api", "1.5", "1.6")), "it needs main 2.cutover"},
		{"a fleet that is not so", done, one(tl.roll("api", "1.4", "1.6")), "does not run what the plan says"},
		{"a halt without permission", state, one(halt), "without being permitted"},
		{"an empty leg", state, Plan{Legs: []Leg{{}}}, "nothing is done"},
		{"a step that is not there", state, one(tl.run("main:9.expand")), "no such step"},
	}
	for _, test := range tests {
		err := test.plan.Verify(tl.cat, test.state, nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want something with %q", test.name, err, test.want)
		}
	}
	halted := one(halt)
	halted.Goal.Offline = true
	if err := halted.Verify(tl.cat, state, nil); err == nil || !strings.Contains(err.Error(), "not started again") {
		t.Errorf("a halt without a start: got %v", err)
	}
}

func TestAMirrorThatAReleaseOnTheWayNeedsIsNotPutOff(t *testing.T) {
	tl := newTale(t, "1.4", "1.5", "1.6")
	tl.component("api", map[string]Role{"cache": ReadWrite, "main": ReadWrite})
	tl.step("cache:0007.backfill needs=1.5")
	tl.step("cache:0007.cutover needs=1.6")
	tl.step("main:0042.backfill writers=1.5 needs=1.6")
	p := tl.plan(State{Fleet: tl.fleet("api", "1.4")}, Goal{Release: tl.at("1.6")})
	tl.tells(p, `cache 0007.backfill
		api 1.4 -> 1.5
		STOP 1.5
		main 0042.backfill
		SWITCH cache 0007.cutover api 1.5 -> 1.6`)
}

// Either of two steps could be done offline first; what comes after the short
// one makes the long one possible without stopping anybody.
func TestTheShorterDowntimeIsTaken(t *testing.T) {
	tl := newTale(t, "1.4", "1.5", "1.6")
	tl.component("api", map[string]Role{"main": ReadWrite, "cache": ReadWrite})
	tl.step("main:1.backfill writers=1.5 needs=1.6")
	tl.step("cache:1.backfill offline needs=1.5")
	tl.cat.Steps[0].Estimate = time.Hour
	tl.cat.Steps[1].Estimate = time.Minute
	p := tl.plan(State{Fleet: tl.fleet("api", "1.4")}, Goal{Release: tl.at("1.6"), Offline: true})
	tl.tells(p, `HALT api
		cache 1.backfill
		api  -> 1.5
		STOP 1.5
		main 1.backfill
		api 1.5 -> 1.6`)
	if p.Downtime != time.Minute {
		t.Errorf("the downtime is %s", p.Downtime)
	}
}
