package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	readerHolds   = 10 * time.Second
	readsASecond  = 200
	ddlRounds     = 5
	afterTheStart = 500 * time.Millisecond // of the reader, and of the load, the migration begins
)

// measureDDL runs a migration that needs a table for itself while a report
// reads that table for ten seconds, and the application goes on beside.
func measureDDL(ctx context.Context, s *site) ([]row, error) {
	p, err := s.people(ctx, bigintPeople, "id")
	if err != nil {
		return nil, err
	}
	const ddl = "-- stopover: expand\nALTER TABLE people ADD COLUMN nick text;\n"
	if err := os.WriteFile(filepath.Join(p.project.stopover, "migrations", "main", "0002_handle.sql"), []byte(ddl), 0o644); err != nil {
		return nil, err
	}
	what := "DDL behind a reader of 10 s"
	after := row{claim: what + ": done after the reader's end", unit: millis, limit: 1500}
	calm := row{claim: what + ": p99 of the application", unit: millis, limit: 60}
	slowest := row{claim: what + ": longest request of the application", unit: highestMillis, limit: 100}
	for range s.times(ddlRounds) {
		late, times, err := p.behindReader(ctx, s)
		if err != nil {
			return nil, errors.Join(err, p.drop(ctx))
		}
		after.values = append(after.values, late.Seconds()*1000)
		calm.values = append(calm.values, percentile99(times))
		slowest.values = append(slowest.values, longest(times))
	}
	return []row{after, calm, slowest}, p.drop(ctx)
}

// behindReader gives how long after the reader's end the migration was done,
// and the times of the application's reads.
func (p *people) behindReader(ctx context.Context, s *site) (late time.Duration, times []time.Duration, err error) {
	s.made++
	database := fmt.Sprintf("bench_%d", s.made)
	if err := administer(ctx, p.server, "CREATE DATABASE "+database+" TEMPLATE "+p.template+" STRATEGY FILE_COPY"); err != nil {
		return 0, nil, err
	}
	defer func() {
		err = errors.Join(err, administer(ctx, p.server, "DROP DATABASE "+database+" WITH (FORCE)"))
	}()
	url := p.server.URL(database)
	beside, err := load{"SELECT visits FROM people WHERE n = $1", p.rows, readsASecond}.start(ctx, url)
	if err != nil {
		return 0, nil, err
	}
	ended := make(chan time.Time, 1)
	reader, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, nil, errors.Join(err, last(beside.stop()))
	}
	if _, err := reader.Exec(ctx, "BEGIN; SELECT count(*) FROM people WHERE n < 10"); err != nil {
		return 0, nil, errors.Join(err, last(beside.stop()))
	}
	go func() {
		time.Sleep(readerHolds)
		_ = reader.Close(ctx) // and with it the transaction ends
		ended <- time.Now()
	}()
	time.Sleep(afterTheStart)
	_, err = s.run(ctx, s.stopover(p.project, url, "apply", "--yes"))
	done := time.Now()
	end := <-ended
	times, stopping := beside.stop()
	return done.Sub(end), times, errors.Join(err, stopping)
}

func last(_ []time.Duration, err error) error { return err }
