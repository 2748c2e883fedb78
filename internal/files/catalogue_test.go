package files

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/plan"
)

// TestCatalogue makes the catalogue of each case and compares all of it. A
// file "extra" of a case holds the release ids that were met elsewhere.
func TestCatalogue(t *testing.T) {
	cases, err := filepath.Glob("testdata/catalogue/*.txtar")
	if err != nil || len(cases) < 15 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			files, want := archive(t, name)
			var extra []string
			if f := files["extra"]; f != nil {
				extra = strings.Fields(string(f.Data))
			}
			p, err := Load(files, "stopover.yaml")
			if err != nil {
				t.Fatal(err)
			}
			cat, index, problems := p.Catalogue(extra...)
			got := describe(cat, index)
			for _, id := range extra {
				at, known := index.At(id)
				got += fmt.Sprintf("%s is release %d %v %s\n", id, at, known, index.Any(at))
			}
			for i := range problems {
				severity := "error"
				if problems[i].Note {
					severity = "note"
				}
				if problems[i].Extra != "" {
					severity = "about " + problems[i].Extra
				}
				got += severity + ": " + problems[i].Error() + "\n"
			}
			golden(t, name, got, want)
		})
	}
}

// describe writes a catalogue as text, releases by id.
func describe(cat plan.Catalogue, index *Index) string {
	var b strings.Builder
	fmt.Fprintf(&b, "application %s soak %s implicit %v\n", cat.Application, cat.Soak, cat.Implicit)
	for _, c := range cat.Components {
		fmt.Fprintf(&b, "component %s %v\n", c.Name, c.Uses)
	}
	for i, r := range cat.Releases {
		fmt.Fprintf(&b, "release %d %s", i, r.ID)
		if r.Unlisted {
			b.WriteString(" unlisted")
		}
		if r.Withdrawn {
			b.WriteString(" withdrawn")
		}
		if r.Line != "" {
			fmt.Fprintf(&b, " line %s base %q", r.Line, index.ID(r.Base))
		}
		for _, c := range r.Contains {
			b.WriteString(" contains " + index.ID(c))
		}
		for _, peer := range r.Peers {
			fmt.Fprintf(&b, " wants %s %s", peer.Component, index.ID(peer.AtLeast))
		}
		b.WriteByte('\n')
	}
	for _, s := range cat.Steps {
		fmt.Fprintf(&b, "%s: step %s writers %q readers %q needs %q", index.Place(s.ID), s.ID.Ref(), index.ID(s.Writers), index.ID(s.Readers), index.ID(s.Needs))
		for _, r := range s.Requires {
			b.WriteString(" requires " + r.Ref())
		}
		if s.Offline {
			b.WriteString(" offline")
		}
		if s.Reverse {
			b.WriteString(" reverse")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
