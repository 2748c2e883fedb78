package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// raw makes an action of statements that Parse would refuse.
func raw(statements ...string) store.Action {
	a := &sqlaction.Action{Form: store.Whole}
	for i, text := range statements {
		a.Parts = append(a.Parts, store.Statement{Text: text, Line: i + 1})
		a.Kinds = append(a.Kinds, sqltext.Statement{Text: text})
	}
	return a
}

func TestFaultsAreNamedByStatementAndLine(t *testing.T) {
	for _, c := range []struct {
		name, sql       string
		statement, line int
		code            string
	}{
		{"syntax", "SELECT 1;\n\nSELEC 2;", 2, 3, "42601"},
		{"position in the second line", "SELECT 1,\n  wrong_column;", 1, 2, "42703"},
		{"position behind many-byte text", "SELECT 'äöü€😀\n😀', 'ß',\n nothing\n , 2;", 1, 3, "42703"},
		{"many-byte text in the statement before", "SELECT 'äöü😀😀😀😀😀😀😀';\nSELECT\nnothing;", 2, 3, "42703"},
		{"runtime, no position", "CREATE TABLE a (b int PRIMARY KEY);\nINSERT INTO a VALUES (1);\n\n-- again\nINSERT INTO a VALUES (1);", 3, 4, "23505"},
		{"in a DO block", "SELECT 1;\nDO $$\nBEGIN\n  PERFORM 1;\n  PERFORM 1/0;\nEND $$;", 2, 5, "22012"},
		{"statement that ends in a comment", "SELECT 1 -- one\n;\nSELECT nothing -- two", 2, 3, "42703"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := prepared(t)
			failed := wantError[*store.StatementError](t, do(t, s, c.sql))
			if failed.Statement != c.statement || failed.Line != c.line || failed.Code != c.code {
				t.Errorf("statement %d, line %d, code %s; want %d, %d, %s", failed.Statement, failed.Line, failed.Code, c.statement, c.line, c.code)
			}
			if isNoted(t, s) {
				t.Error("a failed task was noted")
			}
		})
	}
}

func TestDeferredConstraintFailsWithItsNote(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
	failed := wantError[*store.StatementError](t, do(t, s, "INSERT INTO b VALUES (7)"))
	if failed.Code != "23503" {
		t.Errorf("code %s, want 23503", failed.Code)
	}
	wantRows(t, url, "SELECT a::text FROM b")
	if isNoted(t, s) {
		t.Error("noted, although the commit failed")
	}
}

func TestStatementsThatEndTheTransactionAreFound(t *testing.T) {
	for _, c := range []struct {
		name       string
		statements []string
		line       int
	}{
		{"commit", []string{"CREATE TABLE a ()", "COMMIT", "CREATE TABLE b ()"}, 2},
		{"commit and a new transaction", []string{"CREATE TABLE a ()", "COMMIT", "BEGIN"}, 2},
		{"rollback", []string{"CREATE TABLE a ()", "ROLLBACK", "BEGIN"}, 2},
		{"commit, then a failure", []string{"COMMIT", "SELECT 1/0"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := prepared(t)
			_, err := s.Do(t.Context(), store.Task{Action: raw(c.statements...), Record: noted})
			if escaped := wantError[*store.EscapedError](t, err); escaped.Line != c.line {
				t.Errorf("line %d, want %d", escaped.Line, c.line)
			}
			if isNoted(t, s) {
				t.Error("noted")
			}
		})
	}
}

// What is called by a statement cannot end the transaction: the server refuses.
func TestRoutinesCannotCommit(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int); CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO a VALUES (1); COMMIT; END $$")
	for _, sql := range []string{"CALL p()", "DO $$ BEGIN INSERT INTO a VALUES (1); COMMIT; END $$"} {
		if failed := wantError[*store.StatementError](t, do(t, s, sql)); failed.Code != "2D000" {
			t.Errorf("%s: code %s, want 2D000", sql, failed.Code)
		}
	}
	wantRows(t, url, "SELECT id::text FROM a")
}

func TestCopyFromClientIsRefusedBeforeItHangs(t *testing.T) {
	_, err := postgres.Kind().Parse(store.Section{File: "f.sql", Line: 1, Shape: store.Whole, Text: "SELECT 1;\nCOPY a FROM STDIN;\n1\n\\.\n"})
	if refused := wantError[*store.SyntaxError](t, err); refused.Line != 2 {
		t.Errorf("line %d, want 2", refused.Line)
	}
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int)")
	_, err = s.Do(t.Context(), store.Task{Action: raw("/* in\nfrom */ copy a from STDIN"), Record: noted})
	wantError[*store.StatementError](t, err)
	if isNoted(t, s) {
		t.Error("noted")
	}
}

func TestSettingsDoNotLeak(t *testing.T) {
	server := testserver.Postgres(t)
	database := server.Database(t)
	server.Exec(t, database, "CREATE ROLE leaky_"+database)
	s := opened(t, store.Settings{URL: server.URL(database) + "&pool_max_conns=1"})
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, server.URL(database), "CREATE TABLE seen (what text)")
	leak := fmt.Sprintf("SET work_mem = '77MB'; SELECT set_config('search_path', '', false); SET ROLE leaky_%s", database)
	look := `INSERT INTO seen SELECT current_setting('work_mem') || current_user || current_setting('application_name');`
	clean := func(when string) {
		t.Helper()
		run(t, server.URL(database), "TRUNCATE seen")
		if _, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, look), Session: "me"}); err != nil {
			t.Fatal(when, err)
		}
		wantRows(t, server.URL(database), "SELECT what FROM seen", "4MBpostgresme")
	}
	clean("before")
	// The role has no right to write the note: the whole task is refused.
	wantError[*store.RightsError](t, do(t, s, leak))
	clean("after a failure")
	leak = strings.Split(leak, "; SET ROLE")[0]
	if err := do(t, s, leak); err != nil {
		t.Fatal(err)
	}
	clean("after success")
	if !isNoted(t, s) {
		t.Error("with an empty search_path nothing was noted")
	}
	tasks := []store.Task{{Action: action(store.Whole, leak)}, {Action: action(store.Whole, look), Session: "me"}}
	run(t, server.URL(database), "TRUNCATE seen")
	if _, err := s.DoAll(t.Context(), tasks); err != nil {
		t.Fatal(err)
	}
	wantRows(t, server.URL(database), "SELECT what FROM seen", "4MBpostgresme")
}

// A migration's own stopover_note, first in its path, is not taken for ours.
func TestBooksAreNotMistaken(t *testing.T) {
	s, url := prepared(t)
	if err := do(t, s, `CREATE SCHEMA evil; CREATE TABLE evil.stopover_note (LIKE public.stopover_note);
		CREATE FUNCTION evil.stopover_done(int, boolean, text, text[], bigint[], text[]) RETURNS void LANGUAGE sql AS 'SELECT';
		SET search_path = evil`); err != nil {
		t.Fatal(err)
	}
	wantRows(t, url, "SELECT key FROM evil.stopover_note")
	if !isNoted(t, s) {
		t.Error("not noted")
	}
}

func TestCancelEndsTheStatementOnTheServer(t *testing.T) {
	s, url := prepared(t)
	for _, sql := range []string{"CREATE TABLE a (); SELECT pg_sleep(60)", "VACUUM"} {
		lock := connect(t, url)
		if sql == "VACUUM" { // waits for the lock for as long as it takes
			run(t, url, "CREATE TABLE v ()")
			if _, err := lock.PgConn().Exec(t.Context(), "BEGIN; LOCK TABLE v").ReadAll(); err != nil {
				t.Fatal(err)
			}
			sql = "VACUUM v"
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := s.Do(ctx, store.Task{Action: action(store.Whole, sql), Session: "cancelled", Wait: time.Minute, Record: noted})
			ended <- err
		}()
		await(t, s, "cancelled")
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want that of the context", sql, err)
		}
		gone(t, s, "cancelled")
		lock.Close(t.Context())
	}
	if isNoted(t, s) {
		t.Error("noted")
	}
}

func TestLockedErrorNamesTheHolder(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a ()")
	holder := connect(t, url)
	if _, err := holder.PgConn().Exec(t.Context(), "SET application_name = 'report'; BEGIN; SELECT * FROM a").ReadAll(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, "ALTER TABLE a ADD b int"), Wait: 300 * time.Millisecond, Session: "stopover/a/1"})
	locked := wantError[*store.LockedError](t, err)
	if len(locked.By) != 1 || locked.By[0].Name != "report" || locked.By[0].Busy.IsZero() {
		t.Errorf("held by %+v, want the session report", locked.By)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("gave up after %s", took)
	}
}

func TestStatementTimeout(t *testing.T) {
	s, _ := prepared(t)
	_, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, "SELECT pg_sleep(60)"), Timeout: 50 * time.Millisecond})
	if failed := wantError[*store.StatementError](t, err); failed.Code != "57014" || failed.Statement != 1 {
		t.Errorf("code %s, statement %d", failed.Code, failed.Statement)
	}
}

func TestBatchWithASyntaxErrorKeepsWhatStandsBefore(t *testing.T) {
	s, url := prepared(t)
	var tasks []store.Task
	for i := range 120 {
		sql := fmt.Sprintf("CREATE TABLE t%03d ()", i)
		if i == 110 {
			sql = "SELECT 1;\nCREATE TABEL wrong ()"
		}
		tasks = append(tasks, store.Task{Action: action(store.Whole, sql)})
	}
	done, err := s.DoAll(t.Context(), tasks)
	if failed := wantError[*store.StatementError](t, err); failed.Statement != 2 || failed.Line != 2 {
		t.Errorf("statement %d, line %d, want 2, 2", failed.Statement, failed.Line)
	}
	if len(done) != 110 {
		t.Errorf("%d answers, want 110", len(done))
	}
	wantRows(t, url, "SELECT count(*)::text FROM pg_class WHERE relname ~ '^t[0-9]{3}$'", "110")
}
