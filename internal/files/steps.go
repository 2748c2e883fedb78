package files

import (
	"strings"

	"github.com/stopover-dev/stopover/internal/spelling"
	"github.com/stopover-dev/stopover/plan"
)

// steps puts in the steps of all stores in their order.
func (b *builder) steps() {
	b.cat.Steps = make([]plan.Step, 0, len(b.p.Migrations))
	for _, s := range b.p.Stores {
		for _, m := range b.index.stores[s.Name] {
			for kind := plan.Expand; kind <= plan.Contract; kind++ {
				if section := m.Section(kind, false); section != nil {
					b.cat.Steps = append(b.cat.Steps, b.step(m, section))
				}
			}
		}
	}
}

// step resolves what one section declares.
func (b *builder) step(m *Migration, s *Section) plan.Step {
	step := plan.Step{
		ID:      plan.StepID{Store: m.Store, Migration: m.Name, Kind: s.Kind},
		Writers: b.bound(s.Writers), Readers: b.bound(s.Readers), Needs: b.bound(s.Needs),
		Offline: s.Offline, Reverse: m.Section(s.Kind, true) != nil,
	}
	place := Place{File: m.File, Line: s.Directive}
	if b.cat.Implicit {
		step.Needs = plan.NoRelease
		if s.Kind != plan.Contract {
			step.Needs = 0
		}
		if s.Writers != "" || s.Readers != "" {
			b.note(place, "list the releases in "+ConfigName+", so that plans know them", "%s.%s has floors, but no releases are declared: it will want evidence that older ones are gone", m.Name, s.Kind)
		}
	}
	for _, ref := range s.Requires {
		ids, fault := b.index.steps(m.Store, ref)
		if fault != "" {
			b.problem(place, "", "requires=%s: %s", excerpt(ref), fault)
			continue
		}
		for _, id := range ids {
			if id == step.ID {
				b.problem(place, "", "requires=%s: a step cannot require itself", excerpt(ref))
				continue
			}
			step.Requires = append(step.Requires, id)
		}
	}
	return step
}

// steps finds the steps that a reference means: STORE:MIGRATION.STEP, without
// the step all of the migration's but its contract, without the store one in
// the store given. fault says what is wrong with it.
func (x *Index) steps(store, ref string) (ids []plan.StepID, fault string) {
	name := ref
	if before, after, found := strings.Cut(ref, ":"); found {
		store, name = before, after
	}
	if _, found := x.stores[store]; !found {
		if _, found := x.project.Store(store); !found {
			return nil, "no store " + quote(store) + spelling.Meant(store, x.storeNames())
		}
	}
	kind := plan.Kind(0)
	if before, after, found := strings.Cut(name, "."); found {
		k, known := plan.ParseKind(after)
		if !known {
			return nil, quote(after) + " is no step" + spelling.Meant(after, kindNames[:plan.Contract])
		}
		name, kind = before, k
	}
	m, fault := x.migration(store, name)
	if fault != "" {
		return nil, fault
	}
	for _, s := range m.Sections {
		if !s.Undo && (s.Kind == kind || kind == 0 && s.Kind != plan.Contract) {
			ids = append(ids, plan.StepID{Store: store, Migration: m.Name, Kind: s.Kind})
		}
	}
	if len(ids) == 0 && kind != 0 {
		return nil, m.Name + " has no " + kind.String()
	}
	if len(ids) == 0 {
		return nil, m.Name + " has nothing but a contract: write " + m.Name + ".contract"
	}
	return ids, ""
}
