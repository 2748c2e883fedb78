package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// site is where the measuring is done: folders, programs, servers.
type site struct {
	options
	dir      string            // of migrations and programs
	fast     string            // of databases: in memory, where there is such a place
	programs map[string]string // paths by name
	servers  map[bool]*testserver.PostgresServer
	folders  []string
	made     int    // databases
	redis    string // version of the servers, "" as long as there was none
}

// openSite makes the folders and builds the programs: stopover as anyone builds
// it, the others from this module.
func openSite(ctx context.Context, o options) (*site, error) {
	s := &site{options: o, programs: map[string]string{}, servers: map[bool]*testserver.PostgresServer{}}
	var err error
	if s.dir, err = s.folder(""); err != nil {
		return nil, err
	}
	if s.fast, err = s.folder("/dev/shm"); err != nil {
		s.fast = s.dir
	}
	if err := s.build(ctx, "..", "./cmd/stopover", "stopover"); err != nil {
		return nil, errors.Join(err, s.close())
	}
	for _, name := range []string{"measure", "floor", "goose", "tern", "single", "planner", "loop", "redisloop"} {
		if err := s.build(ctx, ".", "./cmd/"+name, name); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// folder makes a folder that a server of another user can pass through.
func (s *site) folder(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, "stopover-bench-")
	if err != nil {
		return "", err
	}
	s.folders = append(s.folders, dir)
	return dir, os.Chmod(dir, 0o711)
}

func (s *site) build(ctx context.Context, dir, pkg, name string) error {
	s.programs[name] = filepath.Join(s.dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-o", s.programs[name], pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// close stops the servers and takes the folders away.
func (s *site) close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Stop())
	}
	for _, dir := range s.folders {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

// server gives the PostgreSQL server: in memory and without syncing, or durable
// on the disk.
func (s *site) server(durable bool) (*testserver.PostgresServer, error) {
	if server := s.servers[durable]; server != nil {
		return server, nil
	}
	dir, settings := s.fast, []string{"synchronous_commit=off", "autovacuum=off", "max_connections=300"}
	if durable {
		dir, settings = s.dir, []string{"fsync=on", "full_page_writes=on", "synchronous_commit=on", "autovacuum=off"}
	}
	server, err := testserver.StartPostgres(dir, settings...)
	if err == nil {
		s.servers[durable] = server
	}
	return server, err
}

// database makes an empty database and gives its URL, and what drops it.
func (s *site) database(ctx context.Context, durable bool) (url string, drop func() error, err error) {
	server, err := s.server(durable)
	if err != nil {
		return "", nil, err
	}
	s.made++
	name := fmt.Sprintf("bench_%d", s.made)
	if err := administer(ctx, server, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	drop = func() error { return administer(ctx, server, "DROP DATABASE "+name+" WITH (FORCE)", "CHECKPOINT") }
	return server.URL(name), drop, nil
}

func administer(ctx context.Context, server *testserver.PostgresServer, statements ...string) error {
	conn, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", statement, err), conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}

// file names a SQLite file that does not exist, and gives what takes it away.
func (s *site) file() (name string, remove func() error) {
	s.made++
	name = filepath.Join(s.fast, fmt.Sprintf("bench-%d.db", s.made))
	return name, func() error {
		for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
			if err := os.Remove(name + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		return nil
	}
}

// size and times of a part, made smaller by -quick and changed by -rounds.
func (s *site) size(n int) int {
	if s.quick {
		return n / 5
	}
	return n
}

func (s *site) times(rounds int) int {
	switch {
	case s.rounds > 0:
		return s.rounds
	case s.quick:
		return 3
	}
	return rounds
}
