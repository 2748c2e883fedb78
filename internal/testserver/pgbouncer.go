package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Pooler is a private PgBouncer in front of a PostgreSQL server, in transaction
// mode: two statements of a client may meet two server connections.
type Pooler struct {
	port  int
	dir   string
	proc  *process
	owner *syscall.Credential
}

// Pooler starts a PgBouncer in front of the server.
func (s *PostgresServer) Pooler(t testing.TB) *Pooler {
	t.Helper()
	running.mu.Lock()
	defer running.mu.Unlock()
	pooler, err := newPooler(running.dir, s.port)
	if err != nil {
		t.Fatal(err)
	}
	running.servers = append(running.servers, pooler)
	t.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(pooler.dir, "log")); err == nil && t.Failed() {
			t.Logf("the log of PgBouncer ends:\n%s", log[max(0, len(log)-2000):])
		}
	})
	return pooler
}

func newPooler(parent string, behind int) (*Pooler, error) {
	program, err := findPooler()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "pgbouncer-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for PgBouncer: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 10
max_client_conn = 500
`, behind, port)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, fmt.Errorf("write the settings of PgBouncer: %w", err)
	}
	p := &Pooler{port: port, dir: dir, owner: unprivileged()}
	if p.owner != nil {
		if err := os.Chown(dir, int(p.owner.Uid), int(p.owner.Gid)); err != nil {
			return nil, fmt.Errorf("hand over the directory of PgBouncer: %w", err)
		}
	}
	if p.proc, err = launch(p.owner, dir, program, file); err != nil {
		return nil, err
	}
	return p, p.awaitReady(10 * time.Second)
}

func (p *Pooler) awaitReady(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err == nil {
			return conn.Close()
		}
		if ctx.Err() != nil || !p.proc.alive() {
			log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
			return errors.Join(fmt.Errorf("PgBouncer did not answer: %w", err), p.Stop(), fmt.Errorf("its log:\n%s", log))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// URL names a database of the server behind.
func (p *Pooler) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", p.port, database)
}

// Stop stops the pooler at once.
func (p *Pooler) Stop() error {
	if p.proc == nil {
		return nil
	}
	proc := p.proc
	p.proc = nil
	return proc.end(syscall.SIGTERM)
}

func findPooler() (string, error) {
	if _, err := os.Stat("/usr/sbin/pgbouncer"); err == nil {
		return "/usr/sbin/pgbouncer", nil
	}
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		return "", errors.New("PgBouncer is not installed (neither /usr/sbin/pgbouncer nor in the search path): run `make setup`")
	}
	return path, nil
}
