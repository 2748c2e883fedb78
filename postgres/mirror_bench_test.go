package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// BenchmarkMirror measures what a mirror costs those who write: one row by its
// key, and 20,000 rows in one statement, of 100,000 rows of about 230 bytes.
// "other" writes a column that is in no mirror.
func BenchmarkMirror(b *testing.B) {
	for _, c := range []struct{ name, set string }{
		{"none", ""}, {"equal", "equal"}, {"expression", "up"},
	} {
		url := testserver.Postgres(b).NewURL(b)
		mirroredTable(b, url, c.set)
		conn, err := pgx.Connect(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close(context.Background()) })
		for _, w := range []struct{ name, set string }{{"old", "cur_code = $1"}, {"other", "memo = $1"}} {
			b.Run(fmt.Sprintf("%s/1-row/%s", c.name, w.name), func(b *testing.B) {
				for i := range b.N {
					if _, err := conn.Exec(b.Context(), "UPDATE orders SET "+w.set+" WHERE id = $2", fmt.Sprintf("V%05d", i%90000), i%100_000+1); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/20000-rows/%s", c.name, w.name), func(b *testing.B) {
				for i := range b.N {
					first := i % 5 * 20_000
					if _, err := conn.Exec(b.Context(), "UPDATE orders SET "+w.set+" WHERE id > $2 AND id <= $3", fmt.Sprintf("W%05d", i%90000), first, first+20_000); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// mirroredTable makes the table, and a mirror on it: "" none, "up" one with
// expressions, else one of equal values.
func mirroredTable(b *testing.B, url, mirror string) {
	b.Helper()
	st, err := postgres.Open(b.Context(), store.Settings{Name: "main", URL: url})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	if err := st.Prepare(b.Context()); err != nil {
		b.Fatal(err)
	}
	section := store.Section{Line: 1, Shape: store.Whole, Text: `CREATE TABLE orders (id int PRIMARY KEY, cur_code text, currency text, memo text, rest text);
		INSERT INTO orders SELECT i, 'EUR', NULL, 'x', repeat('x', 170) FROM generate_series(1, 100000) i`}
	switch mirror {
	case "":
	case "up":
		section.Begins = []store.Mirror{{Name: "m", Table: "orders", Old: "cur_code", New: "currency", Up: "'c:' || lower(cur_code)", Down: "upper(substr(currency, 3))"}}
	default:
		section.Begins = []store.Mirror{{Name: "m", Table: "orders", Old: "cur_code", New: "currency"}}
	}
	parsed, err := postgres.Kind().Parse(section)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := st.Do(b.Context(), store.Task{Action: parsed.Action}); err != nil {
		b.Fatal(err)
	}
}
