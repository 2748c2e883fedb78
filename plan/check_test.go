package plan

import (
	"strings"
	"testing"
)

// said joins problems: "error: ...", "note: ...".
func said(problems []Problem) string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.Severity.String()+": "+p.Text)
	}
	return strings.Join(lines, "\n")
}

func TestASoundCatalogueHasNoProblems(t *testing.T) {
	if got := said(Check(storyE1(t).cat)); got != "" {
		t.Errorf("got %s", got)
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	tests := []struct {
		name  string
		steps []string
		spoil func(*Catalogue)
		want  string
	}{
		{"cycle", []string{"main:1.expand needs=1.5 requires=cache:2.expand", "cache:1.expand requires=main:1.expand", "cache:2.expand needs=1.5"}, nil,
			"error: steps wait for each other: main:1.expand waits for cache:2.expand waits for cache:1.expand waits for main:1.expand"},
		{"self", []string{"main:1.expand needs=1.5 requires=main:1.expand"}, nil,
			"error: steps wait for each other: main:1.expand waits for main:1.expand"},
		{"unknown step", []string{"main:1.expand needs=1.5 requires=main:9.expand"}, nil,
			"error: main 1.expand requires main:9.expand, which does not exist"},
		{"unknown release", []string{"main:1.expand"}, func(c *Catalogue) { c.Steps[0].Needs = 17 },
			"error: main 1.expand names a release for needs that is not known"},
		{"twice", []string{"main:1.expand needs=1.5", "main:1.expand needs=1.5"}, nil,
			"error: main 1.expand is declared twice"},
		{"no such peer", []string{"main:1.expand needs=1.5"}, func(c *Catalogue) { c.Releases[2].Peers = []Peer{{Component: "wbe", AtLeast: 1}} },
			"error: release 1.6 wants a component \"wbe\", which is not declared"},
		{"base after branch", []string{"main:1.expand needs=1.5"}, func(c *Catalogue) { c.Releases[1].Line, c.Releases[1].Base = "1.5", 2 },
			"error: release 1.5 is built on a release that does not come before it"},
		{"no floors", []string{"main:1.contract"}, nil,
			"error: main 1.contract takes something away and names no floor: say writers= or readers=, the oldest release that can live without it"},
		{"needed contract", []string{"main:1.contract writers=1.5 needs=1.6"}, nil,
			"error: main 1.contract is a contract, so no release may need it; a step may require it"},
		{"no bridge", []string{"main:1.backfill writers=1.5 needs=1.5"}, nil,
			"error: main 1.backfill wants api at 1.5 or later, but each such release needs the step first: no release can live on both sides; ship one that can, or declare the step offline"},
		{"no bridge by a later step", []string{"main:1.backfill writers=1.5", "main:2.expand needs=1.5"}, nil,
			"error: main 1.backfill wants api at 1.5 or later, but each such release needs the step first: no release can live on both sides; ship one that can, or declare the step offline"},
		{"withdrawn bridge", []string{"main:1.backfill writers=1.5 needs=1.6"}, func(c *Catalogue) { c.Releases[1].Withdrawn = true },
			"note: main 1.backfill wants api at 1.5 or later, and only a withdrawn release has that without needing the step"},
		{"offline", []string{"main:1.backfill writers=1.5 needs=1.5 offline"}, nil, ""},
		{"a cutover is meant to be so", []string{"main:1.cutover needs=1.5"}, nil, ""},
		{"nobody needs it", []string{"main:1.expand"}, nil,
			"note: main 1.expand is not needed by any listed release yet: no needs= is given"},
		{"not yet", []string{"main:1.expand needs=1.7"}, nil,
			"note: main 1.expand is not needed by any listed release yet: it is needed from 1.7 on"},
		{"floor above the newest", []string{"main:1.contract writers=1.7 readers=1.7"}, nil,
			"note: main 1.contract wants 1.7, which is newer than every listed release"},
		{"a later step carries it", []string{"main:1.expand", "main:2.expand needs=1.6"}, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tl := newTale(t, "1.4", "1.5", "1.6", "1.7")
			tl.cat.Releases[3].Unlisted = true
			tl.component("api", map[string]Role{"main": ReadWrite, "cache": ReadWrite})
			for _, s := range test.steps {
				tl.step(s)
			}
			if test.spoil != nil {
				test.spoil(&tl.cat)
			}
			if got := said(Check(tl.cat)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestTenThousandReleasesAreNoTrouble(t *testing.T) {
	cat, state, goal := large(20, 10, 10_000, 1000)
	p, err := Make(cat, state, goal)
	if err != nil || len(p.Blocked) > 0 {
		t.Fatal(err, p.Blocked)
	}
	if p.Stops == 0 || p.Steps != 1000 {
		t.Errorf("%d stops, %d steps", p.Stops, p.Steps)
	}
	if problems := Check(cat); len(problems) > 0 && problems[0].Severity == Fault {
		t.Errorf("problems: %s", said(problems[:1]))
	}
}

// Hotfixes that pick single things out of later releases make planning a search;
// it must end soon in a large catalogue too.
func TestManyHotfixesAreNoTrouble(t *testing.T) {
	cat, state, goal := large(20, 10, 500, 1000)
	for r := 20; r < 480; r += 9 {
		rel := &cat.Releases[r]
		rel.Line, rel.Base, rel.Contains = rel.ID, r-2, []int{r + 7, r + 15}
	}
	p, err := Make(cat, state, goal)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(cat, state, &goal); err != nil {
		t.Error(err)
	}
	t.Logf("%d stops, %d rollouts, %d blocks", p.Stops, p.Rollouts, len(p.Blocked))
}
