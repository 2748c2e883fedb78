package postgres_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// opened opens a store.
func opened(t *testing.T, settings store.Settings) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*postgres.Store)
}

// prepared opens a store with books, in a new database.
func prepared(t *testing.T) (*postgres.Store, string) {
	t.Helper()
	url := testserver.Postgres(t).NewURL(t)
	s := opened(t, store.Settings{Name: "main", URL: url})
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, url
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func run(t *testing.T, url, sql string) {
	t.Helper()
	conn := connect(t, url)
	defer conn.Close(context.Background())
	if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// ask gives the first column of a query as text.
func ask(t *testing.T, url, query string) []string {
	t.Helper()
	rows, err := column[string](t.Context(), url, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return rows
}

func wantRows(t *testing.T, url, query string, want ...string) {
	t.Helper()
	if got := ask(t, url, query); !slices.Equal(got, want) {
		t.Errorf("%s gives %q, want %q", query, got, want)
	}
}

func swap(t *testing.T, s store.Store, set ...store.Note) []store.Note {
	t.Helper()
	notes, err := s.Swap(t.Context(), nil, set...)
	if err != nil {
		t.Fatal(err)
	}
	return notes
}

// do performs a whole action.
func do(t *testing.T, s store.Store, sql string) error {
	t.Helper()
	_, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, sql), Record: noted})
	return err
}

// noted records that something was done.
func noted(store.Progress) []store.Note {
	return []store.Note{{Key: "done", Rev: store.Any, Value: []byte("true")}}
}

// isNoted says whether noted was recorded.
func isNoted(t *testing.T, s store.Store) bool {
	t.Helper()
	view, err := s.Look(t.Context(), "done")
	if err != nil {
		t.Fatal(err)
	}
	return len(view.Notes) > 0
}

func wantError[E error](t *testing.T, err error) E {
	t.Helper()
	found, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("error is %T %v, want a %T", err, err, found)
	}
	return found
}

// await waits until a session of this name is at work, and gives it.
func await(t *testing.T, s *postgres.Store, name string) store.Session {
	t.Helper()
	limit := time.Now().Add(20 * time.Second)
	for time.Now().Before(limit) {
		all, err := s.Sessions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(all, func(s store.Session) bool { return s.Name == name }); i >= 0 {
			return all[i]
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("no session is called %q", name)
	return store.Session{}
}

// gone waits until no session has this name.
func gone(t *testing.T, s *postgres.Store, name string) {
	t.Helper()
	limit := time.Now().Add(20 * time.Second)
	for time.Now().Before(limit) {
		all, err := s.Sessions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(all, func(s store.Session) bool { return s.Name == name }) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("the session %q is still there", name)
}
