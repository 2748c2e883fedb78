package run

import (
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/store"
)

func TestSizeFitsTime(t *testing.T) {
	cases := []struct {
		name    string
		size    int
		settled bool
		took    time.Duration
		want    int
	}{
		{"leaps while nothing can be told", 500, false, time.Millisecond, 1000},
		{"leaps no more once it has settled", 1000, true, time.Millisecond, 1200},
		{"grows slowly", 1000, false, 30 * time.Millisecond, 1200},
		{"grows from one row", 1, true, 30 * time.Millisecond, 2},
		{"stays when it fits", 1000, true, 60 * time.Millisecond, 1000},
		{"halves at once", 1000, true, 80 * time.Millisecond, 500},
		{"never stops", 1, true, 10 * time.Second, 1},
		{"has an end", longStretch, true, time.Microsecond, longStretch},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := sizer{size: c.size, most: longStretch, settled: c.settled}
			if s.fit(c.took); s.size != c.want {
				t.Errorf("got %d, want %d", s.size, c.want)
			}
		})
	}
}

// TestSizeSettles runs the choice against a store that takes 20 us a row, and
// then 200 us: each stretch must come near its time and stay there.
func TestSizeSettles(t *testing.T) {
	s := newSizer(0, longStretch)
	for _, row := range []time.Duration{20 * time.Microsecond, 200 * time.Microsecond} {
		for range 60 {
			s.fit(time.Duration(s.size) * row)
		}
		if took := time.Duration(s.size) * row; took < stretchTime*6/10 || took > stretchTime*3/2 {
			t.Errorf("at %s a row a stretch settles at %s", row, took)
		}
	}
}

func TestShareOfATable(t *testing.T) {
	for total, want := range map[int64]int{0: longStretch, 1000: 200, 79_999: 200, 1_000_000: 2500, 1 << 40: longStretch} {
		if got := shareOf(total, 2); got != want {
			t.Errorf("of %d rows: %d, want %d", total, got, want)
		}
	}
	if s := newSizer(0, 200); s.size != 200 {
		t.Errorf("the first stretch has %d rows, more than its share", s.size)
	}
}

func TestPaceReckons(t *testing.T) {
	begun := time.Now()
	p := newPace(book.Cursor{Rows: 400, Total: 1000, Size: 50}, begun)
	if p.size != 50 {
		t.Errorf("it begins with %d rows and not with what was learnt before", p.size)
	}
	p.reached(500, 600) // some rows needed no change
	if _, due := p.due(begun.Add(tellEvery / 2)); due {
		t.Error("it talks too much")
	}
	e, due := p.due(begun.Add(2 * time.Second))
	if !due || e.Rows != 500 || e.Percent != 60 || e.Rate != 100 || e.Left != 4 {
		t.Errorf("due %v: %+v", due, e)
	}
}

func TestStatementSum(t *testing.T) {
	base := StatementSum(store.Statement{Text: "CREATE TABLE t (\n a int\n)"})
	same := []string{"CREATE TABLE t (\r\n a int  \r\n)", "\nCREATE TABLE t (\n a int\n)\n"}
	for _, text := range same {
		if StatementSum(store.Statement{Text: text}) != base {
			t.Errorf("%q has another sum", text)
		}
	}
	if StatementSum(store.Statement{Text: "CREATE TABLE t (\n  a int\n)"}) == base {
		t.Error("an edit was not noticed")
	}
}
