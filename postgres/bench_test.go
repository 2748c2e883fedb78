package postgres_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// BenchmarkMigrations compares small migrations with the floor: the same
// statement alone, committed by itself, one a round trip. The aim is at most
// 1.4 times the floor one by one, and no more than the floor in batches.
func BenchmarkMigrations(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		conn, err := pgx.Connect(b.Context(), testserver.Postgres(b).NewURL(b))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close(b.Context())
		for i := 0; b.Loop(); i++ {
			if _, err := conn.PgConn().Exec(b.Context(), tableSQL(i)).ReadAll(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("do", func(b *testing.B) {
		s, guard := benchStore(b)
		for i := 0; b.Loop(); i++ {
			if _, err := s.Do(b.Context(), tableTask(i, guard)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("doall", func(b *testing.B) {
		s, guard := benchStore(b)
		var tasks []store.Task
		flush := func() {
			if _, err := s.DoAll(b.Context(), tasks); err != nil {
				b.Fatal(err)
			}
			tasks = tasks[:0]
		}
		for i := 0; b.Loop(); i++ {
			tasks = append(tasks, tableTask(i, guard))
			if len(tasks) == 50 {
				flush()
			}
		}
		flush()
	})
}

func benchStore(b *testing.B) (*postgres.Store, store.Note) {
	opened, err := postgres.Open(b.Context(), store.Settings{URL: testserver.Postgres(b).NewURL(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { opened.Close() })
	if err := opened.Prepare(b.Context()); err != nil {
		b.Fatal(err)
	}
	notes, err := opened.Swap(b.Context(), nil, store.Note{Key: "epoch", Value: []byte("1")})
	if err != nil {
		b.Fatal(err)
	}
	return opened.(*postgres.Store), notes[0]
}

func tableSQL(i int) string { return fmt.Sprintf("CREATE TABLE t%d (a int)", i) }

func tableTask(i int, guard store.Note) store.Task {
	return store.Task{
		Action: action(store.Whole, tableSQL(i)), Guard: []store.Note{guard}, Session: "stopover/bench/1",
		Record: func(store.Progress) []store.Note {
			return []store.Note{{Key: fmt.Sprintf("ledger/%d/expand", i), Value: []byte(`{"sum":"0123456789abcdef","host":"bench"}`)}}
		},
	}
}
