package plan

import (
	"strings"
	"testing"
)

// tale is a catalogue in short form, by the names that a person uses.
type tale struct {
	t        *testing.T
	cat      Catalogue
	releases map[string]int
}

func newTale(t *testing.T, releases ...string) *tale {
	tl := &tale{t: t, releases: map[string]int{"": NoRelease}}
	for i, id := range releases {
		tl.releases[id] = i
		tl.cat.Releases = append(tl.cat.Releases, Release{ID: id, Base: NoRelease})
	}
	return tl
}

func (tl *tale) at(id string) int {
	tl.t.Helper()
	r, known := tl.releases[id]
	if !known {
		tl.t.Fatalf("release %q is not in this story", id)
	}
	return r
}

func (tl *tale) component(name string, uses map[string]Role) {
	tl.cat.Components = append(tl.cat.Components, Component{Name: name, Uses: uses})
}

// step adds one: "main:0042.expand needs=1.5 writers=1.4".
func (tl *tale) step(text string) {
	tl.t.Helper()
	words := strings.Fields(text)
	id, err := ParseStepID(words[0])
	if err != nil {
		tl.t.Fatal(err)
	}
	s := Step{ID: id, Writers: NoRelease, Readers: NoRelease, Needs: NoRelease}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "needs":
			s.Needs = tl.at(value)
		case "writers":
			s.Writers = tl.at(value)
		case "readers":
			s.Readers = tl.at(value)
		case "requires":
			r, err := ParseStepID(value)
			if err != nil {
				tl.t.Fatal(err)
			}
			s.Requires = append(s.Requires, r)
		case "offline":
			s.Offline = true
		default:
			tl.t.Fatalf("unknown word %q", w)
		}
	}
	tl.cat.Steps = append(tl.cat.Steps, s)
}

func (tl *tale) done(ids ...string) map[StepID]bool {
	tl.t.Helper()
	out := map[StepID]bool{}
	for _, text := range ids {
		id, err := ParseStepID(text)
		if err != nil {
			tl.t.Fatal(err)
		}
		out[id] = true
	}
	return out
}

func (tl *tale) fleet(pairs ...string) map[string][]int {
	tl.t.Helper()
	out := map[string][]int{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = append(out[pairs[i]], tl.at(pairs[i+1]))
	}
	return out
}

// plan makes a plan, proves it, and gives it.
func (tl *tale) plan(state State, goal Goal) Plan {
	tl.t.Helper()
	p, err := Make(tl.cat, state, goal)
	if err != nil {
		tl.t.Fatalf("make: %v", err)
	}
	if err := p.Verify(tl.cat, state, &goal); err != nil {
		tl.t.Fatalf("verify: %v\n%s", err, tl.brief(p))
	}
	return p
}

// brief tells a plan in lines: "main 0042.expand", "api 1.4 -> 1.5", "STOP 1.5".
func (tl *tale) brief(p Plan) string {
	var lines []string
	name := func(r int) string {
		if r == NoRelease {
			return "-"
		}
		return tl.cat.Releases[r].ID
	}
	for _, l := range p.Legs {
		for _, a := range l.Actions {
			lines = append(lines, tl.briefAction(a, name))
		}
		if l.Stop != nil {
			lines = append(lines, "STOP "+span(name(l.Stop.First), name(l.Stop.Last)))
		}
	}
	if len(p.After) > 0 {
		lines = append(lines, "AFTER")
	}
	for _, a := range p.After {
		lines = append(lines, tl.briefAction(a, name))
	}
	for _, b := range p.Blocked {
		lines = append(lines, "BLOCKED "+b.Because)
	}
	return strings.Join(lines, "\n")
}

func (tl *tale) briefAction(a Action, name func(int) string) string {
	var from []string
	for _, r := range a.From {
		from = append(from, name(r))
	}
	way := a.Component + " " + strings.Join(from, ",") + " -> " + span(name(a.To), name(a.ToUpto))
	for _, m := range a.Moves {
		way += ", " + m.Component + " -> " + span(name(m.To), name(m.ToUpto))
	}
	switch a.Kind {
	case DoStep:
		return a.Step.String()
	case DoSwitch:
		return "SWITCH " + a.Step.String() + " " + way
	case DoHalt:
		return "HALT " + a.Component
	}
	return way
}

func span(a, b string) string {
	if a == b {
		return a
	}
	return a + ".." + b
}

func storyE1(t *testing.T) *tale {
	tl := newTale(t, "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9")
	tl.component("api", map[string]Role{"main": ReadWrite, "cache": ReadWrite})
	tl.component("worker", map[string]Role{"main": ReadWrite, "cache": ReadWrite})
	tl.component("web", map[string]Role{"main": ReadOnly})
	tl.step("main:0042.expand needs=1.5")
	tl.step("main:0043.backfill writers=1.5 needs=1.6")
	tl.step("main:0044.contract writers=1.6 readers=1.6")
	tl.step("main:0045.expand needs=1.8")
	tl.step("main:0046.backfill needs=1.8")
	tl.step("main:0047.contract writers=1.8 readers=1.8")
	tl.step("cache:0003.expand writers=1.6 needs=1.7")
	tl.step("cache:0003.contract writers=1.7")
	return tl
}

func (tl *tale) fleetE1() State {
	return State{Fleet: tl.fleet("api", "1.4", "worker", "1.4", "web", "1.3")}
}
