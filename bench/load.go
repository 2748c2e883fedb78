package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// load is an application beside what is measured: so many requests a second,
// of random rows, whether the last ones are answered or not. The time of a
// request counts from the moment at which it was due.
type load struct {
	statement string // with one parameter, the row's number from 1
	rows      int
	rate      int // requests a second
}

// loadClients are the connections of an application.
const loadClients = 8

// running is a load under way.
type running struct {
	cancel context.CancelFunc
	group  sync.WaitGroup
	mu     sync.Mutex
	took   []time.Duration
	errs   []error
}

// start connects, and begins with the requests.
func (l load) start(ctx context.Context, url string) (*running, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &running{cancel: cancel}
	due := make(chan time.Time, 1<<16) // longer than any stop of a run: the one who schedules never waits
	for i := range loadClients {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			cancel()
			r.group.Wait()
			return nil, err
		}
		random := rand.New(rand.NewPCG(1, uint64(i)))
		r.group.Go(func() { r.serve(conn, l, random, due) })
	}
	r.group.Go(func() {
		defer close(due)
		every := time.Second / time.Duration(l.rate)
		for next := time.Now(); ctx.Err() == nil; next = next.Add(every) {
			time.Sleep(time.Until(next))
			due <- next
		}
	})
	return r, nil
}

// serve sends requests over one connection until no more are due.
func (r *running) serve(conn *pgx.Conn, l load, random *rand.Rand, due <-chan time.Time) {
	ctx := context.Background() // what is due is done, also at the end
	for at := range due {
		_, err := conn.Exec(ctx, l.statement, random.IntN(l.rows)+1)
		r.mu.Lock()
		r.took = append(r.took, time.Since(at))
		if err != nil {
			r.errs = append(r.errs, err)
		}
		r.mu.Unlock()
	}
	if err := conn.Close(ctx); err != nil {
		r.mu.Lock()
		r.errs = append(r.errs, err)
		r.mu.Unlock()
	}
}

// stop ends the load and gives the times of its requests, shortest first.
func (r *running) stop() ([]time.Duration, error) {
	r.cancel()
	r.group.Wait()
	if len(r.took) == 0 {
		r.errs = append(r.errs, errors.New("the load made no request"))
	}
	slices.Sort(r.took)
	if err := errors.Join(r.errs...); err != nil {
		return nil, fmt.Errorf("the application's requests: %w", err)
	}
	return r.took, nil
}

// percentile99 is the time within which 99 of 100 requests were answered, in
// milliseconds.
func percentile99(sorted []time.Duration) float64 {
	return sorted[len(sorted)*99/100].Seconds() * 1000
}

func longest(sorted []time.Duration) float64 { return sorted[len(sorted)-1].Seconds() * 1000 }
