package plan

// mirrors puts off the steps that fill a mirror to the leg of their cutover. A
// mirror has to follow the old side from its backfill on; over a stop, which may
// last for days, it would do so for nothing.
func mirrors(ix *index, r route) route {
	for n := range r.legs {
		for _, m := range r.legs[n].moves {
			for _, s := range m.steps {
				if ix.cat.Steps[s].ID.Kind == Cutover {
					putOff(ix, &r, s, n)
				}
			}
		}
	}
	return r
}

// putOff moves the steps of a cutover's migration that run in earlier legs to
// leg n, if nothing on the way waits for them.
func putOff(ix *index, r *route, cutover, n int) {
	for early := 0; early < n; early++ {
		var keep, late []move
		for _, m := range r.legs[early].moves {
			if m.kind == DoStep && fills(ix, m.steps[0], cutover) {
				late = append(late, m)
			} else {
				keep = append(keep, m)
			}
		}
		if len(late) == 0 || early > 0 && !hasStep(keep) || awaitedBetween(ix, r, late, early, n) {
			continue
		}
		r.legs = append([]leg(nil), r.legs...)
		r.legs[early] = leg{moves: keep}
		r.legs[n] = leg{moves: insert(r.legs[n].moves, late, cutover)}
	}
}

// fills tells whether a step belongs to a cutover's migration and comes after
// its expand.
func fills(ix *index, step, cutover int) bool {
	a, b := ix.cat.Steps[step].ID, ix.cat.Steps[cutover].ID
	return a.Store == b.Store && a.Migration == b.Migration && (a.Kind == Backfill || a.Kind == Verify)
}

func hasStep(moves []move) bool { return len(moves) > 0 && moves[0].kind == DoStep }

// awaitedBetween tells whether a step or a release between two legs waits for
// one of the moves.
func awaitedBetween(ix *index, r *route, late []move, early, n int) bool {
	for _, l := range r.legs[early : n+1] {
		for _, m := range l.moves {
			for _, s := range m.steps {
				for _, q := range ix.requires[s] {
					if among(late, q) {
						return true
					}
				}
			}
		}
	}
	for _, l := range r.legs[early:n] {
		for _, m := range l.moves {
			for _, h := range m.hops {
				if h.to == NoRelease || ix.role[h.component][ix.store[late[0].steps[0]]] == Unused {
					continue
				}
				if ix.needs(h.to, ix.store[late[0].steps[0]]) > ix.at[late[0].steps[0]] {
					return true
				}
			}
		}
	}
	return false
}

func among(moves []move, step int) bool {
	for _, m := range moves {
		if m.steps[0] == step {
			return true
		}
	}
	return false
}

// insert puts steps before a cutover, after the other steps of its leg.
func insert(moves, late []move, cutover int) []move {
	at := 0
	for at < len(moves) && moves[at].kind == DoStep && moves[at].steps[0] != cutover {
		at++
	}
	out := append([]move(nil), moves[:at]...)
	return append(append(out, late...), moves[at:]...)
}
