package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// measureCheck asks the gate in this process, as an application does when it
// starts: how many round trips, and how long it takes.
func measureCheck(ctx context.Context, s *site) (rows []row, err error) {
	for _, migrations := range []int{1000, 5000} {
		some, err := checkAt(ctx, s, s.size(migrations))
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

func checkAt(ctx context.Context, s *site, n int) (rows []row, err error) {
	p, err := s.project(n)
	if err != nil {
		return nil, err
	}
	url, drop, err := s.database(ctx, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	if _, err := s.run(ctx, s.stopover(p, url, "apply", "--yes")); err != nil {
		return nil, err
	}
	proxy, err := startProxy(url)
	if err != nil {
		return nil, err
	}
	app, err := openApp(p, proxy.url)
	if err != nil {
		return nil, errors.Join(err, proxy.close())
	}
	trips, err := checks(ctx, app, s.times(20), proxy.queries)
	err = errors.Join(err, app.Close(), proxy.close())
	if err != nil {
		return nil, err
	}
	if app, err = openApp(p, url); err != nil {
		return nil, err
	}
	took, err := checks(ctx, app, s.times(20), nanoseconds)
	what := fmt.Sprintf("PostgreSQL, %d done: check in process", n)
	return []row{
		{claim: what + ", round trips", unit: messages, values: trips, limit: 1},
		{claim: what, unit: millis, values: scale(took, 1e-6)},
	}, errors.Join(err, app.Close())
}

// checks asks several times and gives by how much a counter went up each time.
// The first is not counted: it connects.
func checks(ctx context.Context, app *stopover.App, times int, counter func() int64) ([]float64, error) {
	var steps []float64
	for i := range times + 1 {
		before := counter()
		if _, err := app.Check(ctx, stopover.CheckOptions{}); err != nil {
			return nil, err
		}
		if i > 0 {
			steps = append(steps, float64(counter()-before))
		}
	}
	return steps, nil
}

func openApp(p project, url string) (*stopover.App, error) {
	return stopover.Open(stopover.Config{
		Kinds: []store.Kind{postgres.Kind()}, Dir: p.stopover,
		Lookup: func(string) (string, bool) { return url, true },
	})
}

// nanoseconds counts from the start of the process.
func nanoseconds() int64 { return int64(time.Since(started)) }

var started = time.Now()

func scale(values []float64, by float64) []float64 {
	scaled := make([]float64, len(values))
	for i, value := range values {
		scaled[i] = value * by
	}
	return scaled
}
