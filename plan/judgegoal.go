package plan

// asked tells whether a release up to the goal needs a contract.
func (j *judge) asked(id StepID) bool {
	s, known := j.step(id)
	return known && s.Needs != NoRelease
}

// aside tells whether a contract is asked for by name and runs while something
// is halted for it.
func (j *judge) aside(id StepID) bool { return id == j.goal.Step && len(j.halted) > 0 }

// missingStarts finds a component that stays halted at a stop.
func (j *judge) missingStarts() string {
	for _, c := range j.cat.Components {
		if j.halted[c.Name] != nil {
			return c.Name + " was halted and not started again"
		}
	}
	return ""
}

// unreached says what is missing to a goal; "" if nothing.
func (j *judge) unreached(goal Goal) string {
	if goal.Step != (StepID{}) {
		for _, s := range j.cat.Steps {
			same := s.ID.Store == goal.Step.Store && s.ID.Migration == goal.Step.Migration
			if same && !j.settled(s) && (s.ID.Kind == goal.Step.Kind || goal.Step.Kind == 0 && s.ID.Kind != Contract) {
				return s.ID.String() + " is asked for and not done"
			}
		}
	}
	if j.cat.Implicit || goal.Release == NoRelease {
		return j.pending(goal)
	}
	for _, c := range j.cat.Components {
		for r := range j.fleet[c.Name] {
			if r != goal.Release {
				return c.Name + " still runs " + j.cat.Releases[r].ID
			}
		}
	}
	if text := j.lacks("", goal.Release); text != "" {
		return "the target needs " + text
	}
	return ""
}

// pending finds what an implicit catalogue leaves undone.
func (j *judge) pending(goal Goal) string {
	if goal.Step != (StepID{}) {
		return ""
	}
	for _, s := range j.cat.Steps {
		if s.ID.Kind != Contract && !j.settled(s) {
			return s.ID.String() + " is pending"
		}
	}
	return ""
}
