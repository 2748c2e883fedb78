package plan

// StepIDs gives all steps of the plan in their order, those of switches
// included.
func (p Plan) StepIDs() []StepID {
	var ids []StepID
	for _, leg := range p.Legs {
		ids = appendSteps(ids, leg.Actions)
	}
	return appendSteps(ids, p.After)
}

func appendSteps(ids []StepID, actions []Action) []StepID {
	for _, a := range actions {
		if a.Kind == DoStep || a.Kind == DoSwitch {
			ids = append(ids, a.Step)
			ids = append(ids, a.Also...)
		}
	}
	return ids
}
