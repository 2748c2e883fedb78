package postgres_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

// TestGroupFallsApart has a failing one among tasks that only make tables: those
// before it stay with their notes, it is blamed, and none behind it is begun.
func TestGroupFallsApart(t *testing.T) {
	s, url := prepared(t)
	epoch := swap(t, s, store.Note{Key: "epoch", Value: []byte("1")})[0]
	tasks := make([]store.Task, 6)
	for i := range tasks {
		text := fmt.Sprintf("CREATE TABLE g%d (a int)", i)
		if i == 3 {
			text = "CREATE TABLE g1 (a int)"
		}
		tasks[i] = store.Task{Action: action(store.Whole, text), Guard: []store.Note{epoch}, Session: "stopover/x/1",
			Record: func(store.Progress) []store.Note {
				return []store.Note{{Key: fmt.Sprintf("ledger/%d/expand", i), Value: []byte(`{}`)}}
			}}
	}
	batcher, _ := store.As[store.Batcher](s)
	done, err := batcher.DoAll(t.Context(), tasks)
	var failed *store.StatementError
	if len(done) != 3 || !errors.As(err, &failed) || failed.Code != "42P07" {
		t.Fatalf("%d done, then %v", len(done), err)
	}
	wantRows(t, url, "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'g_' ORDER BY 1", "g0", "g1", "g2")
	wantRows(t, url, "SELECT migration FROM stopover_ledger ORDER BY 1", "0", "1", "2")
}

// TestGroupUnderALostGuard leaves nothing.
func TestGroupUnderALostGuard(t *testing.T) {
	s, url := prepared(t)
	epoch := swap(t, s, store.Note{Key: "epoch", Value: []byte("1")})[0]
	swap(t, s, store.Note{Key: "epoch", Value: []byte("2"), Rev: epoch.Rev})
	var tasks []store.Task
	for i := range 3 {
		tasks = append(tasks, store.Task{Action: action(store.Whole, fmt.Sprintf("CREATE TABLE g%d (a int)", i)), Guard: []store.Note{epoch}})
	}
	batcher, _ := store.As[store.Batcher](s)
	done, err := batcher.DoAll(t.Context(), tasks)
	var lost *store.ConflictError
	if len(done) != 0 || !errors.As(err, &lost) || !lost.Guard {
		t.Fatalf("%d done, then %v", len(done), err)
	}
	wantRows(t, url, "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'g_'")
}
