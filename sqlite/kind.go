package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// Kind is the kind of store for SQLite files.
func Kind() store.Kind {
	return store.Kind{
		Name:    "sqlite",
		Schemes: []string{"sqlite", "sqlite3", "file"},
		Open:    openSettings,
		Parse: func(section store.Section) (store.Parsed, error) {
			return sqlaction.Parse(sqltext.SQLite, section)
		},
		Scratch: scratch,
	}
}

func openSettings(_ context.Context, settings store.Settings) (store.Store, error) {
	for option := range settings.Options {
		return nil, fmt.Errorf("store %s: a SQLite store has no setting %q (PRAGMAs stand in the URL: sqlite:shop.db?_pragma=foreign_keys(1))", settings.Name, option)
	}
	p, err := parsePlace(settings.URL, settings.Dir)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", settings.Name, err)
	}
	return open(p)
}

// scratch makes a file in a folder of its own, with the PRAGMAs of the real
// store's URL. Where the URL is not known the defaults serve.
func scratch(_ context.Context, base store.Settings) (store.Store, error) {
	folder, err := os.MkdirTemp("", "stopover-scratch-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for a scratch store: %w", err)
	}
	p := place{file: filepath.Join(folder, "scratch.db")}
	if real, err := parsePlace(base.URL, base.Dir); err == nil {
		p.query = real.query
		p.query.Del("mode")
		p.query.Del("immutable")
	}
	s, err := open(p)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	s.remove = func() error { return os.RemoveAll(folder) }
	if err := s.create(context.Background()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}
