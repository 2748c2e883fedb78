package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// The table that is filled, with keys of several types: rows of about 250 bytes
// and two indexes. In all of them n numbers the rows, for the load.
const (
	bigintPeople = `CREATE TABLE people (id bigint PRIMARY KEY, n bigint NOT NULL UNIQUE, tenant integer NOT NULL,
	email text NOT NULL, visits integer NOT NULL DEFAULT 0, about text, handle text);
INSERT INTO people SELECT n, n, n % 1000, 'User' || n || '@Example.org', 0, repeat(md5(n::text), 5) FROM generate_series(1, @rows) n;`
	uuidPeople = `CREATE TABLE people (id uuid PRIMARY KEY, n bigint NOT NULL UNIQUE, tenant integer NOT NULL,
	email text NOT NULL, visits integer NOT NULL DEFAULT 0, about text, handle text);
INSERT INTO people SELECT md5(n::text)::uuid, n, n % 1000, 'User' || n || '@Example.org', 0, repeat(md5(n::text), 5) FROM generate_series(1, @rows) n;`
	compositePeople = `CREATE TABLE people (n bigint NOT NULL UNIQUE, tenant integer NOT NULL,
	email text NOT NULL, visits integer NOT NULL DEFAULT 0, about text, handle text, PRIMARY KEY (tenant, n));
INSERT INTO people SELECT n, n % 1000, 'User' || n || '@Example.org', 0, repeat(md5(n::text), 5) FROM generate_series(1, @rows) n;`
)

const (
	backfillRows   = 1_000_000
	backfillRounds = 5
	updatesASecond = 500
)

// Names of the contestants, beside those of whole runs.
const (
	plainLoop = "plain loop"
	pgrollWay = "pgroll's way"
)

// filled is one run of a backfill, with the application beside it.
type filled struct {
	sample
	rows    int
	p99     float64 // of the application's updates, milliseconds
	longest float64
}

func (f filled) speed() float64 { return float64(f.rows) / f.wall.Seconds() }

// people is a database with the table, ready to be copied for each run, and the
// project whose backfill fills it.
type people struct {
	server   *testserver.PostgresServer
	template string
	rows     int
	project  project
	key      string
}

// measureBackfill compares speed, memory and what the application notices.
func measureBackfill(ctx context.Context, s *site) (rows []row, err error) {
	p, err := s.people(ctx, bigintPeople, "id")
	if err != nil {
		return nil, err
	}
	got, err := p.rounds(ctx, s, plainLoop, batched, pgrollWay)
	if err != nil {
		return nil, errors.Join(err, p.drop(ctx))
	}
	what := fmt.Sprintf("backfill of %d rows", p.rows)
	calm := row{claim: what + ": p99 of the application", unit: ratio, limit: 1.3}
	slowest := row{claim: what + ": longest request of the application", unit: highestMillis, limit: 250}
	peak := row{claim: what + ": memory", unit: megs, limit: 48}
	var own, other []float64
	for i, one := range got[batched] {
		beside := got[plainLoop][i]
		calm.values = append(calm.values, one.p99/beside.p99)
		own, other = append(own, one.p99), append(other, beside.p99)
		slowest.values = append(slowest.values, one.longest)
		peak.values = append(peak.values, float64(one.peak)/(1<<20))
	}
	calm.note = fmt.Sprintf("%.1f ms against %.1f ms beside the %s", median(own), median(other), plainLoop)
	rows = []row{
		faster(what, 0.95, got, plainLoop),
		faster(what, 1.5, got, pgrollWay),
		calm, slowest, peak,
		{claim: what + ": longest request beside the " + plainLoop, unit: highestMillis, values: longestOf(got[plainLoop])},
		{claim: what + ": longest request beside " + pgrollWay, unit: highestMillis, values: longestOf(got[pgrollWay])},
	}
	return rows, p.drop(ctx)
}

func longestOf(runs []filled) []float64 {
	var values []float64
	for _, one := range runs {
		values = append(values, one.longest)
	}
	return values
}

// faster makes a row of how many times the rows a second are done, round by
// round.
func faster(what string, least float64, got map[string][]filled, other string) row {
	r := row{claim: what + ": speed against " + other, unit: ratio, limit: least, least: true}
	var mine, theirs []float64
	for i, one := range got[batched] {
		mine, theirs = append(mine, one.speed()), append(theirs, got[other][i].speed())
		r.values = append(r.values, mine[i]/theirs[i])
	}
	r.note = fmt.Sprintf("%.1fk rows/s against %.1fk of %s", median(mine)/1000, median(theirs)/1000, other)
	return r
}

// otherKey is the same backfill along a key of another type.
type otherKey struct{ name, table, key string }

func (k otherKey) measure(ctx context.Context, s *site) ([]row, error) {
	p, err := s.people(ctx, k.table, k.key)
	if err != nil {
		return nil, err
	}
	got, err := p.rounds(ctx, s, plainLoop, batched)
	if err != nil {
		return nil, errors.Join(err, p.drop(ctx))
	}
	r := faster(fmt.Sprintf("backfill of %d rows, %s key", p.rows, k.name), 0.8, got, plainLoop)
	return []row{r}, p.drop(ctx)
}

// people makes a database in which everything is done but the backfill.
func (s *site) people(ctx context.Context, table, key string) (*people, error) {
	server, err := s.server(false)
	if err != nil {
		return nil, err
	}
	s.made++
	p := &people{server: server, template: fmt.Sprintf("bench_%d", s.made), rows: s.size(backfillRows), key: key}
	if err := administer(ctx, server, "CREATE DATABASE "+p.template); err != nil {
		return nil, err
	}
	root := filepath.Join(s.dir, p.template)
	p.project = project{stopover: root}
	if err := p.write(strings.ReplaceAll(table, "@rows", strconv.Itoa(p.rows))); err != nil {
		return nil, err
	}
	if _, err := s.run(ctx, s.stopover(p.project, server.URL(p.template), "apply", "--yes")); err != nil {
		return nil, err
	}
	const fill = "-- stopover: backfill table=people\nUPDATE people SET handle = lower(email);\n"
	if err := os.WriteFile(filepath.Join(root, "migrations", "main", "0002_handle.sql"), []byte(fill), 0o644); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, server.URL(p.template))
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "VACUUM ANALYZE people")
	return p, errors.Join(err, conn.Close(ctx))
}

// write makes the project, with the table as its first migration.
func (p *people) write(table string) error {
	main := filepath.Join(p.project.stopover, "migrations", "main")
	if err := os.MkdirAll(main, 0o755); err != nil {
		return err
	}
	config := "application: many\nstores:\n  main: {url: \"${DATABASE_URL}\", migrations: migrations/main}\n"
	if err := os.WriteFile(filepath.Join(p.project.stopover, "stopover.yaml"), []byte(config), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(main, "0001_people.sql"), []byte("-- stopover: expand\n"+table), 0o644)
}

func (p *people) drop(ctx context.Context) error {
	return administer(ctx, p.server, "DROP DATABASE "+p.template+" WITH (FORCE)", "CHECKPOINT")
}

// rounds runs the contestants in turns.
func (p *people) rounds(ctx context.Context, s *site, names ...string) (map[string][]filled, error) {
	got := map[string][]filled{}
	for round := range s.times(backfillRounds) {
		for i := range names {
			name := names[(i+round)%len(names)]
			one, err := p.run(ctx, s, name)
			if err != nil {
				return nil, fmt.Errorf("round %d, %s: %w", round+1, name, err)
			}
			got[name] = append(got[name], one)
		}
	}
	return got, nil
}

// run lets one contestant fill a copy of the table, beside the application, and
// looks whether every row is filled.
func (p *people) run(ctx context.Context, s *site, name string) (one filled, err error) {
	s.made++
	database := fmt.Sprintf("bench_%d", s.made)
	if err := administer(ctx, p.server, "CREATE DATABASE "+database+" TEMPLATE "+p.template+" STRATEGY FILE_COPY", "CHECKPOINT"); err != nil {
		return one, err
	}
	defer func() {
		err = errors.Join(err, administer(ctx, p.server, "DROP DATABASE "+database+" WITH (FORCE)"))
	}()
	url := p.server.URL(database)
	program := map[string]command{
		plainLoop: {argv: []string{s.programs["loop"], "plain", url, p.key, strconv.Itoa(2)}},
		pgrollWay: {argv: []string{s.programs["loop"], "pgroll", url}},
		batched:   s.stopover(p.project, url, "apply", "--yes"),
	}[name]
	beside, err := load{"UPDATE people SET visits = visits + 1 WHERE n = $1", p.rows, updatesASecond}.start(ctx, url)
	if err != nil {
		return one, err
	}
	one.sample, err = s.run(ctx, program)
	times, stopping := beside.stop()
	if err := errors.Join(err, stopping); err != nil {
		return one, err
	}
	one.rows, one.p99, one.longest = p.rows, percentile99(times), longest(times)
	return one, p.whole(ctx, url)
}

// whole tells with an error if a row was passed over.
func (p *people) whole(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	var missed int
	err = conn.QueryRow(ctx, "SELECT count(*) FROM people WHERE handle IS DISTINCT FROM lower(email)").Scan(&missed)
	if err == nil && missed > 0 {
		err = fmt.Errorf("%d rows were passed over", missed)
	}
	return errors.Join(err, conn.Close(ctx))
}
