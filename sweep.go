package stopover

import "github.com/stopover-dev/stopover/plan"

// toSweep lists the verify steps that are done, may still find something, and
// follow a backfill that can be repeated: asked again, they open it again for
// what old code has written since.
func (a *App) toSweep(w *way) []plan.StepID {
	var ids []plan.StepID
	for _, s := range w.cat.Steps {
		if s.ID.Kind != plan.Verify || !w.state.Done[s.ID] || a.store(s.ID.Store) == nil || !a.verifiable(w.state, s.ID) {
			continue
		}
		work, err := a.work(a.steps[s.ID])
		if err == nil && work.Sweeps != nil && work.Sweeps.Repeatable {
			ids = append(ids, s.ID)
		}
	}
	return ids
}
