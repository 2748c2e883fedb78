package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby copies the server as it is, and starts the copy as a replica that
// follows it and takes no writes. extra are settings,
// "recovery_min_apply_delay=3s".
func (s *PostgresServer) Standby(t testing.TB, extra ...string) *PostgresServer {
	t.Helper()
	running.mu.Lock()
	defer running.mu.Unlock()
	standby, err := s.copied(running.dir)
	for _, setting := range extra {
		err = errors.Join(err, standby.configure(setting))
	}
	if err == nil {
		err = standby.start()
	}
	if err != nil {
		t.Fatal(err)
	}
	running.servers = append(running.servers, standby)
	return standby
}

// copied makes a data directory from a base backup.
func (s *PostgresServer) copied(parent string) (*PostgresServer, error) {
	dir, err := os.MkdirTemp(parent, "standby-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the standby: %w", err)
	}
	standby := &PostgresServer{bin: s.bin, dir: dir, owner: s.owner}
	if s.owner != nil {
		if err := os.Chown(dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return standby, fmt.Errorf("hand over the standby's directory: %w", err)
		}
	}
	backup := exec.Command(filepath.Join(s.bin, "pg_basebackup"), "-h", "127.0.0.1", "-p", fmt.Sprint(s.port), "-U", "postgres",
		"-D", filepath.Join(dir, "data"), "-R", "-X", "stream", "--checkpoint=fast", "--no-sync")
	backup.Dir = dir
	backup.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Pdeathsig: syscall.SIGKILL}
	if out, err := backup.CombinedOutput(); err != nil {
		return standby, fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	return standby, nil
}

// Follows waits until a standby streams from the server.
func (s *PostgresServer) Follows(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err != nil {
			t.Fatalf("look for the standby: %v", err)
		}
		n := 0
		err = conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'").Scan(&n)
		conn.Close(ctx)
		if err == nil && n > 0 {
			return
		}
		if ctx.Err() != nil {
			t.Fatal("no standby follows")
		}
		time.Sleep(10 * time.Millisecond)
	}
}
