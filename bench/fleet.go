package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

const (
	joiners        = 500
	connections    = 50 // of processes that join, one each
	manyInstances  = 1000
	renewalsWithin = 20 * time.Second // a third of a lease's life: each is renewed once
	fleetRounds    = 5
)

// measureFleet has instances start together, live, and be looked at.
func measureFleet(ctx context.Context, s *site) (rows []row, err error) {
	p, err := s.shop()
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
	fleet, err := openFleet(p, url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, fleet.close()) }()
	gate, err := fleet.gate(ctx, s.times(20))
	if err != nil {
		return nil, err
	}
	together := row{claim: fmt.Sprintf("%d joins over %d connections", joiners, connections), unit: long3, limit: 3}
	for range s.times(fleetRounds) {
		took, err := fleet.join(ctx, joiners)
		if err != nil {
			return nil, err
		}
		together.values = append(together.values, took.Seconds())
		if len(together.values) < s.times(fleetRounds) {
			fleet.leave(ctx)
		}
	}
	share, err := serverShare(ctx, url)
	if err != nil {
		return nil, err
	}
	renewal := row{claim: fmt.Sprintf("renewal of %d instances: of a core of the server", joiners), unit: percent, values: []float64{100 * share}, limit: 2,
		note: fmt.Sprintf("over %s, each renewed once", renewalsWithin)}
	if _, err := fleet.join(ctx, manyInstances-joiners); err != nil {
		return nil, err
	}
	rows = []row{gate, together, renewal}
	for _, words := range [][]string{{"fleet"}, {"plan", "--to", "1.2"}} {
		r := row{claim: fmt.Sprintf("%d instances: %s", manyInstances, words[0]), unit: millis, limit: 200}
		for range s.times(9) {
			one, err := s.run(ctx, s.stopover(p, url, words...))
			if err != nil {
				return nil, err
			}
			r.values = append(r.values, one.wall.Seconds()*1000)
		}
		rows = append(rows, r)
	}
	fleet.leave(ctx)
	return rows, nil
}

// shop is a project with releases and a hundred migrations.
func (s *site) shop() (project, error) {
	root := filepath.Join(s.dir, "shop")
	main := filepath.Join(root, "migrations", "main")
	if err := os.MkdirAll(main, 0o755); err != nil {
		return project{}, err
	}
	config := "application: shop\nstores:\n  main: {url: \"${DATABASE_URL}\", migrations: migrations/main}\ncomponents:\n  api: {main: rw}\n  web: {main: ro}\nreleases: [\"1.1\", \"1.2\"]\n"
	if err := os.WriteFile(filepath.Join(root, "stopover.yaml"), []byte(config), 0o644); err != nil {
		return project{}, err
	}
	for i := 1; i <= 100; i++ {
		text := fmt.Sprintf("-- stopover: expand needs=1.1\nCREATE TABLE t%d (a int);\n", i)
		if err := os.WriteFile(filepath.Join(main, fmt.Sprintf("%05d_t.sql", i)), []byte(text), 0o644); err != nil {
			return project{}, err
		}
	}
	return project{stopover: root}, nil
}

// instances are processes of an application, here in one process: each App has
// connections of its own.
type instances struct {
	apps   []*stopover.App
	mu     sync.Mutex
	joined []*stopover.Instance
	made   int
}

func openFleet(p project, url string) (*instances, error) {
	f := &instances{}
	for range connections {
		app, err := stopover.Open(stopover.Config{Kinds: []store.Kind{postgres.Kind()}, Dir: p.stopover, Release: "1.1",
			Lookup: func(string) (string, bool) { return url, true }})
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.apps = append(f.apps, app)
	}
	return f, nil
}

// gate asks whether a release may start, on a store at rest.
func (f *instances) gate(ctx context.Context, times int) (row, error) {
	r := row{claim: "the gate on a store at rest, 100 steps", unit: millis, limit: 5}
	for i := range times + 1 {
		begun := time.Now()
		if _, err := f.apps[0].Ready(ctx, stopover.ReadyOptions{Component: "api"}); err != nil {
			return r, err
		}
		if i > 0 { // the first connects
			r.values = append(r.values, time.Since(begun).Seconds()*1000)
		}
	}
	return r, nil
}

// join has so many instances join at once, and gives how long it took until the
// last one was in.
func (f *instances) join(ctx context.Context, n int) (time.Duration, error) {
	errs := make([]error, len(f.apps))
	begun := time.Now()
	var group sync.WaitGroup
	for k, app := range f.apps {
		group.Go(func() {
			for range n / len(f.apps) {
				f.mu.Lock()
				f.made++
				name := fmt.Sprintf("api-%d", f.made)
				f.mu.Unlock()
				i, err := app.Join(ctx, stopover.JoinOptions{Component: "api", Instance: name})
				if err != nil {
					errs[k] = err
					return
				}
				f.mu.Lock()
				f.joined = append(f.joined, i)
				f.mu.Unlock()
			}
		})
	}
	group.Wait()
	return time.Since(begun), errors.Join(errs...)
}

// leave has all of them leave.
func (f *instances) leave(ctx context.Context) {
	var group sync.WaitGroup
	for part := range connections {
		group.Go(func() {
			for i := part; i < len(f.joined); i += connections {
				f.joined[i].Leave(ctx)
			}
		})
	}
	group.Wait()
	f.joined = nil
}

func (f *instances) close() error {
	var errs []error
	for _, app := range f.apps {
		errs = append(errs, app.Close())
	}
	return errors.Join(errs...)
}

// serverShare is how much of a core the PostgreSQL server uses while the leases
// are renewed.
func serverShare(ctx context.Context, url string) (float64, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	before, err := serverTicks(int(conn.PgConn().PID()))
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	time.Sleep(renewalsWithin)
	after, err := serverTicks(int(conn.PgConn().PID()))
	const ticksASecond = 100 // of all Linux systems that Go runs on
	return float64(after-before) / ticksASecond / time.Since(begun).Seconds(), err
}

// serverTicks adds up the processor time of a backend's server: of its main
// process, with the children that have ended, and of the children.
func serverTicks(backend int) (int64, error) {
	_, main, err := readStat(backend)
	if err != nil {
		return 0, err
	}
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		ticks, parent, err := readStat(pid)
		if err == nil && (pid == main || parent == main) {
			sum += ticks
		}
	}
	return sum, nil
}

// readStat reads a process's time in ticks, and its parent.
func readStat(pid int) (ticks int64, parent int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, fmt.Errorf("/proc/%d/stat cannot be read", pid)
	}
	for _, field := range fields[11:15] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		ticks += n
	}
	parent, err = strconv.Atoi(fields[1])
	return ticks, parent, err
}
