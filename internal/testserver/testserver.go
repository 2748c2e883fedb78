// Package testserver starts private servers for tests: on free loopback
// ports, with their data in a temporary directory, stopped when the test binary
// ends. It is imported by tests only.
//
// A server that is not installed fails the test loudly. It never skips: a suite
// that is green because it did not run proves nothing.
//
// A package that uses it hands its tests over in TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }
//
// A test that starts its own binary again as a child gives the child the URL by
// an environment variable; the child starts no server.
package testserver

import (
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
)

// fleet is what runs in this test binary. Tests of one package share one
// server of a sort and have a database each.
type fleet struct {
	mu      sync.Mutex
	ready   bool
	dir     string
	servers []stopper
	shared  map[int]*sharedPostgres // by major version
	redis   map[string]*sharedRedis
}

type stopper interface{ Stop() error }

var running fleet

// Run runs the tests of a package and stops what they started. It gives the
// exit code for os.Exit.
func Run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "stopover-servers-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a directory for test servers:", err)
		return 1
	}
	// A server that runs as another user has to get through to its own folder.
	if err := os.Chmod(dir, 0o711); err != nil {
		fmt.Fprintln(os.Stderr, "open the directory for test servers:", err)
		return 1
	}
	running.mu.Lock()
	running.ready, running.dir = true, dir
	running.mu.Unlock()
	code := m.Run()
	if err := running.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop test servers:", err)
		code = max(code, 1)
	}
	return code
}

func (f *fleet) stop() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var first error
	for _, server := range f.servers {
		if err := server.Stop(); err != nil && first == nil {
			first = err
		}
	}
	f.servers = nil
	if err := os.RemoveAll(f.dir); err != nil && first == nil {
		first = err
	}
	return first
}

// freePort finds a loopback port that nobody listens on. Another process may
// take it before the server does: then the start fails and is tried again.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}
