package main

import (
	"context"
	"fmt"
)

// Names of the contestants.
const (
	theFloor = "the floor"
	batched  = "stopover"
	oneByOne = "stopover, one by one"
	goose    = "goose"
	tern     = "tern"
)

// postgresRun measures whole runs of migrations on fresh PostgreSQL databases.
type postgresRun struct {
	migrations int
	rounds     int
	durable    bool // every commit is synced to the disk
}

func (r postgresRun) measure(ctx context.Context, s *site) ([]row, error) {
	n := s.size(r.migrations)
	p, err := s.project(n)
	if err != nil {
		return nil, err
	}
	fresh := func(name string, make func(url string) command) contestant {
		return contestant{name, func(ctx context.Context) (command, func() error, error) {
			url, drop, err := s.database(ctx, r.durable)
			if err != nil {
				return command{}, nil, err
			}
			return make(url), drop, nil
		}}
	}
	samples, err := race(ctx, s, s.times(r.rounds), []contestant{
		fresh(theFloor, func(url string) command {
			return command{argv: []string{s.programs["floor"], "postgres", url, p.plain}}
		}),
		fresh(batched, func(url string) command { return s.stopover(p, url, "apply", "--yes") }),
		fresh(oneByOne, func(url string) command {
			return command{argv: []string{s.programs["single"]}, dir: p.stopover, env: []string{"DATABASE_URL=" + url}}
		}),
		fresh(goose, func(url string) command { return s.goose(p, "pgx", url, "up") }),
		fresh(tern, func(url string) command { return command{argv: []string{s.programs["tern"], url, p.plain}} }),
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("PostgreSQL, %d migrations", n)
	if r.durable {
		what += ", fsync on"
	}
	floor := samples[theFloor]
	return []row{
		against(what+": apply", 1.0, samples[batched], floor, theFloor),
		against(what+": one by one", 1.4, samples[oneByOne], floor, theFloor),
		against(what+": goose", 0, samples[goose], floor, theFloor),
		against(what+": tern", 0, samples[tern], floor, theFloor),
		memory(what+": memory of apply", 0, samples[batched]),
		memory(what+": memory of goose", 0, samples[goose]),
	}, nil
}

// sqliteRun measures whole runs of migrations on fresh SQLite files.
type sqliteRun struct{ migrations, rounds int }

func (r sqliteRun) measure(ctx context.Context, s *site) ([]row, error) {
	n := s.size(r.migrations)
	p, err := s.project(n)
	if err != nil {
		return nil, err
	}
	fresh := func(name string, make func(file string) command) contestant {
		return contestant{name, func(context.Context) (command, func() error, error) {
			file, remove := s.file()
			return make(file), remove, nil
		}}
	}
	samples, err := race(ctx, s, s.times(r.rounds), []contestant{
		fresh(theFloor, func(file string) command {
			return command{argv: []string{s.programs["floor"], "sqlite", file, p.plain}}
		}),
		fresh(batched, func(file string) command { return s.stopover(p, "sqlite:"+file, "apply", "--yes") }),
		fresh(goose, func(file string) command { return s.goose(p, "sqlite", file, "up") }),
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("SQLite, %d migrations", n)
	floor := samples[theFloor]
	return []row{
		against(what+": apply", 1.3, samples[batched], floor, theFloor),
		against(what+": goose", 0, samples[goose], floor, theFloor),
		memory(what+": memory of apply", 0, samples[batched]),
		memory(what+": memory of goose", 0, samples[goose]),
	}, nil
}

// stopover runs the command as it is built for users.
func (s *site) stopover(p project, url string, args ...string) command {
	return command{argv: append([]string{s.programs["stopover"]}, args...), dir: p.stopover, env: []string{"DATABASE_URL=" + url}}
}

// goose runs goose's own library with nothing around it.
func (s *site) goose(p project, driver, url, what string) command {
	return command{argv: []string{s.programs["goose"], driver, url, p.goose, what}}
}
