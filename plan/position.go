package plan

// Position tells how far a store is: the newest migration whose steps are all
// done, contracts not counted, with none before it that is not ("" if there is
// none), and how many steps are pending, contracts included.
func Position(cat Catalogue, state State, store string) (migration string, pending int) {
	gap := false // an undone step was seen: nothing after it counts
	for i, s := range cat.Steps {
		if s.ID.Store != store {
			continue
		}
		undone := !state.Done[s.ID] && s.Skip == ""
		if undone {
			pending++
		}
		if undone && s.ID.Kind != Contract {
			gap = true
		}
		if !gap && lastOf(cat, i) {
			migration = s.ID.Migration
		}
	}
	return migration, pending
}

// lastOf tells whether a step is the last one of its migration.
func lastOf(cat Catalogue, i int) bool {
	id := cat.Steps[i].ID
	for _, s := range cat.Steps[i+1:] {
		if s.ID.Store == id.Store {
			return s.ID.Migration != id.Migration
		}
	}
	return true
}
