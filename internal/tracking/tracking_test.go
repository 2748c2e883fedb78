package tracking

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// heard is what a connection hands over.
type heard struct {
	mu      sync.Mutex
	keys    []string
	emptied int
}

func (h *heard) options(prefixes ...string) Options {
	return Options{
		Name: "stopover-test", Prefixes: prefixes,
		Changed: func(keys []string) { h.mu.Lock(); defer h.mu.Unlock(); h.keys = append(h.keys, keys...) },
		Emptied: func() { h.mu.Lock(); defer h.mu.Unlock(); h.emptied++ },
	}
}

func (h *heard) has(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.keys, key)
}

func dial(t *testing.T, server *testserver.RedisServer) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func start(t *testing.T, conn net.Conn, options Options) *Connection {
	t.Helper()
	c, err := Start(t.Context(), conn, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func barrier(t *testing.T, c *Connection) {
	t.Helper()
	if role, err := c.Role(t.Context()); err != nil || role != "master" {
		t.Fatalf("Role: %q, %v", role, err)
	}
}

// TestEveryChangeIsHeard makes each sort of change; one Role is enough to know
// that all have been handed over.
func TestEveryChangeIsHeard(t *testing.T) {
	for name, server := range map[string]*testserver.RedisServer{"redis": testserver.Redis(t), "valkey": testserver.Valkey(t)} {
		t.Run(name, func(t *testing.T) {
			var h heard
			c := start(t, dial(t, server), h.options("change:", "change:{", "change:"))
			binary := "change:\r\n\x00\xff"
			for _, made := range [][]any{
				{"SET", "change:set", "1"}, {"SET", "change:from", "1"}, {"RENAME", "change:from", "change:to"},
				{"HSET", "change:hash", "a", "1"}, {"PEXPIRE", "change:hash", "100000"},
				{"EVAL", "return redis.call('SADD', KEYS[1], 'a')", "1", "change:script"},
				{"SET", binary, "1"}, {"SET", "elsewhere:set", "1"}, {"DEL", "change:to"},
			} {
				server.Do(t, made...)
			}
			barrier(t, c)
			for _, key := range []string{"change:set", "change:from", "change:to", "change:hash", "change:script", binary} {
				if !h.has(key) {
					t.Errorf("the change of %q was not heard", key)
				}
			}
			if h.has("elsewhere:set") {
				t.Error("a key with another prefix was heard")
			}
		})
	}
}

func TestExpiryIsHeard(t *testing.T) {
	server := testserver.Redis(t)
	server.Do(t, "SET", "expiring:a", "1", "PX", "300")
	var h heard
	c := start(t, dial(t, server), h.options("expiring:"))
	for deadline := time.Now().Add(20 * time.Second); !h.has("expiring:a"); {
		if time.Now().After(deadline) {
			t.Fatal("the expiry was not heard")
		}
		barrier(t, c)
	}
}

// gate holds back what the server sends until it is opened.
type gate struct {
	net.Conn
	mu   sync.Mutex
	open chan struct{}
}

func (g *gate) Read(into []byte) (int, error) {
	n, err := g.Conn.Read(into)
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	<-open
	return n, err
}

func newGate(conn net.Conn) *gate {
	g := &gate{Conn: conn, open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) shut() (opening func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	open := make(chan struct{})
	g.open = open
	return sync.OnceFunc(func() { close(open) })
}

// TestRoleIsABarrier delays what the server sends: Role has not answered before
// the change was handed over.
func TestRoleIsABarrier(t *testing.T) {
	server := testserver.Redis(t)
	slow := newGate(dial(t, server))
	var h heard
	options := h.options("barrier:")
	inner := options.Changed
	options.Changed = func(keys []string) {
		time.Sleep(20 * time.Millisecond) // who does not wait for this is seen
		inner(keys)
	}
	c := start(t, slow, options)
	open := slow.shut()
	defer open()
	server.Do(t, "SET", "barrier:a", "1")
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Role(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Role behind a silent network: %v", err)
	}
	if h.has("barrier:a") {
		t.Fatal("the gate holds nothing back")
	}
	answered := make(chan error, 1)
	go func() {
		_, err := c.Role(t.Context())
		answered <- err
	}()
	open()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if !h.has("barrier:a") {
		t.Error("Role answered before the change was handed over")
	}
	barrier(t, c) // the answer that nobody waited for is nobody's
}

// TestBarriersOfMany asks from many goroutines: each answer is of its command.
func TestBarriersOfMany(t *testing.T) {
	server := testserver.Redis(t)
	var h heard
	c := start(t, dial(t, server), h.options("many:"))
	client := server.Client()
	defer client.Close()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 50 {
				key := fmt.Sprintf("many:%d:%d", i, k)
				if err := client.Set(t.Context(), key, "1", 0).Err(); err != nil {
					t.Error(err)
				}
				if role, err := c.Role(t.Context()); err != nil || role != "master" {
					t.Errorf("Role: %q, %v", role, err)
				}
				if !h.has(key) {
					t.Errorf("%s was not heard", key)
				}
			}
		})
	}
	all.Wait()
}

// TestEmptyingIsHeard also holds the package's comment to what servers do not
// tell.
func TestEmptyingIsHeard(t *testing.T) {
	server := testserver.OwnRedis(t)
	for words, want := range map[[3]any]bool{{"FLUSHALL", "SYNC"}: true, {"FLUSHDB", "ASYNC"}: true, {"SWAPDB", 0, 1}: false} {
		var h heard
		c := start(t, dial(t, server), h.options("a:"))
		client := server.Client()
		args := slices.DeleteFunc(words[:], func(word any) bool { return word == nil })
		if err := client.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
		client.Close()
		barrier(t, c)
		if got := h.emptied > 0; got != want {
			t.Errorf("%v was heard: %t", words, got)
		}
	}
}

// TestAKilledConnectionEnds is not made anew: what was missed meanwhile would
// be missed silently.
func TestAKilledConnectionEnds(t *testing.T) {
	server := testserver.Redis(t)
	var h heard
	options := h.options("killed:")
	options.Name = "stopover-killed"
	c := start(t, dial(t, server), options)
	client := server.Client()
	defer client.Close()
	id := ""
	for _, line := range strings.Split(client.ClientList(t.Context()).Val(), "\n") {
		if strings.Contains(line, "name=stopover-killed ") {
			id, _, _ = strings.Cut(strings.TrimPrefix(line, "id="), " ")
		}
	}
	server.Do(t, "CLIENT", "KILL", "ID", id)
	<-c.Done()
	if err := c.Err(); !errors.Is(err, io.EOF) {
		t.Errorf("Err of a killed connection: %v", err)
	}
	if _, err := c.Role(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("Role of a killed connection: %v", err)
	}
}

func TestClose(t *testing.T) {
	var h heard
	c := start(t, dial(t, testserver.Redis(t)), h.options("closed:"))
	if c.Err() != nil {
		t.Error(c.Err())
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Role(t.Context()); err != ErrClosed || c.Err() != ErrClosed {
		t.Errorf("after Close: %v, %v", err, c.Err())
	}
}

// TestLogins tries TLS with a password, a user with too few rights, and a wrong
// password. No error repeats the password.
func TestLogins(t *testing.T) {
	server := testserver.RedisTLS(t)
	server.Do(t, "ACL", "SETUSER", "deaf", "on", ">canary-of-deaf", "~*", "+@connection", "-client|tracking")
	pem, err := os.ReadFile(server.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	login := func(user, password string) (*Connection, error) {
		conn, err := tls.Dial("tcp", server.Addr(), &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Fatal(err)
		}
		var h heard
		options := h.options("login:")
		options.User, options.Password = user, password
		return Start(t.Context(), conn, options)
	}
	c, err := login("", server.Password)
	if err != nil {
		t.Fatal(err)
	}
	barrier(t, c)
	c.Close()
	for _, wrong := range []struct{ user, password, command, code string }{
		{"deaf", "canary-of-deaf", "CLIENT TRACKING", "NOPERM"}, {"", "canary-wrong", "HELLO", "WRONGPASS"}, {"", "", "HELLO", "NOAUTH"},
	} {
		_, err := login(wrong.user, wrong.password)
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || refusal.Command != wrong.command || !strings.HasPrefix(refusal.Message, wrong.code) || strings.Contains(err.Error(), "canary") {
			t.Errorf("login of %q: %v", wrong.user, err)
		}
	}
}

// TestAnOldServerRepeatsThePassword plays a server before Redis 6, of which
// there is none here.
func TestAnOldServerRepeatsThePassword(t *testing.T) {
	ours, its := net.Pipe()
	go func() {
		_, _ = its.Read(make([]byte, 1024))
		_, _ = io.WriteString(its, "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `a`, `canary`, \r\n")
	}()
	_, err := Start(t.Context(), ours, Options{User: "a", Password: "canary"})
	if _, ok := errors.AsType[*Refusal](err); !ok || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v", err)
	}
}

// TestAFrozenServer does not hold up who asks with a limit.
func TestAFrozenServer(t *testing.T) {
	server := testserver.OwnRedis(t)
	var h heard
	c := start(t, dial(t, server), h.options("frozen:"))
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Role(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Role of a frozen server: %v", err)
	}
	if err := server.Thaw(); err != nil {
		t.Fatal(err)
	}
	server.Do(t, "SET", "frozen:a", "1")
	barrier(t, c)
	if !h.has("frozen:a") {
		t.Error("what came after the thaw was not heard")
	}
}
