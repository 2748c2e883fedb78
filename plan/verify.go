package plan

import "fmt"

// PlanError says what is wrong with a plan.
type PlanError struct {
	Leg     int // from 0; len(Legs) is After; -1: the plan as a whole
	Action  int // from 0; -1: the leg as a whole
	Because string
}

func (e *PlanError) Error() string {
	switch {
	case e.Leg < 0:
		return e.Because
	case e.Action < 0:
		return fmt.Sprintf("leg %d: %s", e.Leg+1, e.Because)
	}
	return fmt.Sprintf("leg %d, action %d: %s", e.Leg+1, e.Action+1, e.Because)
}

// Verify replays a plan against the rules R1 to R5, whoever made it: twice, with
// the oldest and with the newest release of every range. It has its own idea of
// every rule. With goal nil it asks only whether the plan may be carried out,
// not where it leads. A plan that is blocked has nothing to replay.
func (p Plan) Verify(cat Catalogue, state State, goal *Goal) error {
	if len(p.Blocked) > 0 {
		if len(p.Legs)+len(p.After) > 0 {
			return &PlanError{Leg: -1, Action: -1, Because: "there is no way, and still a plan"}
		}
		return nil
	}
	if err := sound(cat, state); err != nil {
		return err
	}
	if goal == nil {
		g := p.Goal
		if err := replay(cat, state, g, p, false); err != nil {
			return err
		}
		return replay(cat, state, g, p, true)
	}
	for _, newest := range []bool{false, true} {
		if err := replay(cat, state, *goal, p, newest); err != nil {
			return err
		}
		if err := arrives(cat, state, *goal, p, newest); err != nil {
			return err
		}
	}
	return tally(p)
}

// sound finds inputs that cannot be judged.
func sound(cat Catalogue, state State) error {
	bad := func(text string) error { return &PlanError{Leg: -1, Action: -1, Because: text} }
	in := func(r int) bool { return r >= 0 && r < len(cat.Releases) }
	steps := map[StepID]bool{}
	for _, s := range cat.Steps {
		steps[s.ID] = true
		for _, r := range []int{s.Writers, s.Readers, s.Needs} {
			if r != NoRelease && !in(r) {
				return bad("a step names an unknown release")
			}
		}
	}
	for _, s := range cat.Steps {
		for _, r := range s.Requires {
			if !steps[r] {
				return bad("a step requires one that does not exist")
			}
		}
	}
	for i, r := range cat.Releases {
		for _, c := range r.Contains {
			if !in(c) {
				return bad("a release contains an unknown one")
			}
		}
		for _, peer := range r.Peers {
			if !in(peer.AtLeast) {
				return bad("a release wants an unknown one")
			}
		}
		if r.Line != "" && r.Base >= i {
			return bad("a release is built on a later one")
		}
	}
	for _, live := range state.Fleet {
		for _, r := range live {
			if !in(r) {
				return bad("the fleet runs an unknown release")
			}
		}
	}
	for _, f := range state.Floors {
		if !in(f.Release) {
			return bad("a floor is at an unknown release")
		}
	}
	return nil
}

// The parts of a leg, in their order.
const (
	partSteps = iota
	partSwitches
	partRolls
)

// replay carries a plan out on paper and asks before every action.
func replay(cat Catalogue, state State, goal Goal, p Plan, newest bool) error {
	j := newJudge(cat, state, goal, newest)
	required := requiredIn(cat, p)
	for n, l := range p.Legs {
		if len(l.Actions) == 0 {
			return &PlanError{Leg: n, Action: -1, Because: "nothing is done"}
		}
		if (l.Stop == nil) != (n == len(p.Legs)-1) {
			return &PlanError{Leg: n, Action: -1, Because: "the fleet pauses after every leg but the last"}
		}
		part := partSteps
		for i, a := range l.Actions {
			fail := func(text string) error { return &PlanError{Leg: n, Action: i, Because: text} }
			now := partOf(a)
			if now < part {
				return fail("a step or a switch follows a roll without a stop between them")
			}
			part = now
			if a.Kind == DoStep && a.Step.Kind == Contract && !required[a.Step] && !j.asked(a.Step) && !j.aside(a.Step) {
				return fail("a contract that nothing requires comes before the end")
			}
			if text := j.act(a); text != "" {
				return fail(text)
			}
		}
		if text := j.missingStarts(); text != "" {
			return &PlanError{Leg: n, Action: -1, Because: text}
		}
	}
	return replayAfter(j, p)
}

// replayAfter judges what follows the last rollout: everything else before a
// contract, as far as it does not wait for one.
func replayAfter(j *judge, p Plan) error {
	for i, a := range p.After {
		fail := func(text string) error { return &PlanError{Leg: len(p.Legs), Action: i, Because: text} }
		if a.Kind != DoStep {
			return fail("only steps follow the last rollout")
		}
		if a.Step.Kind == Contract {
			for _, b := range p.After[i+1:] {
				if b.Step.Kind == Contract {
					continue
				}
				if _, text := j.begins(b.Step); text == "" {
					return fail("a contract comes before " + b.Step.String() + ", which does not wait for it")
				}
			}
		}
		if text := j.act(a); text != "" {
			return fail(text)
		}
	}
	return nil
}

// partOf tells in which part of a leg an action belongs. A halt, and a start
// that ends it, frame steps.
func partOf(a Action) int {
	switch a.Kind {
	case DoStep, DoHalt:
		return partSteps
	case DoSwitch:
		return partSwitches
	}
	return partRolls
}

// requiredIn lists the contracts that a step of a plan, or one not yet done,
// requires by name.
func requiredIn(cat Catalogue, p Plan) map[StepID]bool {
	in := map[StepID]bool{}
	for _, l := range p.Legs {
		for _, a := range l.Actions {
			in[a.Step] = true
			for _, id := range a.Also {
				in[id] = true
			}
		}
	}
	for _, a := range p.After {
		in[a.Step] = true
	}
	out := map[StepID]bool{}
	for _, s := range cat.Steps {
		if !in[s.ID] {
			continue
		}
		for _, r := range s.Requires {
			out[r] = true
		}
	}
	return out
}

// tally compares a plan's sums with what it holds.
func tally(p Plan) error {
	steps, rolls := len(p.After), 0
	for _, l := range p.Legs {
		for _, a := range l.Actions {
			switch a.Kind {
			case DoStep:
				steps++
			case DoSwitch:
				steps += 1 + len(a.Also)
				rolls += 1 + len(a.Moves)
			case DoRoll:
				rolls++
			}
		}
	}
	if steps != p.Steps || rolls != p.Rollouts || p.Stops != max(0, len(p.Legs)-1) {
		return &PlanError{Leg: -1, Action: -1, Because: fmt.Sprintf("the sums are wrong: %d stops, %d rollouts, %d steps are said, %d, %d, %d are there",
			p.Stops, p.Rollouts, p.Steps, max(0, len(p.Legs)-1), rolls, steps)}
	}
	return nil
}

// arrives tells whether a plan leads to a goal.
func arrives(cat Catalogue, state State, goal Goal, p Plan, newest bool) error {
	j := newJudge(cat, state, goal, newest)
	for _, l := range p.Legs {
		for _, a := range l.Actions {
			j.act(a)
		}
	}
	for _, a := range p.After {
		j.act(a)
	}
	if text := j.unreached(goal); text != "" {
		return &PlanError{Leg: -1, Action: -1, Because: text}
	}
	return nil
}
