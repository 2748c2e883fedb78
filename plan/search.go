package plan

// shortest gives a way with the fewest stops.
func shortest(ix *index, start *progress, a aim) route {
	w := walker{ix: ix, aim: a}
	return w.walk(start.copy())
}
