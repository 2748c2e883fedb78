package postgres_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

const indexSQL = "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id)"

// indexed makes a table, and a transaction that every CREATE INDEX CONCURRENTLY
// has to wait for.
func indexed(t *testing.T) (*postgres.Store, string, *pgx.Conn) {
	t.Helper()
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 100)")
	reader := connect(t, url)
	if _, err := reader.PgConn().Exec(t.Context(), "BEGIN; INSERT INTO a VALUES (1000)").ReadAll(); err != nil {
		t.Fatal(err)
	}
	return s, url, reader
}

func inspect(t *testing.T, s *postgres.Store, sql string, want store.EffectState) store.Effect {
	t.Helper()
	effect, err := s.Inspect(t.Context(), action(store.Whole, sql), 1)
	if err != nil {
		t.Fatal(err)
	}
	if effect.State != want || effect.Because == "" {
		t.Fatalf("state %d because %q, want %d", effect.State, effect.Because, want)
	}
	return effect
}

// mend performs a repair and the statement after it.
func mend(t *testing.T, s *postgres.Store, repair store.Action, sql string) {
	t.Helper()
	for _, a := range []store.Action{repair, action(store.Whole, sql)} {
		if _, err := s.Do(t.Context(), store.Task{Action: a, Only: 1}); err != nil {
			t.Fatal(err)
		}
	}
	inspect(t, s, sql, store.Complete)
}

func TestIndexOfAClientThatWasKilled(t *testing.T) {
	s, _, reader := indexed(t)
	inspect(t, s, indexSQL, store.Missing)
	client := start(t, "alone", reader.Config().ConnString(), indexSQL)
	session := await(t, s, "other/1")
	awaitInvalid(t, reader.Config().ConnString())
	if running := inspect(t, s, indexSQL, store.Running); running.Session.ID != session.ID {
		t.Errorf("session %s works on it, want %s", running.Session.ID, session.ID)
	}
	client.signal(t, syscall.SIGKILL)
	gone(t, s, "other/1") // the server notices by itself
	reader.Close(t.Context())
	effect := inspect(t, s, indexSQL, store.Broken)
	mend(t, s, effect.Repair, indexSQL)
}

// awaitInvalid waits until the index is in the catalogue.
func awaitInvalid(t *testing.T, url string) {
	t.Helper()
	for range 2000 {
		if len(ask(t, url, "SELECT 'x' FROM pg_index WHERE NOT indisvalid")) > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the index does not appear")
}

func TestIndexOfABackendThatWasEnded(t *testing.T) {
	s, url, reader := indexed(t)
	ended := make(chan error, 1)
	go func() {
		_, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, indexSQL), Session: "builder"})
		ended <- err
	}()
	session := await(t, s, "builder")
	awaitInvalid(t, url)
	if err := s.End(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	wantError[*store.UnreachableError](t, <-ended)
	reader.Close(t.Context())
	mend(t, s, inspect(t, s, indexSQL, store.Broken).Repair, indexSQL)
}

func TestIndexThatFindsDuplicates(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1)")
	_, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, indexSQL)})
	if failed := wantError[*store.StatementError](t, err); failed.Code != "23505" || failed.Line != 1 {
		t.Errorf("code %s, line %d", failed.Code, failed.Line)
	}
	run(t, url, "TRUNCATE a")
	mend(t, s, inspect(t, s, indexSQL, store.Broken).Repair, indexSQL)
	run(t, url, "DROP TABLE a; CREATE TABLE b (id int); CREATE INDEX a_id ON b (id); CREATE TABLE a (id int)")
	inspect(t, s, indexSQL, store.Unknown)
}

func TestInspectOtherStatements(t *testing.T) {
	s, url := prepared(t)
	run(t, url, `CREATE TABLE a (id int PRIMARY KEY); CREATE INDEX gone ON a (id); CREATE TABLE p (id int) PARTITION BY RANGE (id);
		CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (5)`)
	for _, sql := range []string{"DROP INDEX CONCURRENTLY gone", "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY"} {
		inspect(t, s, sql, store.Missing)
		if _, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, sql), Record: noted}); err != nil {
			t.Fatal(err)
		}
		inspect(t, s, sql, store.Complete)
	}
	for _, sql := range []string{"VACUUM a", "REINDEX TABLE CONCURRENTLY a"} {
		if _, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, sql)}); err != nil {
			t.Fatal(err)
		}
		inspect(t, s, sql, store.Missing)
	}
	run(t, url, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = (SELECT oid FROM pg_class WHERE relname = 'a_pkey'); ALTER INDEX a_pkey RENAME TO a_pkey_ccnew")
	if repair := inspect(t, s, "REINDEX TABLE CONCURRENTLY a", store.Broken).Repair; !strings.Contains(repair.Statements()[0].Text, "DROP INDEX CONCURRENTLY IF EXISTS public.a_pkey_ccnew") {
		t.Errorf("repair %+v", repair.Statements())
	}
	if isNoted(t, s) {
		t.Error("a statement alone was noted by the store")
	}
}

func TestAloneAfterProofAndUnderItsSettings(t *testing.T) {
	s, url := prepared(t)
	s = opened(t, store.Settings{URL: url, Options: map[string]string{"schema": "shop"}})
	run(t, url, "CREATE SCHEMA shop; CREATE TABLE shop.a (id int); INSERT INTO shop.a VALUES (1)")
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	task := store.Task{Action: action(store.Whole, indexSQL), Proof: action(store.Query, "SELECT id FROM a")}
	_, err := s.Do(t.Context(), task)
	wantError[*store.ViolationError](t, err)
	run(t, url, "TRUNCATE shop.a")
	if _, err := s.Do(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	wantRows(t, url, "SELECT indexrelid::regclass::text FROM pg_index WHERE indexrelid = 'shop.a_id'::regclass", "shop.a_id")
}

func TestStatementsAloneGoOneByOne(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int)")
	a := action(store.Whole, indexSQL+"; SELECT 1")
	if _, err := s.Do(t.Context(), store.Task{Action: a}); err == nil || !strings.Contains(err.Error(), "one statement at a time") {
		t.Errorf("error %v", err)
	}
	if p, err := s.Do(t.Context(), store.Task{Action: a, Only: 2, Record: noted}); err != nil || !p.Done || !isNoted(t, s) {
		t.Errorf("the second statement: %+v, %v", p, err)
	}
}
