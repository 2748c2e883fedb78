package files

import (
	"strings"

	"github.com/stopover-dev/stopover/plan"
)

// mirrors looks at the mirrors of each store: at what their migrations declare,
// and at those of different migrations that may be alive at the same time.
func (b *builder) mirrors() {
	for _, s := range b.p.Stores {
		seen := map[string]*Migration{} // by table and column
		for _, m := range b.index.stores[s.Name] {
			expand := m.Section(plan.Expand, false)
			if expand == nil || len(expand.Mirrors) == 0 {
				continue
			}
			b.mirrorFloors(m)
			for i := range expand.Mirrors {
				b.chained(seen, m, &expand.Mirrors[i])
			}
		}
	}
}

// chained complains of a column that an earlier migration mirrors too: a write
// on one end of the chain would not arrive at the other. Contracts are leaves,
// so the earlier mirror has ended only if its contract is required by name.
func (b *builder) chained(seen map[string]*Migration, m *Migration, mirror *Mirror) {
	for _, column := range []string{mirror.Old, mirror.New} {
		key := bareName(mirror.Table) + "." + bareName(column)
		earlier := seen[key]
		seen[key] = m
		if earlier == nil || earlier == m || b.ended(m, earlier) {
			continue
		}
		b.problem(Place{File: m.File, Line: mirror.Line}, "write requires="+earlier.Name+".contract into the directive expand",
			"%s of %s is in the mirror of %s too, which may not have ended", column, mirror.Table, earlier.Name)
	}
}

// ended tells whether the expand of m waits for the contract of another.
func (b *builder) ended(m, earlier *Migration) bool {
	contract := plan.StepID{Store: earlier.Store, Migration: earlier.Name, Kind: plan.Contract}
	for _, ref := range m.Section(plan.Expand, false).Requires {
		ids, _ := b.index.steps(m.Store, ref)
		for _, id := range ids {
			if id == contract {
				return true
			}
		}
	}
	return false
}

// mirrorFloors compares floors with what a mirror makes of them. Without
// releases there are none.
func (b *builder) mirrorFloors(m *Migration) {
	if b.cat.Implicit {
		return
	}
	contract, backfill := m.Section(plan.Contract, false), m.Section(plan.Backfill, false)
	if contract != nil && (contract.Writers == "" || contract.Readers == "") {
		b.problem(Place{File: m.File, Line: contract.Directive}, "write writers= and readers= with the first release that does without the old column",
			"the contract ends the mirror, and what older releases write from then on would be lost to newer ones")
	}
	if backfill != nil && backfill.Writers != "" {
		b.note(Place{File: m.File, Line: backfill.Directive}, "leave it away, and the plan may have a stop fewer",
			"the backfill needs no writers=%s: the mirror fills the new column of what older releases write", strings.TrimSpace(backfill.Writers))
	}
}
