package wire

import (
	"reflect"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/plan"
)

func step(store, migration string, kind plan.Kind) plan.StepID {
	return plan.StepID{Store: store, Migration: migration, Kind: kind}
}

var (
	expand   = step("main", "0042_currency", plan.Expand)
	backfill = step("main", "0042_currency", plan.Backfill)
	contract = step("main", "0042_currency", plan.Contract)
	cutover  = step("cache", "0007_hashtag", plan.Cutover)
)

func shop() plan.Catalogue {
	return plan.Catalogue{
		Application: "shop",
		Releases:    []plan.Release{{ID: "1.4"}, {ID: "1.4.7"}, {ID: "1.5"}, {ID: "1.6"}, {ID: "1.7"}},
		Steps:       []plan.Step{{ID: expand}, {ID: backfill, Offline: true}, {ID: contract}, {ID: cutover}},
		Soak:        24 * time.Hour,
	}
}

func TestFromPlanTargets(t *testing.T) {
	at := func(releases ...int) []plan.Standing { return []plan.Standing{{Component: "api", Releases: releases}} }
	for _, c := range []struct {
		name     string
		plan     plan.Plan
		implicit bool
		want     Target
		next     []string
	}{
		{name: "one release", plan: plan.Plan{Goal: plan.Goal{Release: 3}, From: at(1), Legs: []plan.Leg{{}}},
			want: Target{Release: "1.6", Text: "shop 1.4.7 -> 1.6"}, next: []string{"stopover apply --to 1.6"}},
		{name: "several releases", plan: plan.Plan{Goal: plan.Goal{Release: 3}, From: at(2, 0)},
			want: Target{Release: "1.6", Text: "shop 1.4 to 1.5 -> 1.6"}, next: []string{}},
		{name: "no fleet", plan: plan.Plan{Goal: plan.Goal{Release: 3}, After: []plan.Action{{Kind: plan.DoStep, Step: contract}}},
			want: Target{Release: "1.6", Text: "shop -> 1.6"}, next: []string{"stopover cleanup"}},
		{name: "a step", plan: plan.Plan{Goal: plan.Goal{Release: plan.NoRelease, Step: backfill, Offline: true}, From: at(0), Legs: []plan.Leg{{}}},
			want: Target{Step: "main:0042_currency.backfill", Offline: true, Text: "shop 1.4 -> main 0042_currency.backfill"},
			next: []string{"stopover apply --to main:0042_currency.backfill --offline"}},
		{name: "a migration", plan: plan.Plan{Goal: plan.Goal{Release: plan.NoRelease, Step: plan.StepID{Store: "main", Migration: "0042_currency"}}, From: at(0), Legs: []plan.Leg{{}}},
			want: Target{Step: "main:0042_currency", Text: "shop 1.4 -> main 0042_currency"}, next: []string{"stopover apply --to main:0042_currency"}},
		{name: "no releases declared", implicit: true, plan: plan.Plan{Goal: plan.Goal{Release: 0}, Legs: []plan.Leg{{}}},
			want: Target{Release: "1.4", Text: "shop"}, next: []string{"stopover apply"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			catalogue := shop()
			catalogue.Implicit = c.implicit
			doc := FromPlan(catalogue, c.plan, Known{})
			c.want.From = doc.Target.From
			if !reflect.DeepEqual(doc.Target, c.want) {
				t.Errorf("got  %+v\nwant %+v", doc.Target, c.want)
			}
			if !reflect.DeepEqual(doc.Next, c.next) || doc.Exit != 0 {
				t.Errorf("exit %d, next %q, want %q", doc.Exit, doc.Next, c.next)
			}
		})
	}
}

func TestFromPlanActions(t *testing.T) {
	p := plan.Plan{
		Goal: plan.Goal{Release: 3},
		Legs: []plan.Leg{
			{Actions: []plan.Action{
				{Kind: plan.DoStep, Step: expand, To: plan.NoRelease, Because: "1.5 needs it", Estimate: time.Second},
				{Kind: plan.DoRoll, Component: "api", From: []int{1}, To: 2, ToUpto: 2, Because: "it wants 1.5", Back: []plan.BackTo{{Component: "api", Releases: []int{0, 1}}}},
			}, Stop: &plan.Stop{First: 2, Last: 3, Fleet: []plan.Standing{{Component: "api", Releases: []int{2}}}, Soak: time.Hour}},
			{Actions: []plan.Action{
				{Kind: plan.DoStep, Step: backfill, To: plan.NoRelease, Refused: "api 1.4"},
				{Kind: plan.DoSwitch, Step: cutover, Also: []plan.StepID{expand}, Component: "api", From: []int{2}, To: 3, ToUpto: 4,
					Moves: []plan.Move{{Component: "worker", From: []int{2}, To: 3, ToUpto: 3}}},
			}},
		},
		After: []plan.Action{{Kind: plan.DoStep, Step: contract, NoReturn: "no return below 1.6 without a restore"}},
		Later: []plan.Wait{{Step: expand, Because: "no release needs it"}},
		Stops: 1, Rollouts: 3, Steps: 4, Work: time.Minute, Unknown: 2, Soak: 24 * time.Hour,
	}
	doc := FromPlan(shop(), p, Known{
		Estimates:  map[plan.StepID]Estimate{expand: {Rows: 7}, contract: {Note: "rewrites the table"}},
		Begun:      map[plan.StepID]bool{backfill: true},
		Statements: map[plan.StepID][]SQLPart{expand: {{Text: "ALTER TABLE orders ADD COLUMN currency text"}}},
	})
	back := []Back{{Component: "api", Releases: []string{"1.4", "1.4.7"}}}
	want := Way{
		Mode: "offline", Soak: 86400,
		Summary: Summary{Stops: 1, Rollouts: 3, Switches: 1, Steps: 4, Seconds: 60, Unknown: 2},
		Legs: []Leg{
			{Stop: &Stop{Range: Range{From: "1.5", To: "1.6", Text: "1.5 to 1.6"}, Fleet: []Running{{Component: "api", Releases: []string{"1.5"}}}, Soak: 3600},
				Actions: []Action{
					{Kind: ActStep, Store: "main", Migration: "0042_currency", Step: "expand", From: []string{}, Because: "1.5 needs it", Back: []Back{},
						Estimate: &Estimate{Seconds: 1, Rows: 7}, Statements: []SQLPart{{Text: "ALTER TABLE orders ADD COLUMN currency text"}}},
					{Kind: ActRoll, Component: "api", From: []string{"1.4.7"}, To: "1.5", Range: &Range{From: "1.5", To: "1.5", Text: "any 1.5.x"}, Because: "it wants 1.5", Back: back},
				}, Back: back},
			{Actions: []Action{
				{Kind: ActStep, Store: "main", Migration: "0042_currency", Step: "backfill", From: []string{}, Refuses: "api 1.4", Offline: true, Resumes: true, Back: []Back{}},
				{Kind: ActSwitch, Store: "cache", Migration: "0007_hashtag", Step: "cutover", Component: "api", From: []string{"1.5"}, To: "1.6",
					Range: &Range{From: "1.6", To: "1.7", Text: "any of 1.6 to 1.7"}, Back: []Back{},
					Also: []Part{{Step: "main:0042_currency.expand"}, {Component: "worker", From: []string{"1.5"}, To: "1.6"}}},
			}, Back: []Back{}},
		},
		After: []Action{{Kind: ActStep, Store: "main", Migration: "0042_currency", Step: "contract", From: []string{}, NoReturn: true, NoReturnText: "no return below 1.6 without a restore", Back: []Back{},
			Estimate: &Estimate{Note: "rewrites the table"}}},
	}
	if !reflect.DeepEqual(doc.Way, want) {
		t.Errorf("got  %+v\nwant %+v", doc.Way, want)
	}
	if wait := []Wait{{Step: "main:0042_currency.expand", Because: "no release needs it"}}; !reflect.DeepEqual(doc.Later, wait) {
		t.Errorf("later: %+v", doc.Later)
	}
}

// "any 1.4.x" would be wrong where 1.4.7 is listed with needs of its own.
func TestRangeOfAListedPatch(t *testing.T) {
	c := converter{catalogue: shop()}
	for _, r := range []struct {
		first, last int
		stops       bool
		want        string
	}{{0, 0, true, ""}, {1, 1, true, ""}, {2, 2, true, "any 1.5.x"}, {2, 2, false, ""}, {2, 4, false, "any of 1.5 to 1.7"}} {
		got := ""
		if found := c.anyOf(r.first, r.last, r.stops); found != nil {
			got = found.Text
		}
		if got != r.want {
			t.Errorf("%+v: got %q", r, got)
		}
	}
}

func TestFromPlanWithoutAWay(t *testing.T) {
	p := plan.Plan{
		Goal: plan.Goal{Release: 3},
		From: []plan.Standing{{Component: "api", Releases: []int{1}}},
		Blocked: []plan.Block{{Component: "api", Release: 2, Step: backfill, Because: "no release can live on both sides", Repairs: []plan.Repair{
			{Kind: plan.Bridge, Text: "ship a release", First: 2, Last: 3},
			{Kind: plan.Offline, Text: "stop api", First: plan.NoRelease, Downtime: time.Minute, Plan: &plan.Plan{Legs: []plan.Leg{{Actions: []plan.Action{{Kind: plan.DoHalt, Component: "api", From: []int{1}, To: plan.NoRelease}}}}}},
		}}},
	}
	doc := FromPlan(shop(), p, Known{Program: "shop migrate"})
	if doc.Exit != 3 || !reflect.DeepEqual(doc.Next, []string{"shop migrate plan --to 1.6 --offline"}) {
		t.Errorf("exit %d, next %q", doc.Exit, doc.Next)
	}
	if len(doc.Blocked) != 1 {
		t.Fatalf("blocked: %+v", doc.Blocked)
	}
	b := doc.Blocked[0]
	if b.Release != "1.5" || b.Step != "main:0042_currency.backfill" || b.Repairs[0].Range.Text != "1.5 to 1.6" || b.Repairs[1].Range != nil {
		t.Errorf("got %+v", b)
	}
	way := b.Repairs[1].Way
	if way == nil || way.Mode != "offline" || way.Legs[0].Actions[0].Kind != ActHalt || b.Repairs[1].Downtime != 60 {
		t.Errorf("the offline way: %+v", way)
	}
}
