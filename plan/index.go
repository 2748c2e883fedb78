package plan

import "sort"

// index is a catalogue with names resolved to numbers. It is built once per
// question and never changed.
type index struct {
	cat    Catalogue
	order  *order
	stores []string
	users  [][]int // store -> components that use it
	role   [][]Role

	self     []int   // step -> step, for slices of one
	store    []int   // step -> store
	line     [][]int // store -> its steps but contracts, in order
	at       []int   // step -> steps of its store's line before it
	requires [][]int
	writers  []int // step -> mark of the writers' floor, or noMark
	readers  []int

	// need[s][k] is how many steps of store s's line a release with the first k
	// marks needs; own[s][m] what mark m alone asks for.
	need [][]int
	own  [][]int

	// asked are contracts that a release needs, against the rule that they are
	// leaves; step by step, with the mark.
	asked []ask

	// chain are the releases that one may go to and that picked nothing out of
	// later ones, each above the one before it; picky are the others.
	chain []int
	picky []int

	component map[string]int
	storeOf   map[string]int
	step      map[StepID]int
}

type ask struct{ step, mark int }

// newIndex resolves a catalogue that structure found nothing wrong with.
func newIndex(cat Catalogue, floors []Floor) *index {
	ix := &index{cat: cat, component: map[string]int{}, storeOf: map[string]int{}, step: make(map[StepID]int, len(cat.Steps))}
	ix.order = newOrder(cat.Releases, named(cat, floors))
	for i, s := range cat.Steps {
		ix.step[s.ID] = i
		ix.addStore(s.ID.Store)
	}
	ix.indexComponents()
	for _, f := range floors {
		ix.addStore(f.Store)
	}
	ix.indexRoles()
	ix.indexSteps()
	ix.indexNeeds()
	ix.indexChain()
	return ix
}

// indexChain sorts the releases that are neither withdrawn nor unlisted.
func (ix *index) indexChain() {
	for r, rel := range ix.cat.Releases {
		switch {
		case rel.Withdrawn || rel.Unlisted:
		case len(ix.order.odd[r]) > 0:
			ix.picky = append(ix.picky, r)
		default:
			ix.chain = append(ix.chain, r)
		}
	}
	sort.SliceStable(ix.chain, func(i, j int) bool { return ix.order.rank[ix.chain[i]] < ix.order.rank[ix.chain[j]] })
}

// named lists every release that a declaration names.
func named(cat Catalogue, floors []Floor) []int {
	all := make([]int, 0, 3*len(cat.Steps))
	for _, s := range cat.Steps {
		all = append(all, s.Writers, s.Readers, s.Needs)
	}
	for _, r := range cat.Releases {
		for _, p := range r.Peers {
			all = append(all, p.AtLeast)
		}
	}
	for _, f := range floors {
		all = append(all, f.Release)
	}
	return all
}

func (ix *index) addStore(name string) {
	if _, known := ix.storeOf[name]; !known {
		ix.storeOf[name] = len(ix.stores)
		ix.stores = append(ix.stores, name)
	}
}

func (ix *index) indexComponents() {
	for i, c := range ix.cat.Components {
		ix.component[c.Name] = i
		names := make([]string, 0, len(c.Uses))
		for name := range c.Uses {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			ix.addStore(name)
		}
	}
}

func (ix *index) indexRoles() {
	ix.users = make([][]int, len(ix.stores))
	ix.role = make([][]Role, len(ix.cat.Components))
	for c, component := range ix.cat.Components {
		ix.role[c] = make([]Role, len(ix.stores))
		for s, name := range ix.stores {
			role := component.Uses[name]
			ix.role[c][s] = role
			if role != Unused {
				ix.users[s] = append(ix.users[s], c)
			}
		}
	}
}

func (ix *index) indexSteps() {
	n := len(ix.cat.Steps)
	ix.store, ix.at = make([]int, n), make([]int, n)
	ix.requires, ix.self = make([][]int, n), make([]int, n)
	ix.writers, ix.readers = make([]int, n), make([]int, n)
	ix.line = make([][]int, len(ix.stores))
	for i, s := range ix.cat.Steps {
		store := ix.storeOf[s.ID.Store]
		ix.self[i] = i
		ix.store[i], ix.at[i] = store, len(ix.line[store])
		if s.ID.Kind != Contract {
			ix.line[store] = append(ix.line[store], i)
		}
		ix.writers[i], ix.readers[i] = ix.order.of(WritersFloor(s)), ix.order.of(s.Readers)
		for _, id := range s.Requires {
			ix.requires[i] = append(ix.requires[i], ix.step[id])
		}
	}
}

// WritersFloor is the floor for writers that a step puts in force. A cutover
// that names none shuts out all that do not need it: they would write the form
// that no longer counts.
func WritersFloor(s Step) int {
	if s.ID.Kind == Cutover && s.Writers == NoRelease {
		return s.Needs
	}
	return s.Writers
}

func (ix *index) indexNeeds() {
	marks := len(ix.order.marks)
	ix.need, ix.own = make([][]int, len(ix.stores)), make([][]int, len(ix.stores))
	for s := range ix.stores {
		ix.need[s], ix.own[s] = make([]int, marks+1), make([]int, marks)
	}
	for i, step := range ix.cat.Steps {
		mark := ix.order.of(step.Needs)
		if mark == noMark {
			continue
		}
		if step.ID.Kind == Contract {
			ix.asked = append(ix.asked, ask{step: i, mark: mark})
			continue
		}
		own := ix.own[ix.store[i]]
		own[mark] = max(own[mark], ix.at[i]+1)
	}
	for s := range ix.stores {
		for m := range ix.own[s] {
			ix.need[s][m+1] = max(ix.need[s][m], ix.own[s][m])
		}
	}
}

// alone gives the move that runs a step.
func (ix *index) alone(step int) move {
	return move{kind: DoStep, steps: ix.self[step : step+1 : step+1]}
}

// needs gives how many steps of a store's line release r needs: all of them
// where no releases are declared.
func (ix *index) needs(r, store int) int {
	if ix.cat.Implicit {
		return len(ix.line[store])
	}
	n := ix.need[store][ix.order.rank[r]]
	for _, m := range ix.order.odd[r] {
		n = max(n, ix.own[store][m])
	}
	return n
}
