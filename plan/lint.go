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
// releases nor beside older ones. A cutover is meant to be like that, and so is
// a step that is declared offline.
func impossible(ix *index) []Problem {
	var problems []Problem
	for i, s := range ix.cat.Steps {
		if s.ID.Kind == Cutover && s.Offline {
			problems = append(problems, stepFault(s.ID, "is a cutover and offline: a cutover is made while writers live"))
		}
		if s.ID.Kind == Cutover || s.Offline {
			continue
		}
		for _, c := range ix.users[ix.store[i]] {
			for _, mark := range floorsOf(ix, i, ix.role[c][ix.store[i]]) {
				if p, found := stranded(ix, i, c, mark); found {
					problems = append(problems, p)
				}
			}
		}
	}
	return distinct(problems)
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
// of this kind. Where a withdrawn release would do, those who run it can go on,
// and nothing is wrong with the declarations.
func stranded(ix *index, step, c, mark int) (Problem, bool) {
	if !ix.parts(mark) || ix.bridged(ix.picky, step, c, mark) || ix.bridged(ix.chain, step, c, mark) {
		return Problem{}, false
	}
	id, name := ix.cat.Steps[step].ID, ix.cat.Components[c].Name
	wants := "wants " + name + " at " + ix.id(ix.order.marks[mark]) + " or later"
	p := stepFault(id, "%s, but each such release needs the step first: no release can live on both sides; ship one that can, or declare the step offline", wants)
	if ix.bridged(ix.withdrawn(), step, c, mark) {
		p = note(id, wants+", and only a withdrawn release has that without needing the step")
	}
	p.Component = name
	return p, true
}

// bridged tells whether one of the releases has the mark and does not need the
// step. They stand in the order of what they need, or are few.
func (ix *index) bridged(releases []int, step, c, mark int) bool {
	for _, r := range releases {
		if !ix.order.has(r, mark) {
			continue
		}
		if !ix.waitsFor(c, r, step) {
			return true
		}
		if len(ix.order.odd[r]) == 0 && ix.cat.Releases[r].Line == "" {
			return false // those that follow need more
		}
	}
	return false
}

func (ix *index) withdrawn() []int {
	var list []int
	for r, rel := range ix.cat.Releases {
		if rel.Withdrawn && !rel.Unlisted {
			list = append(list, r)
		}
	}
	return list
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
