package main

import (
	"context"
	"errors"
	"fmt"
)

// storeKind is where the migrations are.
type storeKind int

const (
	onPostgres storeKind = iota
	onSQLite
)

func (k storeKind) String() string {
	if k == onSQLite {
		return "SQLite"
	}
	return "PostgreSQL"
}

// idle measures what a run costs where everything is done already, which is
// most runs: as programs, from start to end.
type idle struct {
	kind       storeKind
	migrations int
	rounds     int
}

// Names of the contestants.
const (
	ourApply    = "apply"
	ourStatus   = "status"
	gooseUp     = "goose up"
	gooseStatus = "goose status"
)

// done is a database for either tool on which all migrations are done.
type done struct {
	project     project
	ours        string // URL
	goose       string // URL or file
	gooseDriver string
}

func (i idle) measure(ctx context.Context, s *site) (rows []row, err error) {
	n := s.size(i.migrations)
	d, drop, err := i.prepare(ctx, s, n)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	commands := map[string]command{
		ourApply:    s.stopover(d.project, d.ours, "apply", "--yes"),
		ourStatus:   s.stopover(d.project, d.ours, "status"),
		gooseUp:     s.goose(d.project, d.gooseDriver, d.goose, "up"),
		gooseStatus: s.goose(d.project, d.gooseDriver, d.goose, "status"),
	}
	var contestants []contestant
	for _, name := range []string{ourApply, gooseUp, ourStatus, gooseStatus} {
		contestants = append(contestants, contestant{name, func(context.Context) (command, func() error, error) {
			return commands[name], func() error { return nil }, nil
		}})
	}
	samples, err := race(ctx, s, s.times(i.rounds), contestants)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("%s, %d done", i.kind, n)
	rows = []row{
		against(what+": apply", 1.5, samples[ourApply], samples[gooseUp], gooseUp),
		against(what+": status", 1.5, samples[ourStatus], samples[gooseStatus], gooseStatus),
		memory(what+": memory", 24, samples[ourApply], samples[ourStatus]),
		memory(what+": memory of goose", 0, samples[gooseUp], samples[gooseStatus]),
	}
	if i.kind == onSQLite {
		return rows, nil
	}
	counted, err := countQueries(ctx, s, what, d, commands)
	return append(rows, counted...), err
}

// prepare makes the databases and applies everything.
func (i idle) prepare(ctx context.Context, s *site, n int) (done, func() error, error) {
	p, err := s.project(n)
	if err != nil {
		return done{}, nil, err
	}
	d := done{project: p, gooseDriver: "pgx"}
	var drops [2]func() error
	if i.kind == onSQLite {
		d.gooseDriver = "sqlite"
		d.ours, drops[0] = s.file()
		d.goose, drops[1] = s.file()
		d.ours = "sqlite:" + d.ours
	} else {
		for j, url := range []*string{&d.ours, &d.goose} {
			if *url, drops[j], err = s.database(ctx, false); err != nil {
				return d, nil, err
			}
		}
	}
	drop := func() error { return errors.Join(drops[0](), drops[1]()) }
	for _, c := range []command{s.stopover(p, d.ours, "apply", "--yes"), s.goose(p, d.gooseDriver, d.goose, "up")} {
		if _, err := s.run(ctx, c); err != nil {
			return d, nil, errors.Join(err, drop())
		}
	}
	return d, drop, nil
}

// countQueries runs the programs once more through a proxy that counts what
// they ask of the server.
func countQueries(ctx context.Context, s *site, what string, d done, commands map[string]command) ([]row, error) {
	var rows []row
	for _, c := range []struct {
		name  string
		url   string
		limit float64
	}{{ourApply, d.ours, 1}, {ourStatus, d.ours, 1}, {gooseUp, d.goose, 0}, {gooseStatus, d.goose, 0}} {
		proxy, err := startProxy(c.url)
		if err != nil {
			return nil, err
		}
		_, err = s.run(ctx, commands[c.name].through(c.url, proxy.url))
		err = errors.Join(err, proxy.close())
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{claim: fmt.Sprintf("%s: queries of %s", what, c.name), unit: messages,
			values: []float64{float64(proxy.queries())}, limit: c.limit})
	}
	return rows, nil
}

// through replaces a URL in the command's arguments and variables.
func (c command) through(url, by string) command {
	replace := func(list []string) []string {
		replaced := make([]string, len(list))
		for i, item := range list {
			switch item {
			case url:
				item = by
			case "DATABASE_URL=" + url:
				item = "DATABASE_URL=" + by
			}
			replaced[i] = item
		}
		return replaced
	}
	return command{argv: replace(c.argv), dir: c.dir, env: replace(c.env)}
}
