package plan

// AllowedInOrder asks R2 for steps that are to run one after the other: it
// gives how many of them may run if each is done before the next begins, and
// why the first that may not is refused.
func AllowedInOrder(cat Catalogue, state State, ids []StepID) (int, Refusal) {
	ix, p, err := open(cat, state)
	if err != nil {
		return 0, Refusal{{Release: NoRelease, Because: err.Error()}}
	}
	for n, id := range ids {
		step, known := ix.step[id]
		if !known {
			return n, Refusal{{Release: NoRelease, Step: id, Because: "there is no step " + stepText(id)}}
		}
		if no := append(p.unprepared(step), p.tooOld(step)...); len(no) > 0 {
			return n, no
		}
		p.finish(step)
	}
	return len(ids), nil
}
