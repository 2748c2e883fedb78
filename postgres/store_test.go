package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
	"github.com/stopover-dev/stopover/store/storetest"
)

func TestMain(m *testing.M) {
	if play(os.Getenv("STOPOVER_TEST_PART")) {
		return
	}
	os.Exit(testserver.Run(m))
}

func TestStore(t *testing.T) { storetest.Run(t, driver{t}) }

type driver struct{ t *testing.T }

func (d driver) Fresh(context.Context) (storetest.Site, error) {
	return &site{url: testserver.Postgres(d.t).NewURL(d.t)}, nil
}

// site is a database with the two collections that the suite works on.
type site struct{ url string }

func (s *site) Open(ctx context.Context) (store.Store, error) {
	return postgres.Open(ctx, store.Settings{Name: "main", URL: s.url})
}

func (s *site) Close() error { return nil }

func (s *site) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

func (s *site) Seed(ctx context.Context, rows int) error {
	return s.exec(ctx, fmt.Sprintf(`CREATE TABLE tags (n bigserial PRIMARY KEY, tag text NOT NULL);
		CREATE TABLE rows (id int PRIMARY KEY, touched int NOT NULL DEFAULT 0);
		INSERT INTO rows (id) SELECT generate_series(1, %d)`, rows))
}

func (s *site) Tags(ctx context.Context) ([]string, error) {
	return column[string](ctx, s.url, "SELECT tag FROM tags ORDER BY n")
}

func (s *site) Touches(ctx context.Context) ([]int, error) {
	return column[int](ctx, s.url, "SELECT touched FROM rows ORDER BY id")
}

func column[T any](ctx context.Context, url, query string) ([]T, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[T])
}

func (s *site) MakeNewer(ctx context.Context) error {
	return s.exec(ctx, fmt.Sprintf("UPDATE stopover_note SET value = '%d' WHERE key = ' format'", store.Format+1))
}

func (s *site) Add(tags ...string) store.Action {
	return action(store.Whole, insertTags(tags))
}

func insertTags(tags []string) string {
	var sql strings.Builder
	for _, tag := range tags {
		fmt.Fprintf(&sql, "INSERT INTO tags (tag) VALUES ('%s');\n", strings.ReplaceAll(tag, "'", "''"))
	}
	return sql.String()
}

func (s *site) Fail(tags ...string) store.Action {
	return action(store.Whole, insertTags(tags)+"INSERT INTO tags (tag) VALUES (NULL);")
}

func (s *site) Slow(tag string) store.Action {
	return action(store.Whole, insertTags([]string{tag})+"SELECT pg_sleep(60);")
}

func (s *site) Touch() store.Action {
	return action(store.Stretched, "UPDATE rows SET touched = touched + 1")
}

func (s *site) Untouched() store.Action {
	return action(store.Query, "SELECT id FROM rows WHERE touched = 0 ORDER BY id")
}

func (s *site) Alone() store.Action {
	return action(store.Whole, "CREATE INDEX CONCURRENTLY tags_tag ON tags (tag)")
}

func (s *site) Block(ctx context.Context) (func(), error) {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return nil, err
	}
	if _, err := conn.PgConn().Exec(ctx, "SET application_name = 'blocker'; BEGIN; LOCK TABLE tags").ReadAll(); err != nil {
		return nil, err
	}
	return func() { conn.Close(context.WithoutCancel(ctx)) }, nil
}

// action parses a section as a migration file has it.
func action(shape store.Shape, sql string) store.Action {
	parsed, err := postgres.Kind().Parse(store.Section{File: "0001_test.sql", Line: 1, Text: sql, Shape: shape})
	if err != nil {
		panic(err)
	}
	return parsed.Action
}
