package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

const benchTables = 1000

// BenchmarkCreateTables makes 1,000 tables as 1,000 tasks, each with a guard and
// a note. "floor" is the same with nothing around the statements: what goose or
// a shell would need at the least.
//
//	go test -run xxx -bench CreateTables -benchtime 1x -count 3 ./sqlite
func BenchmarkCreateTables(b *testing.B) {
	for _, journal := range []string{"DELETE", "WAL"} {
		query := "?_pragma=journal_mode(" + journal + ")"
		b.Run(journal+"/floor", func(b *testing.B) { benchFloor(b, query) })
		b.Run(journal+"/Do", func(b *testing.B) {
			benchTasks(b, query, func(s store.Store, tasks []store.Task) error {
				for _, task := range tasks {
					if _, err := s.Do(context.Background(), task); err != nil {
						return err
					}
				}
				return nil
			})
		})
		b.Run(journal+"/DoAll", func(b *testing.B) {
			benchTasks(b, query, func(s store.Store, tasks []store.Task) error {
				done, err := s.(store.Batcher).DoAll(context.Background(), tasks)
				if err == nil && len(done) != len(tasks) {
					err = fmt.Errorf("%d of %d tasks", len(done), len(tasks))
				}
				return err
			})
		})
	}
}

func createTable(i int) string { return fmt.Sprintf("CREATE TABLE t%d (a INTEGER)", i) }

func benchFloor(b *testing.B, query string) {
	for b.Loop() {
		b.StopTimer()
		db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "floor.db")+query)
		if err != nil {
			b.Fatal(err)
		}
		conn, err := db.Conn(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for i := range benchTables {
			if _, err := conn.ExecContext(context.Background(), createTable(i)); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		_ = conn.Close()
		_ = db.Close()
		b.StartTimer()
	}
}

func benchTasks(b *testing.B, query string, do func(store.Store, []store.Task) error) {
	for b.Loop() {
		b.StopTimer()
		p, err := parsePlace("sqlite:"+filepath.Join(b.TempDir(), "bench.db")+query, "")
		if err != nil {
			b.Fatal(err)
		}
		s, err := open(p)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Prepare(b.Context()); err != nil {
			b.Fatal(err)
		}
		epoch, err := s.Swap(b.Context(), nil, store.Note{Key: "epoch", Value: []byte(`1`)})
		if err != nil {
			b.Fatal(err)
		}
		tasks := make([]store.Task, benchTables)
		for i := range tasks {
			tasks[i] = store.Task{
				Action: act(store.Whole, createTable(i)), Guard: epoch,
				Record: func(store.Progress) []store.Note {
					return []store.Note{{Key: fmt.Sprintf("ledger/%04d/expand", i), Value: []byte(`{"done":true,"by":"bench"}`)}}
				},
			}
		}
		b.StartTimer()
		if err := do(s, tasks); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = s.Close()
		b.StartTimer()
	}
}
