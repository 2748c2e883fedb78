package run

import (
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/store"
)

func TestNextSize(t *testing.T) {
	cases := []struct {
		name string
		size int
		took time.Duration
		want int
	}{
		{"leaps while nothing can be told", 500, time.Millisecond, 1000},
		{"grows slowly", 1000, 30 * time.Millisecond, 1200},
		{"stays when it fits", 1000, 60 * time.Millisecond, 1000},
		{"halves at once", 1000, 80 * time.Millisecond, 500},
		{"never stops", 1, 10 * time.Second, 1},
		{"has an end", longStretch, time.Microsecond, longStretch},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := nextSize(c.size, c.took); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// TestSizeSettles runs the choice against a store that takes 20 us a row, and
// then 200 us: each stretch must come near its time and stay there.
func TestSizeSettles(t *testing.T) {
	size := firstStretch
	for _, row := range []time.Duration{20 * time.Microsecond, 200 * time.Microsecond} {
		for range 60 {
			size = nextSize(size, time.Duration(size)*row)
		}
		if took := time.Duration(size) * row; took < stretchTime*6/10 || took > stretchTime*3/2 {
			t.Errorf("at %s a row a stretch settles at %s", row, took)
		}
	}
}

func TestPaceReckons(t *testing.T) {
	begun := time.Now()
	p := newPace(book.Cursor{Rows: 400, Total: 1000, Size: 50}, begun)
	if p.size != 50 {
		t.Errorf("it begins with %d rows and not with what was learnt before", p.size)
	}
	p.took(store.Progress{Took: stretchTime}, book.Cursor{Rows: 600})
	if _, due := p.due(begun.Add(tellEvery / 2)); due {
		t.Error("it talks too much")
	}
	e, due := p.due(begun.Add(2 * time.Second))
	if !due || e.Percent != 60 || e.Rate != 100 || e.Left != 4 {
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
