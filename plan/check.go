package plan

import (
	"fmt"
	"strings"
)

// Severity says how bad a problem is.
type Severity uint8

// The severities.
const (
	Note  Severity = iota + 1 // worth knowing
	Fault                     // the catalogue must be mended
)

// String gives "note" or "error".
func (s Severity) String() string {
	if s == Note {
		return "note"
	}
	return "error"
}

// Problem is something that is wrong with a catalogue, or worth knowing.
type Problem struct {
	Severity  Severity
	Step      StepID // zero if it is not about a step
	Component string // "" if it is not about a component
	Release   int    // NoRelease if it is not about a release
	Text      string // a sentence
}

// Check looks at a catalogue as a whole. A catalogue without errors can be
// planned with; whether there is a way for a given fleet is for Make to say.
func Check(cat Catalogue) []Problem {
	problems := structure(cat)
	if len(problems) > 0 {
		return problems
	}
	ix := newIndex(cat, nil)
	problems = append(problems, leaves(ix)...)
	problems = append(problems, impossible(ix)...)
	if !cat.Implicit {
		problems = append(problems, declared(ix)...)
	}
	return problems
}

// structure finds what makes a catalogue unreadable: names and numbers that
// lead nowhere, and cycles.
func structure(cat Catalogue) []Problem {
	var problems []Problem
	problems = append(problems, wrongComponents(cat)...)
	problems = append(problems, wrongReleases(cat)...)
	where, wrong := wrongSteps(cat)
	problems = append(problems, wrong...)
	if len(problems) == 0 {
		problems = cycles(cat, where)
	}
	return problems
}

func fault(format string, args ...any) Problem {
	return Problem{Severity: Fault, Release: NoRelease, Text: fmt.Sprintf(format, args...)}
}

func stepFault(id StepID, format string, args ...any) Problem {
	p := fault("%s %s", id, fmt.Sprintf(format, args...))
	p.Step = id
	return p
}

func wrongComponents(cat Catalogue) []Problem {
	var problems []Problem
	seen := map[string]bool{}
	for _, c := range cat.Components {
		if seen[c.Name] {
			p := fault("component %s is declared twice", c.Name)
			p.Component = c.Name
			problems = append(problems, p)
		}
		seen[c.Name] = true
		for _, role := range c.Uses {
			if role > ReadWrite {
				p := fault("component %s uses a store neither ro nor rw", c.Name)
				p.Component = c.Name
				problems = append(problems, p)
			}
		}
	}
	return problems
}

func wrongReleases(cat Catalogue) []Problem {
	var problems []Problem
	say := func(r int, format string, args ...any) {
		p := fault("release %s %s", cat.Releases[r].ID, fmt.Sprintf(format, args...))
		p.Release = r
		problems = append(problems, p)
	}
	known := map[string]bool{}
	for _, c := range cat.Components {
		known[c.Name] = true
	}
	if cat.Implicit && len(cat.Releases) > 1 {
		problems = append(problems, fault("no releases are declared, and still there are %d", len(cat.Releases)))
	}
	seen := map[string]bool{}
	for r, rel := range cat.Releases {
		if seen[rel.ID] {
			say(r, "is declared twice")
		}
		seen[rel.ID] = true
		if rel.Line != "" && (rel.Base >= r || rel.Base < NoRelease) {
			say(r, "is built on a release that does not come before it")
		}
		for _, c := range rel.Contains {
			if c < 0 || c >= len(cat.Releases) {
				say(r, "contains a release that is not known")
			}
		}
		for _, peer := range rel.Peers {
			if !known[peer.Component] {
				say(r, "wants a component %q, which is not declared", peer.Component)
			}
			if peer.AtLeast < 0 || peer.AtLeast >= len(cat.Releases) {
				say(r, "wants a release of %s that is not known", peer.Component)
			}
		}
	}
	return problems
}

func wrongSteps(cat Catalogue) (where map[StepID]int, problems []Problem) {
	where = make(map[StepID]int, len(cat.Steps))
	for i, s := range cat.Steps {
		if _, twice := where[s.ID]; twice {
			problems = append(problems, stepFault(s.ID, "is declared twice"))
		}
		where[s.ID] = i
		if s.ID.Kind < Expand || s.ID.Kind > Contract {
			problems = append(problems, stepFault(s.ID, "is not one of expand, backfill, verify, cutover, contract"))
		}
		for _, f := range []struct {
			word    string
			release int
		}{{"the writers' floor", s.Writers}, {"the readers' floor", s.Readers}, {"needs", s.Needs}} {
			if f.release < NoRelease || f.release >= len(cat.Releases) {
				problems = append(problems, stepFault(s.ID, "names a release for %s that is not known", f.word))
			}
		}
	}
	for _, s := range cat.Steps {
		for _, r := range s.Requires {
			if _, known := where[r]; !known {
				problems = append(problems, stepFault(s.ID, "requires %s, which does not exist", r.Ref()))
			}
		}
	}
	return where, problems
}

// cycles follows "comes after" and "requires". Within a store the steps but
// contracts come one after the other.
func cycles(cat Catalogue, where map[StepID]int) []Problem {
	before := predecessors(cat, where)
	const unseen, open, closed = 0, 1, 2
	mark := make([]uint8, len(cat.Steps))
	next := make([]int, len(cat.Steps))
	for start := range cat.Steps {
		if mark[start] != unseen {
			continue
		}
		path := []int{start}
		mark[start] = open
		for len(path) > 0 {
			at := path[len(path)-1]
			if next[at] == len(before[at]) {
				mark[at] = closed
				path = path[:len(path)-1]
				continue
			}
			to := before[at][next[at]]
			next[at]++
			if mark[to] == open {
				return []Problem{cycleProblem(cat, path, to)}
			}
			if mark[to] == unseen {
				mark[to] = open
				path = append(path, to)
			}
		}
	}
	return nil
}

// predecessors lists for each step what it waits for directly.
func predecessors(cat Catalogue, where map[StepID]int) [][]int {
	last := map[string]int{}
	before := make([][]int, len(cat.Steps))
	for i, s := range cat.Steps {
		if prev, found := last[s.ID.Store]; found {
			before[i] = append(before[i], prev)
		}
		for _, r := range s.Requires {
			before[i] = append(before[i], where[r])
		}
		if s.ID.Kind != Contract {
			last[s.ID.Store] = i
		}
	}
	return before
}

func cycleProblem(cat Catalogue, path []int, to int) Problem {
	first := 0
	for path[first] != to {
		first++
	}
	var names []string
	for _, i := range path[first:] {
		names = append(names, cat.Steps[i].ID.Ref())
	}
	names = append(names, cat.Steps[to].ID.Ref())
	p := fault("steps wait for each other: %s", strings.Join(names, " waits for "))
	p.Step = cat.Steps[to].ID
	return p
}
