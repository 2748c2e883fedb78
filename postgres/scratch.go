package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stopover-dev/stopover/store"
)

// scratchStore is a store in a database of its own.
type scratchStore struct {
	*Store
	server *Store
	name   string
}

// scratch makes a database beside the real one. A schema in the real one would
// not do: statements that name their schema would reach the real tables.
func scratch(ctx context.Context, base store.Settings) (store.Store, error) {
	if direct := base.Options["direct_url"]; direct != "" {
		base.URL = direct
	}
	if base.URL == "" {
		return nil, store.ErrNoScratch // the driver would take the server of PGHOST, or the one on this machine
	}
	config, err := pgxpool.ParseConfig(base.URL)
	if err != nil {
		return nil, unreadableURL(base.Name, "url")
	}
	server, err := open(config, Options{Name: base.Name}, defaultLimits)
	if err != nil {
		return nil, err
	}
	made := &scratchStore{server: server, name: "stopover_scratch_" + rand.Text()[:12]}
	if err := made.create(ctx); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	inside := config.Copy()
	inside.ConnConfig.Database = made.name
	options := Options{Name: base.Name, Schema: base.Options["schema"], Role: base.Options["role"]}
	made.Store, err = open(inside, options, defaultLimits)
	if err == nil {
		err = made.makeSchema(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, made.Close())
	}
	return made, nil
}

func (s *scratchStore) create(ctx context.Context) error {
	var m message
	m.own("CREATE DATABASE " + ident(s.name) + " TEMPLATE template0")
	completed, err := s.server.run(ctx, &m)
	err = s.server.fault(ctx, &m, completed, err, 0)
	if rights, ok := errors.AsType[*store.RightsError](err); ok {
		return &store.RightsError{Missing: "CREATEDB, for a scratch database", Err: rights.Err}
	}
	if err != nil {
		return fmt.Errorf("make a scratch database beside %s: %w", s.server.place, err)
	}
	return nil
}

func (s *scratchStore) makeSchema(ctx context.Context) error {
	var m message
	m.own("CREATE SCHEMA IF NOT EXISTS " + ident(s.schema))
	if s.role != "" {
		m.own("GRANT ALL ON SCHEMA " + ident(s.schema) + " TO " + ident(s.role))
	}
	completed, err := s.run(ctx, &m)
	return s.fault(ctx, &m, completed, err, 0)
}

// Close gives the database up.
func (s *scratchStore) Close() error {
	if s.Store != nil {
		s.Store.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var m message
	m.own("DROP DATABASE IF EXISTS " + ident(s.name))
	completed, err := s.server.run(ctx, &m)
	err = s.server.fault(ctx, &m, completed, err, 0)
	if err != nil {
		err = fmt.Errorf("drop the scratch database %s: %w", s.name, err)
	}
	return errors.Join(err, s.server.Close())
}
