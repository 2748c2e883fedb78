package plan

import "sort"

// order says which releases have what. Only some releases are marks: those
// that a floor, a need or a peer names. What a release has is the set of marks
// in it. It is nearly always all marks up to some point (rank); odd holds what
// a side line picked out of later ones.
//
// A release of the main line has everything at or below it. A release on a side
// line has what its base has, what earlier ones on its line have, itself, and
// exactly what it contains.
type order struct {
	marks []int       // releases, ascending
	mark  map[int]int // release -> index in marks
	rank  []int       // release -> number of leading marks that it has
	odd   [][]int     // release -> further marks that it has, ascending
}

func newOrder(releases []Release, named []int) *order {
	o := &order{mark: map[int]int{}}
	o.marks = ascending(named)
	for i, r := range o.marks {
		o.mark[r] = i
	}
	o.rank = make([]int, len(releases))
	o.odd = make([][]int, len(releases))
	last := map[string]int{}
	for r := range releases {
		prev, found := last[releases[r].Line]
		if !found {
			prev = NoRelease
		}
		o.place(releases, r, prev)
		last[releases[r].Line] = r
	}
	return o
}

// place computes what release r has. prev is the one before it on its line.
func (o *order) place(releases []Release, r, prev int) {
	rel := releases[r]
	rank, odd := 0, []int(nil)
	if rel.Line == "" {
		rank = sort.SearchInts(o.marks, r+1)
	} else if rel.Base >= 0 && rel.Base < r {
		rank, odd = o.rank[rel.Base], append(odd, o.odd[rel.Base]...)
	}
	if prev != NoRelease {
		rank, odd = max(rank, o.rank[prev]), append(odd, o.odd[prev]...)
	}
	if m, named := o.mark[r]; named {
		odd = append(odd, m)
	}
	for _, c := range rel.Contains {
		if m, named := o.mark[c]; named {
			odd = append(odd, m)
		}
	}
	o.rank[r], o.odd[r] = settle(rank, odd)
}

// settle moves marks that follow the leading ones without a gap into the rank.
func settle(rank int, odd []int) (int, []int) {
	if len(odd) == 0 {
		return rank, nil
	}
	var rest []int
	for _, m := range ascending(odd) {
		switch {
		case m < rank:
		case m == rank:
			rank++
		default:
			rest = append(rest, m)
		}
	}
	return rank, rest
}

// has tells whether release r has mark m. NoMark is had by all.
func (o *order) has(r, m int) bool {
	if m < o.rank[r] {
		return true
	}
	for _, x := range o.odd[r] {
		if x == m {
			return true
		}
	}
	return false
}

// holds tells whether release a has every mark that b has.
func (o *order) holds(a, b int) bool {
	if o.rank[a] < o.rank[b] {
		return false
	}
	for _, m := range o.odd[b] {
		if !o.has(a, m) {
			return false
		}
	}
	return true
}

// above tells whether going from release b to a is going forward: a has all
// that b has of what anybody asks for and more of it, or as much and stands
// later in the list. A release is above itself.
func (o *order) above(a, b int) bool {
	if a == b {
		return true
	}
	return o.holds(a, b) && (a > b || !o.holds(b, a))
}

// noMark stands where no floor is declared.
const noMark = -1

// of gives the mark of a release that a declaration names; noMark if none.
func (o *order) of(r int) int {
	if m, named := o.mark[r]; named {
		return m
	}
	return noMark
}

// ascending gives the distinct numbers in order; negative ones are left out.
func ascending(numbers []int) []int {
	sorted := make([]int, 0, len(numbers))
	for _, n := range numbers {
		if n >= 0 {
			sorted = append(sorted, n)
		}
	}
	sort.Ints(sorted)
	out := sorted[:0]
	for i, n := range sorted {
		if i == 0 || n != sorted[i-1] {
			out = append(out, n)
		}
	}
	return out
}
