package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
	"github.com/stopover-dev/stopover/store/storetest"
)

// pooledDriver is the driver of a store behind a transaction pooler.
type pooledDriver struct {
	t      *testing.T
	server *testserver.PostgresServer
	pooler *testserver.Pooler
}

func (d pooledDriver) Fresh(context.Context) (storetest.Site, error) {
	database := d.server.Database(d.t)
	return &pooledSite{site: site{url: d.server.URL(database)}, pooled: d.pooler.URL(database)}, nil
}

// pooledSite is looked at directly, and used through the pooler.
type pooledSite struct {
	site
	pooled string
}

// beside gives the settings of a store behind a pooler, whose statements that
// cannot be in a transaction go the direct way.
func beside(pooled, direct string) store.Settings {
	return store.Settings{Name: "main", URL: pooled, Options: map[string]string{"direct_url": direct}}
}

func (s *pooledSite) Open(ctx context.Context) (store.Store, error) {
	return postgres.Open(ctx, beside(s.pooled, s.url))
}

// The whole suite but what cancels: PgBouncer 1.18 dies of some cancel requests
// ("bad client state: 0", mended in 1.19), whoever sends them.
func TestStoreBehindAPooler(t *testing.T) {
	server := testserver.Postgres(t)
	d := pooledDriver{t, server, server.Pooler(t)}
	for _, c := range storetest.Cases() {
		if strings.Contains(c.Name, "cancelled") || strings.Contains(c.Name, "a context that has ended") {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			for _, failure := range storetest.Check(t.Context(), d, c) {
				t.Error(failure)
			}
		})
	}
}

// Twenty other clients of the same pooler see none of our settings.
func TestNothingLeaksThroughAPooler(t *testing.T) {
	server := testserver.Postgres(t)
	pooler := server.Pooler(t)
	database := server.Database(t)
	s := opened(t, beside(pooler.URL(database), server.URL(database)))
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"SET work_mem = '77MB'; SELECT set_config('search_path', '', false)",
		"SET work_mem = '77MB'; SET SESSION AUTHORIZATION postgres; SELECT 1/0",
		"CREATE TABLE a (id int)",
		"CREATE INDEX CONCURRENTLY a_id ON a (id)",
	} {
		_, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, sql), Session: "ours"})
		if failed := strings.Contains(sql, "1/0"); (err != nil) != failed {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() {
			conn, err := pgx.Connect(t.Context(), pooler.URL(database))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(context.Background())
			results, err := conn.PgConn().Exec(t.Context(), "SELECT current_setting('work_mem') || ' ' || current_setting('search_path') || ' ' || current_setting('lock_timeout'), pg_sleep(0.05)").ReadAll()
			if err != nil {
				t.Error(err)
				return
			}
			if seen := string(results[0].Rows[0][0]); seen != `4MB "$user", public 0` {
				t.Errorf("another client sees %s", seen)
			}
		})
	}
	clients.Wait()
}

// Where the pooler would put a statement alone into another schema, it is
// refused, and goes the direct way if there is one.
func TestStatementsAloneBehindAPooler(t *testing.T) {
	server := testserver.Postgres(t)
	pooler := server.Pooler(t)
	database := server.Database(t)
	settings := store.Settings{URL: pooler.URL(database), Options: map[string]string{"schema": "shop"}}
	s := opened(t, settings)
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := do(t, s, "CREATE TABLE a (id int)"); err != nil {
		t.Fatal(err)
	}
	task := store.Task{Action: action(store.Whole, "CREATE INDEX CONCURRENTLY a_id ON a (id)")}
	_, err := s.Do(t.Context(), task)
	if missing := wantError[*store.SettingError](t, err); missing.Setting != "direct_url" {
		t.Errorf("it asks for %q", missing.Setting)
	}
	settings.Options["direct_url"] = server.URL(database)
	if _, err := opened(t, settings).Do(t.Context(), task); err != nil {
		t.Error(err)
	}
}
