package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

// Where keys lie anywhere in the table, the ends of stretches come from a sample:
// each row is changed once all the same, stretches have about the size that was
// asked for, and another process goes on in the middle.
func TestStretchesByRandomKeys(t *testing.T) {
	for _, c := range []struct{ name, columns, values string }{
		{"uuid", "id uuid PRIMARY KEY", "md5(g::text)::uuid"},
		{"two columns", "a int NOT NULL, id text NOT NULL, PRIMARY KEY (a, id)", "hashint4(g) % 50, md5(g::text)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := prepared(t)
			run(t, url, fmt.Sprintf("CREATE TABLE t (%s, n int NOT NULL DEFAULT 0, filler text DEFAULT repeat('x', 150)); INSERT INTO t SELECT %s FROM generate_series(1, 60000) g; ANALYZE t", c.columns, c.values))
			a := action(store.Stretched, "UPDATE t SET n = n + 1")
			var cursor []byte
			var sum int64
			for n := 0; ; n++ {
				size := []int{3000, 3000, 200, 20}[n%4] // the tuner changes its mind
				if n == 9 {
					s = opened(t, store.Settings{URL: url})
				}
				p, err := s.Do(t.Context(), store.Task{Action: a, Size: size, Cursor: cursor})
				if err != nil {
					t.Fatal(err)
				}
				if sum += p.Rows; size >= 200 && (p.Rows > int64(2*size) || p.Rows < int64(size)/2 && !p.Done) {
					t.Errorf("a stretch of %d rows has %d", size, p.Rows)
				}
				if cursor = p.Cursor; p.Done {
					break
				}
			}
			wantRows(t, url, "SELECT count(*)::text FROM t WHERE n = 1", "60000")
			if sum != 60000 {
				t.Errorf("%d rows are counted", sum)
			}
		})
	}
}

// A stretch that was taken back must not move on what it began from.
func TestStretchThatFailedIsDoneAgain(t *testing.T) {
	s, url := prepared(t)
	run(t, url, `CREATE TABLE t (id uuid PRIMARY KEY, n int NOT NULL DEFAULT 0, filler text DEFAULT repeat('x', 150));
		INSERT INTO t SELECT md5(g::text)::uuid FROM generate_series(1, 30000) g; ANALYZE t`)
	guard := swap(t, s, store.Note{Key: "epoch", Value: []byte("1")})
	var cursor []byte
	a := action(store.Stretched, "UPDATE t SET n = n + 1")
	for n := 0; ; n++ {
		task := store.Task{Action: a, Size: 1000, Cursor: cursor}
		if n%3 == 1 {
			task.Guard = []store.Note{{Key: "epoch", Rev: guard[0].Rev + 1000}}
		}
		p, err := s.Do(t.Context(), task)
		if n%3 == 1 {
			wantError[*store.ConflictError](t, err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if cursor = p.Cursor; p.Done {
			break
		}
	}
	wantRows(t, url, "SELECT count(*)::text FROM t WHERE n = 1", "30000")
}
