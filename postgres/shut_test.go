package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/store"
)

// writers are sessions of several releases, by name and by login.
type outsider struct {
	conn *pgx.Conn
	t    *testing.T
}

func outsiderOf(t *testing.T, url, login, name string) outsider {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	if login != "" {
		config.User, config.Password = login, "any"
	}
	config.RuntimeParams["application_name"] = name
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return outsider{conn, t}
}

// may tells whether a statement works.
func (o outsider) may(sql string, want bool) {
	o.t.Helper()
	_, err := o.conn.Exec(o.t.Context(), sql)
	if (err == nil) != want {
		o.t.Errorf("%s: %s: %v", o.conn.Config().RuntimeParams["application_name"], sql, err)
	}
}

// one asks for one text.
func one(t *testing.T, url, sql string) (text string) {
	t.Helper()
	if err := connect(t, url).QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func keeping(kept *[]byte) func([]byte) error {
	return func(undo []byte) error { *kept = undo; return nil }
}

func TestFenceByName(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int); CREATE TABLE b (id int) PARTITION BY RANGE (id); CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (0) TO (10); INSERT INTO a VALUES (1)")
	old, patch, other, fresh := outsiderOf(t, url, "", "api/1.5"), outsiderOf(t, url, "", "api/1.5.3/pod-1"), outsiderOf(t, url, "", "api/1.50"), outsiderOf(t, url, "", "api/1.6")
	var kept []byte
	fence := store.Fence{Names: []string{"api/1.4", "api/1.5"}, Because: "api below 1.6 may not write any more"}
	for range 2 { // the second time changes nothing
		if err := s.Fence(t.Context(), fence, keeping(&kept)); err != nil {
			t.Fatal(err)
		}
	}
	for _, sql := range []string{"INSERT INTO a VALUES (2)", "UPDATE a SET id = 3", "DELETE FROM a", "TRUNCATE a", "INSERT INTO b VALUES (1)", "INSERT INTO b1 VALUES (1)"} {
		old.may(sql, false)
		patch.may(sql, false)
	}
	old.may("SELECT * FROM a", true)
	for _, o := range []outsider{other, fresh} {
		o.may("UPDATE a SET id = id", true)
	}
	_, err := old.conn.Exec(t.Context(), "DELETE FROM a")
	if err == nil || !strings.Contains(err.Error(), "api below 1.6 may not write any more") {
		t.Errorf("it says %v", err)
	}
	run(t, url, "DROP TABLE b") // what goes meanwhile is no obstacle
	if err := s.Lift(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	old.may("UPDATE a SET id = 3", true)
	if left := one(t, url, "SELECT count(*)::text FROM pg_trigger WHERE tgname LIKE '%fence%'"); left != "0" {
		t.Errorf("%s triggers are left", left)
	}
}

func TestFenceByLogin(t *testing.T) {
	s, url := prepared(t)
	database := one(t, url, "SELECT current_database()")
	old, fresh := "old_"+database, "new_"+database
	run(t, url, "CREATE TABLE a (id int); CREATE ROLE "+old+" LOGIN; CREATE ROLE "+fresh+" LOGIN;"+
		"GRANT SELECT, INSERT, UPDATE ON a TO "+old+"; GRANT DELETE ON a TO "+old+" WITH GRANT OPTION; GRANT SELECT, INSERT ON a TO "+fresh)
	o, n := outsiderOf(t, url, old, "x"), outsiderOf(t, url, fresh, "y")
	acl := one(t, url, "SELECT relacl::text FROM pg_class WHERE relname = 'a'")
	var kept []byte
	if err := s.Fence(t.Context(), store.Fence{Logins: []string{old, "never_deployed"}}, keeping(&kept)); err != nil {
		t.Fatal(err)
	}
	o.may("INSERT INTO a VALUES (1)", false)
	o.may("DELETE FROM a", false)
	o.may("SELECT * FROM a", true)
	n.may("INSERT INTO a VALUES (1)", true)
	if err := s.Lift(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	o.may("INSERT INTO a VALUES (1)", true)
	if got := one(t, url, "SELECT relacl::text FROM pg_class WHERE relname = 'a'"); len(got) != len(acl) {
		t.Errorf("the rights are %s and were %s", got, acl)
	}
	run(t, url, "GRANT INSERT ON a TO PUBLIC")
	if err := s.Fence(t.Context(), store.Fence{Logins: []string{old}}, keeping(&kept)); err == nil || !strings.Contains(err.Error(), old+" may still write to a") {
		t.Errorf("a fence with a hole: %v", err)
	}
	if err := s.Lift(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
}

// TestFenceWaitsForWrites shows that a fence is not done while a write is under
// way that passed it, and names whose it is.
func TestFenceWaitsForWrites(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int)")
	old := outsiderOf(t, url, "", "api/1.5")
	old.may("BEGIN; INSERT INTO a VALUES (1)", true)
	var kept []byte
	fence := store.Fence{Names: []string{"api/1.5"}, Because: "no"}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := s.Fence(short, fence, keeping(&kept))
	if err == nil || !strings.Contains(err.Error(), "api/1.5") || kept == nil {
		t.Fatalf("it does not wait for the writer: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Fence(t.Context(), fence, keeping(&kept)) }()
	old.may("COMMIT", true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if rows := one(t, url, "SELECT count(*)::text FROM a"); rows != "1" {
		t.Errorf("%s rows", rows)
	}
	old.may("INSERT INTO a VALUES (2)", false)
}
