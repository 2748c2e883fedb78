package plan

// closure gives the steps that must be done for the first need[s] steps of each
// store's line, and for the given contracts. What is settled asks for nothing
// more.
func (ix *index) closure(settled []bool, need []int, contracts []int) []bool {
	in := make([]bool, len(ix.cat.Steps))
	taken := make([]int, len(ix.stores))
	todo := append([]int(nil), contracts...)
	reach := func(s, n int) {
		for ; taken[s] < n; taken[s]++ {
			todo = append(todo, ix.line[s][taken[s]])
		}
	}
	for s, n := range need {
		reach(s, n)
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if in[i] {
			continue
		}
		in[i] = true
		if settled != nil && settled[i] {
			continue
		}
		reach(ix.store[i], ix.at[i])
		for _, r := range ix.requires[i] {
			if settled != nil && settled[r] {
				continue
			}
			if ix.cat.Steps[r].ID.Kind != Contract {
				reach(ix.store[r], ix.at[r]+1)
			} else if !in[r] {
				todo = append(todo, r)
			}
		}
	}
	return in
}
