package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// before is what every order has until somebody writes it.
const before = "EUR"

// clients is how many requests of a release are under way at once, at most.
const clients = 8

// shop is the application: releases of it, which write orders, and a model of
// what they were told.
type shop struct {
	pool  *pgxpool.Pool
	rows  int
	rate  int
	table *table

	mu    sync.Mutex
	told  map[int]string // what is in an order, as its last write was acknowledged
	count int
	errs  []error
	alive []*release
	locks []sync.Mutex // one request an order at a time, as a lock in the shop would do
}

// locksOfOrders is how many locks the orders share.
const locksOfOrders = 1024

func openShop(ctx context.Context, url string, rows, rate int, t *table) (*shop, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 2 * clients
	config.MinConns = 2 * clients // a request does not wait for a connection to be made
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &shop{pool: pool, rows: rows, rate: rate, table: t, told: map[int]string{}, locks: make([]sync.Mutex, locksOfOrders)}, nil
}

// release is one release of the application, running.
type release struct {
	shop   *shop
	name   string
	write  string
	cancel context.CancelFunc
	group  sync.WaitGroup
}

// release starts a release that knows one of the two columns. Its writes are due
// at a fixed rate, whether earlier ones are answered or not, so that a write that
// has to wait delays those behind it, and all of them are counted.
func (s *shop) release(name, column string) *release {
	ctx, cancel := context.WithCancel(context.Background())
	r := &release{shop: s, name: name, cancel: cancel,
		write: fmt.Sprintf("UPDATE %s.orders SET %s = $1 WHERE id = $2", schema, column)}
	due := make(chan time.Time, 1<<16)
	for i := range clients {
		random := rand.New(rand.NewPCG(uint64(i), uint64(len(name))))
		r.group.Go(func() {
			for at := range due {
				r.serve(at, random)
			}
		})
	}
	r.group.Go(func() {
		defer close(due)
		for next := time.Now(); ctx.Err() == nil; {
			time.Sleep(time.Until(next))
			due <- next
			next = next.Add(time.Second * time.Duration(s.releases()) / time.Duration(s.rate))
		}
	})
	s.mu.Lock()
	s.alive = append(s.alive, r)
	s.mu.Unlock()
	return r
}

// releases is how many share the application's work.
func (s *shop) releases() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(1, len(s.alive))
}

// serve writes one order, and keeps what was acknowledged.
func (r *release) serve(due time.Time, random *rand.Rand) {
	s := r.shop
	id := random.IntN(s.rows) + 1
	value := fmt.Sprintf("%s-%06d", r.name, random.IntN(1_000_000))
	one := &s.locks[id%locksOfOrders]
	one.Lock()
	defer one.Unlock()
	tag, err := s.pool.Exec(context.Background(), r.write, value, id)
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("order %d is not there", id)
	}
	s.table.request(time.Since(due))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.errs = append(s.errs, fmt.Errorf("release %s: %w", r.name, err))
		return
	}
	s.told[id] = value
	s.count++
}

// end lets a release answer what is due, and stops it.
func (r *release) end() error {
	r.cancel()
	r.group.Wait()
	s := r.shop
	s.mu.Lock()
	for i, one := range s.alive {
		if one == r {
			s.alive = append(s.alive[:i:i], s.alive[i+1:]...)
			break
		}
	}
	s.mu.Unlock()
	return s.failed()
}

// failed gives the errors that a request has met.
func (s *shop) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs[:min(len(s.errs), 3)]...)
}

// close ends the releases that run, and gives errors of requests.
func (s *shop) close() error {
	s.mu.Lock()
	alive := append([]*release(nil), s.alive...)
	s.mu.Unlock()
	for _, r := range alive {
		_ = r.end() // its errors are those below
	}
	s.pool.Close()
	return s.failed()
}

func (s *shop) model() map[int]string { return s.told }

func (s *shop) writes() int { return s.count }
