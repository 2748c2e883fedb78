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

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// RedisServer is a private Redis or Valkey server, without persistence.
type RedisServer struct {
	Port     int
	Password string // of the user "default"; "": none is asked for
	CA       string // file with the certificate that signed the server's; "": no TLS

	program string
	dir     string
	args    []string
	owner   *syscall.Credential
	proc    *process
}

// sharedRedis is a server, or a cluster, that the tests of this binary share.
type sharedRedis struct {
	servers []*RedisServer
	err     error // of the start, which is tried once
}

// Redis gives the standalone Redis server that the tests of this binary share.
// It is started when first asked for, which takes about 0.1 s.
func Redis(t testing.TB) *RedisServer {
	t.Helper()
	return running.sharedRedis(t, "redis", func() ([]*RedisServer, error) {
		return one(running.startRedis("redis-server"))
	})[0]
}

// RedisTLS is like Redis; the server takes connections with TLS only and asks
// for a password.
func RedisTLS(t testing.TB) *RedisServer {
	t.Helper()
	return running.sharedRedis(t, "tls", func() ([]*RedisServer, error) {
		return one(running.startRedisTLS())
	})[0]
}

// Valkey is like Redis; the server is Valkey.
func Valkey(t testing.TB) *RedisServer {
	t.Helper()
	return running.sharedRedis(t, "valkey", func() ([]*RedisServer, error) {
		return one(running.startRedis("valkey-server"))
	})[0]
}

// RedisCluster is like Redis; it gives the three masters of a cluster, which
// takes about 1 s.
func RedisCluster(t testing.TB) []*RedisServer {
	t.Helper()
	return running.sharedRedis(t, "cluster", running.startRedisCluster)
}

// OwnRedis starts a server for one test that means to do it harm. extra are
// arguments: "--maxmemory", "10mb".
func OwnRedis(t testing.TB, extra ...string) *RedisServer {
	t.Helper()
	running.mu.Lock()
	defer running.mu.Unlock()
	server, err := running.startRedis("redis-server", extra...)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// OwnRedisCluster starts a cluster of three masters for one test that means to
// do it harm.
func OwnRedisCluster(t testing.TB) []*RedisServer {
	t.Helper()
	running.mu.Lock()
	defer running.mu.Unlock()
	servers, err := running.startRedisCluster()
	if err != nil {
		t.Fatal(err)
	}
	return servers
}

func one(server *RedisServer, err error) ([]*RedisServer, error) { return []*RedisServer{server}, err }

func (f *fleet) sharedRedis(t testing.TB, sort string, start func() ([]*RedisServer, error)) []*RedisServer {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	shared := f.redis[sort]
	if shared == nil {
		shared = &sharedRedis{}
		shared.servers, shared.err = start()
		if f.redis == nil {
			f.redis = map[string]*sharedRedis{}
		}
		f.redis[sort] = shared
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.servers
}

// startRedis is called with f locked.
func (f *fleet) startRedis(program string, extra ...string) (*RedisServer, error) {
	server, err := f.newRedis(program, extra...)
	if err != nil {
		return nil, err
	}
	return server, f.keepRedis(server, server.start())
}

// newRedis is makeRedis for a server that ends with the tests.
func (f *fleet) newRedis(program string, extra ...string) (*RedisServer, error) {
	if !f.ready {
		return nil, errors.New("testserver.Run was not called: give the package a TestMain that does")
	}
	return makeRedis(f.dir, program, extra...)
}

// makeRedis makes a folder for a server below parent, and finds its program.
func makeRedis(parent, program string, extra ...string) (*RedisServer, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("%s is not installed: run `make setup`", program)
	}
	dir, err := os.MkdirTemp(parent, program+"-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for %s: %w", program, err)
	}
	s := &RedisServer{program: path, dir: dir, args: extra, owner: unprivileged()}
	if s.owner != nil {
		if err := os.Chown(dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return nil, fmt.Errorf("hand over the folder of %s: %w", program, err)
		}
	}
	return s, nil
}

func (f *fleet) keepRedis(s *RedisServer, err error) error {
	if err == nil {
		f.servers = append(f.servers, s)
	}
	return err
}

// start runs the server on its port, or on a free one the first time, and waits
// for the first answer.
func (s *RedisServer) start() error {
	fixed := s.Port != 0
	for attempt := 1; ; attempt++ {
		if !fixed {
			port, err := freePort()
			if err != nil {
				return err
			}
			s.Port = port
		}
		err := s.startOnce()
		if err == nil || attempt == 3 {
			return err
		}
	}
}

func (s *RedisServer) startOnce() error {
	args := []string{"--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir}
	if s.CA != "" {
		args = append(args, "--port", "0", "--tls-port", fmt.Sprint(s.Port))
	} else {
		args = append(args, "--port", fmt.Sprint(s.Port))
	}
	proc, err := launch(s.owner, s.dir, s.program, append(args, s.args...)...)
	if err != nil {
		return err
	}
	s.proc = proc
	if err := s.awaitReady(20 * time.Second); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return errors.Join(err, s.Stop(), fmt.Errorf("its log:\n%s", log))
	}
	return nil
}

func (s *RedisServer) awaitReady(limit time.Duration) error {
	client := s.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		err := s.ping(ctx, client)
		if err == nil {
			return nil
		}
		if !s.proc.alive() {
			return fmt.Errorf("%s ended at once: %w", s.proc.name, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not answer within %s: %w", s.proc.name, limit, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ping dials by itself first: the client would log each refusal.
func (s *RedisServer) ping(ctx context.Context, client *redis.Client) error {
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		return err
	}
	return errors.Join(conn.Close(), client.Ping(ctx).Err())
}

// Addr is the server's host and port.
func (s *RedisServer) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// URL names the server, with its password.
func (s *RedisServer) URL() string { return s.URLAs("", s.Password) }

// URLAs names the server as another user.
func (s *RedisServer) URLAs(user, password string) string {
	scheme, login := "redis", ""
	if s.CA != "" {
		scheme = "rediss"
	}
	if user != "" || password != "" {
		login = user + ":" + password + "@"
	}
	return scheme + "://" + login + s.Addr()
}

// Client makes a client, which the caller closes.
func (s *RedisServer) Client() *redis.Client {
	options := &redis.Options{
		Addr: s.Addr(), Password: s.Password, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, Protocol: 2,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if s.CA != "" {
		options.TLSConfig = trusting(s.CA)
	}
	return redis.NewClient(options)
}

// Do sends a command and gives its answer.
func (s *RedisServer) Do(t testing.TB, args ...any) any {
	t.Helper()
	client := s.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	answer, err := client.Do(ctx, args...).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatalf("%v: %v", args, err)
	}
	return answer
}

// Stop stops the server at once. Stopping a stopped one does nothing.
func (s *RedisServer) Stop() error {
	if s.proc == nil {
		return nil
	}
	proc := s.proc
	s.proc = nil
	return proc.end(syscall.SIGKILL)
}

// Freeze stops the server's process where it stands, and Thaw lets it go on.
func (s *RedisServer) Freeze() error { return s.proc.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *RedisServer) Thaw() error { return s.proc.cmd.Process.Signal(syscall.SIGCONT) }

// Restart stops the server at once and starts it, empty, on the same port.
func (s *RedisServer) Restart(t testing.TB) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatalf("stop redis: %v", err)
	}
	if err := s.start(); err != nil {
		t.Fatalf("start redis again: %v", err)
	}
}
