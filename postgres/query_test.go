package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

func kindParse(section store.Section) (store.Action, error) {
	parsed, err := postgres.Kind().Parse(section)
	return parsed.Action, err
}

func TestQueryCountsAllAndShowsSome(t *testing.T) {
	s, _ := prepared(t)
	a := action(store.Query, "SELECT g AS id, NULL AS cur, repeat('ä', 500) AS long FROM generate_series(1, 300000) g;\nVALUES (1), (2)")
	for _, record := range []func(store.Progress) []store.Note{nil, noted} {
		p, err := s.Do(t.Context(), store.Task{Action: a, Sample: 2, Record: record})
		if err != nil {
			t.Fatal(err)
		}
		if p.Rows != 300002 || len(p.Sample) != 2 || !strings.HasPrefix(p.Sample[1], "id=2 cur=NULL long=ää") || len(p.Sample[1]) > 200 {
			t.Errorf("%d rows, sample %q", p.Rows, p.Sample)
		}
	}
	if !isNoted(t, s) {
		t.Error("not noted")
	}
}

func TestQueryCannotChangeAnything(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int); CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS 'INSERT INTO a VALUES (1) RETURNING 1'")
	a := action(store.Query, "SELECT sly()")
	proof := store.Task{Action: action(store.Whole, "INSERT INTO a VALUES (2)"), Proof: a, Record: noted}
	for _, task := range []store.Task{{Action: a}, {Action: a, Record: noted}, proof} {
		_, err := s.Do(t.Context(), task)
		wantError[*store.RightsError](t, err)
	}
	wantRows(t, url, "SELECT id::text FROM a")
}

func TestProofAndWorkSeeTheSameTransaction(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int)")
	task := store.Task{
		Action: action(store.Whole, "DELETE FROM a; ALTER TABLE a ADD b int"), Sample: 1, Record: noted,
		Proof: action(store.Query, "SELECT id FROM a ORDER BY id"),
	}
	run(t, url, "INSERT INTO a VALUES (4), (5)")
	_, err := s.Do(t.Context(), task)
	if found := wantError[*store.ViolationError](t, err); found.Rows != 2 || !slices.Equal(found.Sample, []string{"id=4"}) {
		t.Errorf("%d violations, sample %q", found.Rows, found.Sample)
	}
	wantRows(t, url, "SELECT count(*)::text FROM a", "2")
	run(t, url, "TRUNCATE a")
	if _, err := s.Do(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if !isNoted(t, s) {
		t.Error("not noted")
	}
}

func TestQueryFaultHasItsLine(t *testing.T) {
	s, _ := prepared(t)
	for sql, line := range map[string]int{
		"SELECT 1\nWHERE false;\nSELECT 'ä',\n nothing": 4,
		"SELECT 1\nWHERE false;\nSELECT 1/0":            3,
	} {
		_, err := s.Do(t.Context(), store.Task{Action: action(store.Query, sql)})
		failed := wantError[*store.StatementError](t, err)
		if failed.Line != line || failed.Statement != 2 {
			t.Errorf("%q: statement %d, line %d, want 2, %d", sql, failed.Statement, failed.Line, line)
		}
	}
}

func TestQueryWithoutBooks(t *testing.T) {
	_, url := prepared(t)
	s := opened(t, store.Settings{URL: url, Options: map[string]string{"schema": "other"}})
	run(t, url, "CREATE SCHEMA other; CREATE TABLE other.a AS SELECT 7 AS id")
	p, err := s.Do(t.Context(), store.Task{Action: action(store.Query, "SELECT id FROM a"), Sample: 1})
	if err != nil || fmt.Sprint(p.Sample) != "[id=7]" {
		t.Errorf("sample %q, error %v", p.Sample, err)
	}
}
