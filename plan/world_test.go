package plan

import "math/rand"

// world is a small catalogue and state, judged by rules that are written here
// once more and searched through exhaustively.
type world struct {
	cat   Catalogue
	state State
	goal  Goal
	has   [][]bool // release -> release
	asked []int    // releases that somebody names
}

// spot is where a world stands. fleet holds a release, or none for what the
// component ran at first (perhaps several).
type spot struct {
	done  uint16
	fleet [3]uint8
	phase uint8 // 0: steps may run; 1: switches; 2: rolls only
}

const atFirst = 0xff

func newWorld(cat Catalogue, state State, goal Goal) *world {
	w := &world{cat: cat, state: state, goal: goal}
	n := len(cat.Releases)
	w.has = make([][]bool, n)
	for r := range cat.Releases {
		w.has[r] = make([]bool, n)
		w.has[r][r] = true
		rel := cat.Releases[r]
		inherit := func(x int) {
			for y := range w.has[x] {
				w.has[r][y] = w.has[r][y] || w.has[x][y]
			}
		}
		for x := 0; x < r; x++ {
			if cat.Releases[x].Line == rel.Line {
				inherit(x)
			}
			if rel.Line == "" {
				w.has[r][x] = true
			}
		}
		if rel.Line != "" && rel.Base >= 0 {
			inherit(rel.Base)
		}
		for _, c := range rel.Contains {
			w.has[r][c] = true
		}
	}
	for _, s := range cat.Steps {
		w.ask(s.Writers, s.Readers, s.Needs)
	}
	for _, f := range state.Floors {
		w.ask(f.Release)
	}
	for _, r := range cat.Releases {
		for _, p := range r.Peers {
			w.ask(p.AtLeast)
		}
	}
	return w
}

func (w *world) ask(releases ...int) {
	for _, r := range releases {
		if r >= 0 {
			w.asked = append(w.asked, r)
		}
	}
}

func (w *world) start() spot {
	s := spot{}
	for i, step := range w.cat.Steps {
		if w.state.Done[step.ID] || step.Skip != "" {
			s.done |= 1 << i
		}
	}
	for c := range w.cat.Components {
		s.fleet[c] = atFirst
		if live := w.live(s, c); len(live) == 1 {
			s.fleet[c] = uint8(live[0])
		}
	}
	return s
}

func (w *world) live(s spot, c int) []int {
	if s.fleet[c] != atFirst {
		return []int{int(s.fleet[c])}
	}
	return w.state.Fleet[w.cat.Components[c].Name]
}

func (w *world) forward(a, b int) bool {
	more := b > a
	for _, t := range w.asked {
		if w.has[a][t] && !w.has[b][t] {
			return false
		}
		if w.has[b][t] && !w.has[a][t] {
			more = true
		}
	}
	return more || a == b
}

func (w *world) meets(i, c, r int) bool {
	s := w.cat.Steps[i]
	role := w.cat.Components[c].Uses[s.ID.Store]
	writers := s.Writers
	if s.ID.Kind == Cutover && writers < 0 {
		writers = s.Needs
	}
	if role == ReadWrite && writers >= 0 && !w.has[r][writers] {
		return false
	}
	return role == Unused || s.Readers < 0 || w.has[r][s.Readers]
}

// must gives the steps that a release needs of the stores it uses; c < 0: of
// all stores.
func (w *world) must(c, r int) uint16 {
	var mask uint16
	tail := map[string]bool{}
	for i := len(w.cat.Steps) - 1; i >= 0; i-- {
		s := w.cat.Steps[i]
		if c >= 0 && w.cat.Components[c].Uses[s.ID.Store] == Unused || s.ID.Kind == Contract {
			continue
		}
		if s.Needs >= 0 && w.has[r][s.Needs] {
			tail[s.ID.Store] = true
		}
		if tail[s.ID.Store] {
			mask |= 1 << i
		}
	}
	return mask
}

func (w *world) gate(s spot, c, r int) bool {
	if need := w.must(c, r); s.done&need != need {
		return false
	}
	for i, step := range w.cat.Steps {
		begun := s.done&(1<<i) != 0 && step.Skip == "" || w.state.Begun[step.ID] || w.state.Done[step.ID]
		if begun && !w.meets(i, c, r) {
			return false
		}
	}
	for _, f := range w.state.Floors {
		role := w.cat.Components[c].Uses[f.Store]
		if role == Unused || role == ReadOnly && f.Role == ReadWrite {
			continue
		}
		if !w.has[r][f.Release] {
			return false
		}
	}
	for _, p := range w.cat.Releases[r].Peers {
		for d := range w.cat.Components {
			if w.cat.Components[d].Name != p.Component {
				continue
			}
			for _, x := range w.live(s, d) {
				if !w.has[x][p.AtLeast] {
					return false
				}
			}
		}
	}
	return true
}

func (w *world) prepared(s spot, i int) bool {
	step := w.cat.Steps[i]
	if s.done&(1<<i) != 0 {
		return false
	}
	for k, before := range w.cat.Steps {
		undone := s.done&(1<<k) == 0
		if k < i && before.ID.Store == step.ID.Store && before.ID.Kind != Contract && undone {
			return false
		}
		for _, r := range step.Requires {
			if before.ID == r && undone {
				return false
			}
		}
	}
	return true
}

func (w *world) begins(s spot, i int) bool {
	if !w.prepared(s, i) {
		return false
	}
	for c, component := range w.cat.Components {
		for _, r := range w.live(s, c) {
			if !w.meets(i, c, r) || w.cat.Steps[i].Offline && component.Uses[w.cat.Steps[i].ID.Store] == ReadWrite {
				return false
			}
		}
	}
	return true
}

func (w *world) target(s spot, c, r int) bool {
	if w.cat.Releases[r].Withdrawn || w.cat.Releases[r].Unlisted && r != w.goal.Release {
		return false
	}
	live := w.live(s, c)
	if len(live) == 0 || len(live) == 1 && live[0] == r {
		return false
	}
	for _, x := range live {
		if !w.forward(x, r) {
			return false
		}
	}
	return true
}

// nexts lists where one action leads, and whether a stop comes before it.
func (w *world) nexts(s spot, emit func(spot, int)) {
	cost := func(phase uint8) int {
		if phase < s.phase {
			return 1
		}
		return 0
	}
	for i := range w.cat.Steps {
		if w.begins(s, i) {
			t := s
			t.done |= 1 << i
			t.phase = 0
			emit(t, cost(0))
		}
	}
	w.switches(s, func(t spot) {
		t.phase = 1
		emit(t, cost(1))
	})
	for c := range w.cat.Components {
		for r := range w.cat.Releases {
			if w.target(s, c, r) && w.gate(s, c, r) {
				t := s
				t.fleet[c] = uint8(r)
				t.phase = 2
				emit(t, cost(2))
			}
		}
	}
}

// switches tries every set of cutovers, and every way for the writers to follow.
func (w *world) switches(s spot, emit func(spot)) {
	var due []int
	for i, step := range w.cat.Steps {
		if step.ID.Kind == Cutover && !step.Offline && w.prepared(s, i) && !w.begins(s, i) {
			due = append(due, i)
		}
	}
	for set := 1; set < 1<<len(due); set++ {
		t := s
		var movers []int
		ok := true
		for c, component := range w.cat.Components {
			must := false
			for k, i := range due {
				if set&(1<<k) == 0 {
					continue
				}
				for _, r := range w.live(s, c) {
					if !w.meets(i, c, r) {
						must = true
						ok = ok && component.Uses[w.cat.Steps[i].ID.Store] == ReadWrite
					}
				}
			}
			if must {
				movers = append(movers, c)
			}
		}
		for k, i := range due {
			if set&(1<<k) != 0 {
				t.done |= 1 << i
			}
		}
		if ok && len(movers) > 0 {
			w.follow(t, movers, emit)
		}
	}
}

func (w *world) follow(s spot, movers []int, emit func(spot)) {
	if len(movers) == 0 {
		emit(s)
		return
	}
	for k, c := range movers {
		rest := append(append([]int(nil), movers[:k]...), movers[k+1:]...)
		for r := range w.cat.Releases {
			if w.target(s, c, r) && w.gate(s, c, r) {
				t := s
				t.fleet[c] = uint8(r)
				w.follow(t, rest, emit)
			}
		}
	}
}

func (w *world) arrived(s spot) bool {
	if w.goal.Release == NoRelease {
		for i, step := range w.cat.Steps {
			if step.ID == w.goal.Step {
				return s.done&(1<<i) != 0
			}
		}
	}
	need := w.must(-1, w.goal.Release)
	if s.done&need != need {
		return false
	}
	for c := range w.cat.Components {
		live := w.live(s, c)
		if len(live) > 1 || len(live) == 1 && live[0] != w.goal.Release {
			return false
		}
	}
	return true
}

// stops is the least number of stops by exhaustive search; -1: there is no way.
func (w *world) stops() int {
	start := w.start()
	level := []spot{start}
	seen := map[spot]bool{}
	for cost := 0; len(level) > 0; cost++ {
		var later []spot
		for len(level) > 0 {
			s := level[len(level)-1]
			level = level[:len(level)-1]
			if seen[s] {
				continue
			}
			seen[s] = true
			if w.arrived(s) {
				return cost
			}
			w.nexts(s, func(t spot, extra int) {
				if seen[t] {
					return
				}
				if extra == 0 {
					level = append(level, t)
				} else {
					later = append(later, t)
				}
			})
		}
		level = later
	}
	return -1
}

// shape says what random worlds hold.
type shape struct{ lines, withdrawn, requires, switches, peers, mixed, offline bool }

// randomWorld makes a small world.
func randomWorld(r *rand.Rand, sh shape) *world {
	var cat Catalogue
	stores := []string{"main", "cache"}[:1+r.Intn(2)]
	n := 3 + r.Intn(5)
	for i := 0; i < n; i++ {
		rel := Release{ID: string(rune('A' + i)), Base: NoRelease}
		rel.Withdrawn = sh.withdrawn && r.Intn(6) == 0
		if sh.lines && i > 0 && r.Intn(4) == 0 {
			rel.Line, rel.Base = []string{"x", "y"}[r.Intn(2)], r.Intn(i)
			for r.Intn(2) == 0 {
				rel.Contains = append(rel.Contains, r.Intn(n))
			}
		}
		cat.Releases = append(cat.Releases, rel)
	}
	for c := 0; c < 1+r.Intn(3); c++ {
		uses := map[string]Role{}
		for _, s := range stores {
			uses[s] = []Role{Unused, ReadOnly, ReadWrite, ReadWrite, ReadWrite}[r.Intn(5)]
		}
		cat.Components = append(cat.Components, Component{Name: string(rune('a' + c)), Uses: uses})
	}
	some := func(odds int) int {
		if r.Intn(odds) != 0 {
			return NoRelease
		}
		return r.Intn(n)
	}
	steps := 2 + r.Intn(6)
	rising := func(i int) int { // needs mostly rise along the list
		switch r.Intn(6) {
		case 0:
			return NoRelease
		case 1:
			return r.Intn(n)
		}
		return min(n-1, 1+i*(n-1)/steps+r.Intn(2))
	}
	for i := 0; i < steps; i++ {
		kind := []Kind{Expand, Backfill, Backfill, Contract}[r.Intn(4)]
		if sh.switches && r.Intn(4) == 0 {
			kind = Cutover
		}
		s := Step{ID: StepID{Store: stores[r.Intn(len(stores))], Migration: string(rune('1' + i)), Kind: kind},
			Writers: some(2), Readers: some(4), Needs: rising(i)}
		if s.Writers >= 0 && s.Needs >= 0 && r.Intn(4) != 0 {
			s.Writers, s.Needs = min(s.Writers, s.Needs), max(s.Writers, s.Needs)
			if s.Writers == s.Needs && s.Needs > 0 {
				s.Writers--
			}
		}
		if kind == Contract {
			s.Needs = NoRelease
		}
		if kind == Cutover {
			s.Needs, s.Writers = r.Intn(n), some(8)
		}
		s.Offline = sh.offline && kind != Cutover && r.Intn(5) == 0
		if r.Intn(12) == 0 {
			s.Skip = "not here"
		}
		if sh.requires && i > 0 && r.Intn(3) == 0 {
			s.Requires = append(s.Requires, cat.Steps[r.Intn(i)].ID)
		}
		cat.Steps = append(cat.Steps, s)
	}
	if sh.peers {
		for i := range cat.Releases {
			if r.Intn(5) == 0 {
				cat.Releases[i].Peers = []Peer{{Component: cat.Components[r.Intn(len(cat.Components))].Name, AtLeast: r.Intn(n)}}
			}
		}
	}
	goal := Goal{Release: n - 1 - r.Intn(1+n/3)}
	state := State{Fleet: map[string][]int{}, Done: map[StepID]bool{}, Begun: map[StepID]bool{}}
	for _, c := range cat.Components {
		live := []int{r.Intn(1 + goal.Release/2)}
		if sh.mixed && r.Intn(5) == 0 {
			live = append(live, live[0]+1)
		}
		if sh.mixed && r.Intn(8) == 0 {
			live = nil
		}
		state.Fleet[c.Name] = live
	}
	if sh.mixed && r.Intn(4) == 0 {
		s := cat.Steps[0].ID
		state.Begun[s] = true
	}
	return newWorld(cat, state, goal)
}
