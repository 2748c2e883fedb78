package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresServer is a private PostgreSQL server. Its superuser is "postgres",
// without a password; roles with passwords log in with any (trust).
type PostgresServer struct {
	bin   string
	dir   string
	port  int
	owner *syscall.Credential
	extra []string // settings of its command line, stronger than those below
	proc  *process
	made  atomic.Int64 // databases
}

// Postgres gives the PostgreSQL server that the tests of this binary share. It
// is started when first asked for, which takes about 1.5 s.
func Postgres(t testing.TB) *PostgresServer {
	t.Helper()
	return PostgresOf(t, 0)
}

// PostgresOf gives the shared server of a major version; 0: the one that the
// machine has.
func PostgresOf(t testing.TB, major int) *PostgresServer {
	t.Helper()
	running.mu.Lock()
	defer running.mu.Unlock()
	tried := running.shared[major]
	if tried == nil {
		tried = &sharedPostgres{}
		tried.server, tried.err = running.startPostgres(major)
		if running.shared == nil {
			running.shared = map[int]*sharedPostgres{}
		}
		running.shared[major] = tried
	}
	if tried.err != nil {
		t.Fatal(tried.err)
	}
	return tried.server
}

// sharedPostgres is a server that was started once, or was tried to.
type sharedPostgres struct {
	server *PostgresServer
	err    error
}

// OwnPostgres starts a server for one test that means to do it harm: to restart
// it, or to fill it up. extra are settings, "max_connections=10".
func OwnPostgres(t testing.TB, extra ...string) *PostgresServer {
	t.Helper()
	running.mu.Lock()
	server, err := running.startPostgres(0, extra...)
	running.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func (f *fleet) startPostgres(major int, extra ...string) (*PostgresServer, error) {
	if !f.ready {
		return nil, errors.New("testserver.Run was not called: give the package a TestMain that does")
	}
	server, err := newPostgres(f.dir, major)
	if err != nil {
		return nil, err
	}
	for _, setting := range extra {
		if err := server.configure(setting); err != nil {
			return nil, err
		}
	}
	if err := server.start(); err != nil {
		return nil, err
	}
	f.servers = append(f.servers, server)
	return server, nil
}

// newPostgres makes a data directory below parent.
func newPostgres(parent string, major int) (*PostgresServer, error) {
	bin, err := findPostgres(major)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "postgres-")
	if err != nil {
		return nil, fmt.Errorf("make a data directory: %w", err)
	}
	owner := unprivileged()
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return nil, fmt.Errorf("hand over the data directory: %w", err)
		}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"),
		"-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGKILL}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return &PostgresServer{bin: bin, dir: dir, owner: owner}, nil
}

func (s *PostgresServer) configure(setting string) error {
	file, err := os.OpenFile(filepath.Join(s.dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("open postgresql.conf: %w", err)
	}
	_, err = fmt.Fprintln(file, setting)
	return errors.Join(err, file.Close())
}

// start runs the server on its port, or on a free one the first time, and
// waits for the first answer.
func (s *PostgresServer) start() error {
	fixed := s.port != 0
	for attempt := 1; ; attempt++ {
		if !fixed {
			port, err := freePort()
			if err != nil {
				return err
			}
			s.port = port
		}
		err := s.startOnce()
		if err == nil || attempt == 3 {
			return err
		}
	}
}

func (s *PostgresServer) startOnce() error {
	settings := []string{"-D", filepath.Join(s.dir, "data"), "-p", fmt.Sprint(s.port), "-k", s.dir}
	// Commits are written (not synced), so that what was acknowledged outlives
	// a crash of the server alone.
	for _, setting := range []string{"listen_addresses=127.0.0.1", "fsync=off",
		"full_page_writes=off", "max_wal_size=4GB"} {
		settings = append(settings, "-c", setting)
	}
	for _, setting := range s.extra {
		settings = append(settings, "-c", setting)
	}
	proc, err := launch(s.owner, s.dir, filepath.Join(s.bin, "postgres"), settings...)
	if err != nil {
		return err
	}
	s.proc = proc
	if err := s.awaitReady(30 * time.Second); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return errors.Join(err, s.Stop(), fmt.Errorf("its log:\n%s", log))
	}
	return nil
}

// awaitReady asks until the server answers, or has died.
func (s *PostgresServer) awaitReady(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if !s.proc.alive() {
			return fmt.Errorf("postgres ended at once: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("postgres did not answer within %s: %w", limit, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// URL names a database of this server, as its superuser.
func (s *PostgresServer) URL(database string) string { return s.URLAs("postgres", "", database) }

// URLAs names a database of this server as another role.
func (s *PostgresServer) URLAs(role, password, database string) string {
	if password != "" {
		role += ":" + password
	}
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", role, s.port, database)
}

// Database makes an empty database for one test and gives its name. It goes
// away with the server.
func (s *PostgresServer) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.made.Add(1))
	s.Exec(t, "postgres", "CREATE DATABASE "+name)
	return name
}

// TryNewURL is NewURL for callers without a test at hand.
func (s *PostgresServer) TryNewURL(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test_%d", s.made.Add(1))
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return "", fmt.Errorf("connect to make database %s: %w", name, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("make database %s: %w", name, err)
	}
	return s.URL(name), nil
}

// NewURL makes an empty database for one test and gives its URL.
func (s *PostgresServer) NewURL(t testing.TB) string {
	t.Helper()
	return s.URL(s.Database(t))
}

// Exec runs statements on a database as superuser.
func (s *PostgresServer) Exec(t testing.TB, database, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		t.Fatalf("connect to %s: %v", database, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// Stop stops the server at once, as a crash does: it recovers at its next
// start. Stopping a stopped one does nothing.
func (s *PostgresServer) Stop() error {
	if s.proc == nil {
		return nil
	}
	proc := s.proc
	s.proc = nil
	return proc.end(syscall.SIGQUIT)
}

// Restart stops the server at once and starts it on the same port.
func (s *PostgresServer) Restart(t testing.TB) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatalf("stop postgres: %v", err)
	}
	if err := s.start(); err != nil {
		t.Fatalf("start postgres again: %v", err)
	}
}
