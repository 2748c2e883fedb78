package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/store"
	"github.com/stopover-dev/stopover/store/storetest"
)

// suite is this package's driver of the conformance suite.
type suite struct {
	query   string
	borrows bool
}

func (d suite) Fresh(context.Context) (storetest.Site, error) {
	folder, err := os.MkdirTemp("", "stopover-suite-")
	if err != nil {
		return nil, err
	}
	made, err := newSite(folder, d.query)
	if err == nil {
		made.borrows = d.borrows
	}
	return made, err
}

// walSuite has files in WAL mode already, so their sites are not Aloners.
type walSuite struct{ suite }

func (d walSuite) Fresh(ctx context.Context) (storetest.Site, error) {
	made, err := d.suite.Fresh(ctx)
	if err != nil {
		return nil, err
	}
	return struct {
		storetest.Site
		storetest.Blocker
	}{made, made.(*site)}, nil
}

// site is a database file with the tables tag and item beside the books.
type site struct {
	folder string
	url    string
	db     *sql.DB

	borrows  bool // stores are made of handles that are open already
	borrowed []*sql.DB
}

func newSite(folder, query string) (*site, error) {
	file := filepath.Join(folder, "suite.db")
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	return &site{folder: folder, url: "sqlite:" + file + query, db: db}, nil
}

func (s *site) Open(ctx context.Context) (store.Store, error) {
	if !s.borrows {
		return Kind().Open(ctx, store.Settings{Name: "main", URL: s.url})
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.folder, "suite.db"))
	if err != nil {
		return nil, err
	}
	s.borrowed = append(s.borrowed, db)
	return New(db), nil
}

func (s *site) Close() error {
	for _, db := range s.borrowed {
		_ = db.Close()
	}
	if err := s.db.Close(); err != nil {
		return err
	}
	return os.RemoveAll(s.folder)
}

func (s *site) Seed(ctx context.Context, rows int) error {
	_, err := s.db.ExecContext(ctx, fmt.Sprintf(`
CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE item (id INTEGER PRIMARY KEY, touched INTEGER NOT NULL DEFAULT 0);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO item (id) SELECT i * 3 FROM n LIMIT %d`, rows))
	return err
}

func (s *site) Tags(ctx context.Context) ([]string, error) {
	return column1[string](ctx, s.db, `SELECT name FROM tag ORDER BY id`)
}

func (s *site) Touches(ctx context.Context) ([]int, error) {
	return column1[int](ctx, s.db, `SELECT touched FROM item ORDER BY id`)
}

func (s *site) MakeNewer(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `UPDATE stopover_note SET value = json_object('format', ?) WHERE key = 'format'`, store.Format+1)
	return err
}

func (s *site) Add(tags ...string) store.Action { return act(store.Whole, inserts(tags)) }

func (s *site) Fail(tags ...string) store.Action {
	return act(store.Whole, inserts(tags)+`INSERT INTO tag (name) VALUES (NULL)`)
}

func (s *site) Slow(tag string) store.Action {
	return act(store.Whole, inserts([]string{tag})+
		`INSERT INTO tag (name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000000) SELECT max(i) FROM n`)
}

func (s *site) Touch() store.Action {
	return act(store.Stretched, `UPDATE item SET touched = touched + 1`)
}

func (s *site) Untouched() store.Action {
	return act(store.Query, `SELECT id FROM item WHERE touched = 0`)
}

func (s *site) Alone() store.Action { return act(store.Whole, `PRAGMA journal_mode = WAL`) }

// Block holds the file's write lock.
func (s *site) Block(ctx context.Context) (func(), error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return nil, err
	}
	return func() {
		_, _ = conn.ExecContext(context.Background(), `ROLLBACK`)
		_ = conn.Close()
	}, nil
}

func inserts(tags []string) string {
	var text strings.Builder
	for _, tag := range tags {
		fmt.Fprintf(&text, "INSERT INTO tag (name) VALUES ('%s');\n", tag)
	}
	return text.String()
}

func act(shape store.Shape, text string) store.Action {
	return parsed(shape, text).Action
}

func parsed(shape store.Shape, text string) store.Parsed {
	p, err := Kind().Parse(store.Section{File: "0001_test.sql", Line: 1, Text: text, Shape: shape})
	if err != nil {
		panic(err)
	}
	return p
}

func column1[T any](ctx context.Context, db *sql.DB, query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

func TestIsAStore(t *testing.T) {
	t.Run("rollback journal", func(t *testing.T) { storetest.Run(t, suite{}) })
	t.Run("WAL", func(t *testing.T) {
		storetest.Run(t, walSuite{suite{query: "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"}})
	})
	t.Run("borrowed handle", func(t *testing.T) { storetest.Run(t, suite{borrows: true}) })
}
