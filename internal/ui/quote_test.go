package ui

import (
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/wire"
)

// Names and reasons are written by people: they must not break the chart or
// the table that they stand in.
func TestQuoting(t *testing.T) {
	for got, want := range map[string]string{
		label("a\"b"):             "a#quot;b",
		label("a -> b; #1 <c>"):   "a -#gt; b#59; #35;1 #lt;c#gt;",
		label("one\ntwo\x1b[2J"):  "one<br/>two\u00b7[2J",
		prose("a|b *c* _d_ [e]`"): "a\\|b \\*c\\* \\_d\\_ \\[e]\\`",
		prose("<script>"):         "&lt;script>",
		code("a`b|c"):             "`a'b\\|c`",
		clean("tab\there"):        "tab here",
		clean("a\u202eb\x00c\r"):  "a\u00b7b\u00b7c\u00b7",
		clean("größe 日本"):         "größe 日本",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A newline in a reason must not end a line of a list, a table or a chart.
func TestNewlinesStayInside(t *testing.T) {
	plan := shopPlan()
	for i := range plan.Legs {
		for j := range plan.Legs[i].Actions {
			plan.Legs[i].Actions[j].Because = "one\n# two"
			plan.Legs[i].Actions[j].Refuses = "one\n| two"
		}
	}
	for _, format := range []Format{Text, Markdown, Mermaid} {
		for line := range strings.Lines(rendered(t, plan, Look{Format: format, Verbose: true})) {
			if strings.HasPrefix(line, "# two") || strings.HasPrefix(line, "| two") {
				t.Errorf("%s: %q", format, line)
			}
		}
	}
}

// Documents are made by several hands: none may bring the renderer down.
func TestRenderEmptyDocuments(t *testing.T) {
	for _, doc := range []wire.Document{
		&wire.Status{Stores: []wire.StoreStatus{{Begun: &wire.Begun{}, Lease: &wire.Lease{}}}}, &wire.List{Stores: []wire.StoreList{{Steps: []wire.Step{{}}}}},
		&wire.Plan{}, &wire.Plan{Way: wire.Way{Legs: []wire.Leg{{}, {Actions: []wire.Action{{}, {Kind: wire.ActSwitch}, {Kind: wire.ActRoll}, {Kind: wire.ActHalt}}}}, After: []wire.Action{{}}}, Blocked: []wire.Blocked{}},
		&wire.Plan{Blocked: []wire.Blocked{{Repairs: []wire.Repair{{}}}}}, &wire.Report{Did: []wire.Deed{{}}, Violations: []wire.Violation{{}}, Refused: []wire.Refusal{{}}, Stop: &wire.Stop{}, Rolls: []wire.Action{{}}},
		&wire.Check{Stores: []wire.StoreCheck{{}}}, &wire.Unlock{Stores: []wire.StoreUnlock{{}}}, &wire.Lint{Problems: []wire.Problem{{}}},
		&wire.New{}, &wire.Import{}, &wire.VersionInfo{}, &wire.Demo{Acts: []wire.Act{{}}, Digests: []wire.DemoCheck{{}}}, &wire.Failure{Head: wire.Head{Error: &wire.Error{}}},
	} {
		for _, format := range []Format{Text, JSON, Markdown, Mermaid} {
			rendered(t, doc, Look{Format: format, Verbose: true, Color: true})
		}
	}
}

// What cannot be taken back, stops writers, or raises a floor begins a line.
func TestGrouped(t *testing.T) {
	plain := stepOf("main", "0042_currency", "backfill", 1)
	for name, c := range map[string]struct {
		second wire.Action
		want   int
	}{
		"the next step of the migration": {stepOf("main", "0042_currency", "verify", 1), 1},
		"another migration":              {stepOf("main", "0043_split", "expand", 1), 2},
		"another store":                  {stepOf("cache", "0042_currency", "verify", 1), 2},
		"a point of no return":           {with(plain, func(a *wire.Action) { a.Step, a.NoReturn = "contract", true }), 2},
		"an offline step":                {with(plain, func(a *wire.Action) { a.Step, a.Offline = "verify", true }), 2},
		"a floor":                        {with(plain, func(a *wire.Action) { a.Step, a.Refuses = "verify", "writers below 2" }), 2},
		"a rollout":                      {wire.Action{Kind: wire.ActRoll, Component: "api"}, 2},
	} {
		if got := grouped([]wire.Action{plain, c.second}); len(got) != c.want {
			t.Errorf("%s: %d lines", name, len(got))
		}
	}
	after := with(plain, func(a *wire.Action) { a.Step, a.NoReturn = "contract", true })
	if got := grouped([]wire.Action{after, plain}); len(got) != 2 {
		t.Errorf("what follows a point of no return stands on its line")
	}
}
