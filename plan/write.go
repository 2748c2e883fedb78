package plan

// writer turns a draft into a plan, going through it once more on paper.
type writer struct {
	walker
	now    *progress
	why    *reasons
	back   backer
	plan   *Plan
	halted int // components that are down
}

// write fills in legs, counts and words.
func write(ix *index, start *progress, a aim, found route, out *Plan) {
	w := &writer{
		walker: walker{ix: ix, aim: a},
		now:    start.copy(),
		why:    newReasons(ix, a, start, found),
		back:   newBacker(ix, start),
		plan:   out,
	}
	for n, l := range found.legs {
		var done Leg
		for _, m := range l.moves {
			done.Actions = append(done.Actions, w.action(m, n))
		}
		if n+1 < len(found.legs) {
			done.Stop = w.stop(l, found.legs[n+1])
		}
		out.Legs = append(out.Legs, done)
	}
	for _, m := range found.rest {
		out.After = append(out.After, w.action(m, len(found.legs)))
	}
	out.Stops = max(0, len(out.Legs)-1)
	out.Later = w.later()
}

// action writes one move and carries it out on paper.
func (w *writer) action(m move, leg int) Action {
	a := Action{Kind: m.kind, To: NoRelease, ToUpto: NoRelease}
	for i, s := range m.steps {
		id := w.ix.cat.Steps[s].ID
		if i == 0 {
			a.Step = id
		} else {
			a.Also = append(a.Also, id)
		}
		w.count(s, m.kind, &a)
	}
	for i, h := range m.hops {
		name := w.ix.cat.Components[h.component].Name
		if i == 0 {
			a.Component, a.From, a.To, a.ToUpto = name, h.from, h.to, h.upto
		} else {
			a.Moves = append(a.Moves, Move{Component: name, From: h.from, To: h.to, ToUpto: h.upto})
		}
		if h.to != NoRelease {
			w.plan.Rollouts++
		}
	}
	a.Because = w.why.because(w.now, m, leg)
	shut := w.why.shuts(w.now, m)
	w.apply(w.now, m)
	w.halted = w.down()
	w.finishWords(&a, m, shut)
	a.Back = w.back.after(w.now)
	return a
}

// count adds a step to the plan's sums.
func (w *writer) count(step int, kind ActionKind, a *Action) {
	estimate := w.ix.cat.Steps[step].Estimate
	w.plan.Steps++
	w.plan.Work += estimate
	a.Estimate += estimate
	if estimate == 0 {
		w.plan.Unknown++
	}
	if w.halted > 0 && kind == DoStep {
		w.plan.Downtime += estimate
	}
}

// finishWords adds what a step shuts out and what there is no way back to.
func (w *writer) finishWords(a *Action, m move, shut string) {
	if len(m.steps) == 0 {
		return
	}
	if shut != "" {
		a.Refused = shut
	}
	s := w.ix.cat.Steps[m.steps[0]]
	if (s.ID.Kind == Contract || s.ID.Kind == Cutover) && !s.Reverse {
		a.NoReturn = w.why.noReturn(m.steps[0])
	}
}

// down counts the components that a halt ended and no start has brought back.
func (w *writer) down() int {
	n := 0
	for c := range w.now.live {
		if len(w.now.live[c]) == 0 && len(w.back.start.live[c]) > 0 {
			n++
		}
	}
	return n
}

// stop describes the pause after a leg.
func (w *writer) stop(l, next leg) *Stop {
	first, last := NoRelease, NoRelease
	for _, m := range l.moves {
		for _, h := range m.hops {
			if h.to == NoRelease {
				continue
			}
			first = max(first, h.to)
			if last == NoRelease || h.upto < last {
				last = h.upto
			}
		}
	}
	s := &Stop{First: first, Last: max(first, last), Fleet: standing(w.ix, w.now)}
	for _, m := range next.moves {
		if m.kind == DoStep && w.ix.cat.Steps[m.steps[0]].ID.Kind == Contract {
			s.Soak = w.ix.cat.Soak
		}
	}
	return s
}

// later lists what stays pending.
func (w *writer) later() []Wait {
	var list []Wait
	for i, s := range w.ix.cat.Steps {
		if !w.now.done[i] {
			list = append(list, Wait{Step: s.ID, Because: w.why.later(w.now, i)})
		}
	}
	return list
}
