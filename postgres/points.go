package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/sqlaction"
)

// Where keys lie anywhere in the table, as random ones do, the end of a stretch
// is dear to find by counting: each row that is passed by is read for it. There
// the ends come from a sample of the keys, taken once for a span.
const (
	pointShare    = 100  // of the table's pages, the fraction that is looked into
	mostPoints    = 4000 // pages
	inOrder       = 0.9  // correlation from which on counting is cheap
	leastPerPoint = 1.5  // points: fewer rows than that are counted
)

// walk is where a span's stretches may end. It belongs to the worker on the
// span; what is kept for a cursor that is not there any more is taken anew.
type walk struct {
	mutex   sync.Mutex
	at      string     // the cursor for which next holds; the zero walk is for none
	loaded  bool       // the sample was taken
	points  [][]string // keys in order, all above at
	spacing float64    // rows from one point to the next, about
}

// walkOf gives the walk of the task's span.
func (t *transaction) walkOf(cut *sqlaction.Range) *walk {
	kept, _ := t.s.walks.LoadOrStore(cut.Table+"\x00"+string(t.task.Part.Upto), &walk{})
	return kept.(*walk)
}

// upper finds the key of the last row of this stretch; nil if it is the last
// stretch of its span. keep is called when the stretch is committed, with its
// cursor: until then the walk stays where it is.
func (t *transaction) upper(ctx context.Context, cut *sqlaction.Range, key *rangeKey, lower, last []string) (upper []string, keep func(cursor []byte), err error) {
	w := t.walkOf(cut)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if !w.loaded || w.at != string(t.task.Cursor) {
		if err := t.sample(ctx, w, cut, key, lower, last); err != nil {
			return nil, nil, err
		}
	}
	points := w.points
	steps := float64(max(t.task.Size, 1)) / max(w.spacing, 1)
	if n := int(math.Round(steps)); steps >= leastPerPoint && n <= len(points) {
		upper, points = points[n-1], points[n:]
	} else {
		upper, points, err = t.count(ctx, cut, key, lower, last, points, n)
	}
	return upper, func(cursor []byte) {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		w.at, w.points = string(cursor), points
	}, err
}

// count finds the end of a stretch by counting rows: before the next point, where
// that is further than the stretch, or behind the last.
func (t *transaction) count(ctx context.Context, cut *sqlaction.Range, key *rangeKey, lower, last []string, points [][]string, wanted int) ([]string, [][]string, error) {
	if len(points) == 0 || wanted > len(points) {
		upper, err := t.probe(ctx, cut, key, lower, last)
		return upper, nil, err
	}
	upper, err := t.probe(ctx, cut, key, lower, points[0])
	if upper == nil && err == nil {
		return points[0], points[1:], nil
	}
	return upper, points, err
}

// sample takes the points of the rest of a span. A table whose rows lie about in
// the order of the key has none: there counting is cheap, and what is on a page
// is next to each other.
func (t *transaction) sample(ctx context.Context, w *walk, cut *sqlaction.Range, key *rangeKey, lower, last []string) error {
	w.at, w.points, w.spacing, w.loaded = string(t.task.Cursor), nil, 0, true
	pages, scattered := int64(0), false
	t.next.ask(pagesSQL(cut.Table), readNumber(&pages))
	t.next.ask(scatteredSQL(cut.Table, key), func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			scattered = isTrue(r.Values()[0])
		}
		return nil
	})
	if err := t.send(ctx); err != nil || !scattered || pages < samplePages {
		return err
	}
	looked := min(max(pages/pointShare, samplePages), mostPoints)
	percent := 100 * float64(looked) / float64(pages)
	sql := fmt.Sprintf("SELECT %s FROM %s AS walked TABLESAMPLE SYSTEM (%g)", key.list("walked", "::text"), cut.Table, percent)
	if within := key.within("walked", lower, last); within != "" {
		sql += " WHERE " + within
	}
	t.next.ask(sql+" ORDER BY "+key.list("walked", ""), readRows(&w.points))
	w.spacing = 100 / percent
	return t.send(ctx)
}

// scatteredSQL tells whether rows lie anywhere, whatever their key. Where there
// are no statistics its type has to tell: numbers and times mostly grow.
func scatteredSQL(table string, key *rangeKey) string {
	first := key.columns[0]
	grows := slices.Contains([]string{"smallint", "integer", "bigint", "numeric", "date", "timestamp with time zone", "timestamp without time zone"}, first.kind)
	return `SELECT coalesce((SELECT max(abs(s.correlation)) FROM pg_stats s
			JOIN pg_class c ON c.relname = s.tablename JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = s.schemaname
			WHERE c.oid = to_regclass(` + quote(table) + `) AND quote_ident(s.attname) = ` + quote(first.name) + `) < ` + fmt.Sprint(inOrder) + `, ` + strconv.FormatBool(!grows) + `)`
}
