package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	// The driver "sqlite": pure Go.
	_ "modernc.org/sqlite"

	"github.com/stopover-dev/stopover/store"
)

// defaultWait is the longest wait for the file's lock where a task sets none.
const defaultWait = 10 * time.Second

// Store is a SQLite file, or an open handle on one. It implements store.Store,
// Batcher, Inspector, Estimator and Describer.
type Store struct {
	db    *sql.DB
	place place
	own   bool // db was opened here and is closed with the store

	// writing has room for one: SQLite has one writer, and whoever waits here
	// does not have to poll the file's lock.
	writing chan struct{}

	mu     sync.Mutex
	closed bool
	idle   []*session // connections for reading, only of an own db
	writer *session   // the connection for writing, only of an own db; nil while in use
	remove func() error
}

var _ interface {
	store.Store
	store.Batcher
	store.Inspector
	store.Estimator
	store.Describer
} = (*Store)(nil)

var (
	errClosed  = errors.New("the store is closed")
	errNoBooks = errors.New("the store has no books yet: prepare it first")
)

// New makes a store of a handle that the application has open already, with
// the driver "sqlite" of modernc.org/sqlite. Close leaves the handle open, and
// every call gives its connection back as it was; a pool of one connection is
// enough.
func New(db *sql.DB) *Store {
	return &Store{db: db, writing: make(chan struct{}, 1)}
}

// open makes a store of a file. It does not connect.
func open(p place) (*Store, error) {
	db, err := sql.Open("sqlite", p.source("rw"))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", p, err)
	}
	return &Store{db: db, place: p, own: true, writing: make(chan struct{}, 1)}, nil
}

// Close ends the store's connections, and those still in use when their calls
// return. Closing twice is no error.
func (s *Store) Close() error {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	idle := s.idle
	if s.writer != nil {
		idle = append(idle, s.writer)
	}
	s.idle, s.writer = nil, nil
	s.mu.Unlock()
	if was {
		return nil
	}
	for _, held := range idle {
		held.end()
	}
	var failed error
	if s.own {
		failed = s.db.Close()
	}
	if s.remove != nil {
		failed = errors.Join(failed, s.remove())
	}
	return failed
}

// take gives a connection to one caller. Keeping connections keeps their
// prepared statements. Writers always get the same one, if it is whole: some
// settings (page_size, then VACUUM) work only on the connection that made them.
func (s *Store) take(ctx context.Context, writing bool) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	var held *session
	switch n := len(s.idle); {
	case writing && s.writer != nil:
		held, s.writer = s.writer, nil
	case !writing && n > 0:
		held, s.idle = s.idle[n-1], s.idle[:n-1]
	}
	s.mu.Unlock()
	if held != nil {
		return held, nil
	}
	return s.connect(ctx)
}

// give takes a connection back. One that may be in any state is ended.
func (s *Store) give(held *session, writing bool) {
	s.mu.Lock()
	keep := s.own && !s.closed && !held.broken
	switch {
	case !keep:
	case writing:
		s.writer = held
	case len(s.idle) < 4:
		s.idle = append(s.idle, held)
	default:
		keep = false
	}
	s.mu.Unlock()
	if !keep {
		held.end()
	}
}

// lock waits for this handle's turn to write.
func (s *Store) lock(ctx context.Context, wait time.Duration) error {
	select {
	case s.writing <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case s.writing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return &store.LockedError{Waited: wait, Err: errors.New("another task of this process writes")}
	}
}

func (s *Store) unlock() { <-s.writing }
