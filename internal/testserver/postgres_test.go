package testserver_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	server := testserver.Postgres(t)
	first, second := server.Database(t), server.Database(t)
	server.Exec(t, first, "CREATE TABLE t (a int)")
	server.Exec(t, second, "CREATE TABLE t (a int)")
	if testserver.Postgres(t) != server {
		t.Error("a second server was started for the same package")
	}
}

func TestRestartKeepsCommittedDataAndThePort(t *testing.T) {
	server := testserver.OwnPostgres(t, "max_connections=10")
	url := server.NewURL(t)
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "CREATE TABLE kept AS SELECT 1 AS a"); err != nil {
		t.Fatal(err)
	}
	server.Restart(t)
	if err := conn.Ping(ctx); err == nil {
		t.Error("the connection outlived the restart")
	}
	conn.Close(ctx)
	if got := count(t, url, "SELECT a FROM kept"); got != 1 {
		t.Errorf("after the restart: %d, want 1", got)
	}
	if got := count(t, url, "SELECT setting::int FROM pg_settings WHERE name = 'max_connections'"); got != 10 {
		t.Errorf("max_connections is %d, want 10", got)
	}
}

func count(t *testing.T, url, query string) int {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var n int
	if err := conn.QueryRow(ctx, query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMajorVersionsBesideEachOther(t *testing.T) {
	eighteen := testserver.PostgresOf(t, 18)
	if testserver.PostgresOf(t, 18) != eighteen || testserver.Postgres(t) == eighteen {
		t.Error("versions are not kept apart")
	}
	if got := count(t, eighteen.NewURL(t), "SELECT current_setting('server_version_num')::int / 10000"); got != 18 {
		t.Errorf("asked for 18, got %d", got)
	}
}
