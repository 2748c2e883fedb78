package plan

// leaves finds contracts that a release needs. Nothing depends on a contract
// but what requires it by name.
func leaves(ix *index) []Problem {
	var problems []Problem
	for _, a := range ix.asked {
		problems = append(problems, stepFault(ix.cat.Steps[a.step].ID, "is a contract, so no release may need it; a step may require it"))
	}
	return problems
}

// impossible finds steps whose floor nothing can ever meet: every release that
// would be new enough needs the step first, so it can neither run before those
// releases nor beside older ones. A cutover is meant to be like that.
func impossible(ix *index) []Problem {
	var problems []Problem
	for i, s := range ix.cat.Steps {
		if s.ID.Kind == Cutover {
			continue
		}
		for _, c := range ix.users[ix.store[i]] {
			role := ix.role[c][ix.store[i]]
			for _, f := range floorsOf(ix, i, role) {
				if p, found := stranded(ix, i, c, f); found {
					problems = append(problems, p)
				}
			}
		}
		problems = append(problems, offline(ix, i)...)
	}
	return distinct(problems)
}

// offline finds steps that need no writer alive and still ask writers for a
// release.
func offline(ix *index, step int) []Problem {
	if s := ix.cat.Steps[step]; s.Offline && s.ID.Kind == Cutover {
		return []Problem{stepFault(s.ID, "is a cutover and offline: a cutover is made while writers live")}
	}
	return nil
}

// floorsOf lists the floors of a step that concern a role, as marks.
func floorsOf(ix *index, step int, role Role) []int {
	var marks []int
	if role == ReadWrite && ix.writers[step] != noMark {
		marks = append(marks, ix.writers[step])
	}
	if role != Unused && ix.readers[step] != noMark {
		marks = append(marks, ix.readers[step])
	}
	return marks
}

// stranded tells whether no release of component c has the mark without
// needing the step. A mark that every listed release has, or none, says nothing
// of this kind.
func stranded(ix *index, step, c, mark int) (Problem, bool) {
	if !ix.parts(mark) {
		return Problem{}, false
	}
	for _, r := range ix.picky {
		if ix.order.has(r, mark) && !ix.waitsFor(c, r, step) {
			return Problem{}, false
		}
	}
	for _, r := range ix.chain {
		if !ix.order.has(r, mark) {
			continue
		}
		if !ix.waitsFor(c, r, step) {
			return Problem{}, false
		}
		break // those that follow need more
	}
	name := ix.cat.Components[c].Name
	p := stepFault(ix.cat.Steps[step].ID, "wants %s at %s or later, but each such release needs the step first or is withdrawn: no release can live on both sides",
		name, ix.id(ix.order.marks[mark]))
	p.Component = name
	return p, true
}

// parts tells whether some listed releases have the mark and some do not.
func (ix *index) parts(mark int) bool {
	with, without := false, false
	for r, rel := range ix.cat.Releases {
		if !rel.Unlisted {
			with = with || ix.order.has(r, mark)
			without = without || !ix.order.has(r, mark)
		}
	}
	return with && without
}

// waitsFor tells whether release r of component c can start only after a step,
// because it needs it or one that comes after it or requires it.
func (ix *index) waitsFor(c, r, step int) bool {
	need := make([]int, len(ix.stores))
	var contracts []int
	for s, role := range ix.role[c] {
		if role != Unused {
			need[s] = ix.needs(r, s)
		}
	}
	for _, a := range ix.asked {
		if ix.role[c][ix.store[a.step]] != Unused && ix.order.has(r, a.mark) {
			contracts = append(contracts, a.step)
		}
	}
	return ix.closure(nil, need, contracts)[step]
}

// declared compares the steps with the list of releases.
func declared(ix *index) []Problem {
	newest := NoRelease
	for r, rel := range ix.cat.Releases {
		if !rel.Unlisted {
			newest = r
		}
	}
	var problems []Problem
	for i, s := range ix.cat.Steps {
		if s.ID.Kind == Contract && s.Writers == NoRelease && s.Readers == NoRelease {
			problems = append(problems, stepFault(s.ID, "takes something away and names no floor: say writers= or readers=, the oldest release that can live without it"))
		}
		if s.Needs > newest {
			problems = append(problems, note(s.ID, "is not needed by any listed release yet: it is needed from "+ix.id(s.Needs)+" on"))
		}
		for _, f := range []int{s.Writers, s.Readers} {
			if f > newest {
				problems = append(problems, note(s.ID, "wants "+ix.id(f)+", which is newer than every listed release"))
			}
		}
		if s.ID.Kind != Contract && s.Needs == NoRelease && !ix.neededLater(i) {
			problems = append(problems, note(s.ID, "is not needed by any listed release yet: no needs= is given"))
		}
	}
	return distinct(problems)
}

// neededLater tells whether a later step of the line has needs, or a step
// requires this one.
func (ix *index) neededLater(step int) bool {
	for _, i := range ix.line[ix.store[step]][ix.at[step]:] {
		if ix.cat.Steps[i].Needs != NoRelease {
			return true
		}
	}
	for i := range ix.requires {
		for _, r := range ix.requires[i] {
			if ix.store[r] == ix.store[step] && ix.at[r] >= ix.at[step] {
				return true
			}
		}
	}
	return false
}

func note(id StepID, text string) Problem {
	return Problem{Severity: Note, Step: id, Release: NoRelease, Text: id.String() + " " + text}
}

// id gives a release's id, or a word for what is none.
func (ix *index) id(r int) string {
	if r < 0 || r >= len(ix.cat.Releases) {
		return "an unknown release"
	}
	return ix.cat.Releases[r].ID
}

func distinct(problems []Problem) []Problem {
	var out []Problem
	seen := map[Problem]bool{}
	for _, p := range problems {
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}
