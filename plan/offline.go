package plan

// offline finds the fewest components to halt so that a step can run.
func (w *walker) offline(p *progress, l leg) (leg, bool) {
	return l, false
}
