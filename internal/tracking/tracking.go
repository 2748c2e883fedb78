// Package tracking hears from one Redis or Valkey server which keys change, by
// CLIENT TRACKING in broadcast mode on a connection of its own. It is no
// client: besides what it takes to listen it sends only ROLE.
//
// The invariant: events and answers come over one connection, in the order in
// which the server wrote them, and the server writes the event of a change
// before it acknowledges that change. So when Role has answered, every change
// that was acknowledged before Role was called has been handed over. An event
// names a key and nothing else, not even its database: it is a hint to look at
// the key again. SWAPDB is the one change of which servers tell nothing.
//
// A connection never comes back by itself: what happened while it was away
// would be missed silently. It ends, once, and Done says so.
package tracking

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Options say what to listen to, and who gets it. Both functions are called one
// after the other by the goroutine that reads, before Start returns already:
// they must be quick, and must not wait for the Connection.
type Options struct {
	User, Password string   // "" and "": none is sent; User "": the default user
	Name           string   // of the connection, as CLIENT LIST shows it; without spaces
	Prefixes       []string // of keys; none: all keys

	Changed func(keys []string) // keys that were written, deleted, evicted, or that expired
	Emptied func()              // FLUSHALL or FLUSHDB of any database: all keys may have changed
}

// Refusal is a command that the server answered with an error.
type Refusal struct {
	Command string // first words, without arguments
	Message string // of the server, which begins with a code: "NOPERM ..."
}

func (r *Refusal) Error() string { return r.Command + ": " + r.Message }

// ErrClosed is the end of a connection by Close.
var ErrClosed = errors.New("the tracking connection was closed")

// writeLimit is how long a command may take to be handed to the network.
const writeLimit = 10 * time.Second

// Connection listens until it ends.
type Connection struct {
	options Options
	conn    net.Conn
	done    chan struct{}

	mu      sync.Mutex
	waiting []chan any // for answers, in the order of the commands
	err     error      // why it ended
}

// Start takes over a connection that nothing was sent on yet, logs in, and
// listens. When it has returned without an error, no later change is missed
// before Done is closed. If it fails the connection is closed. A *Refusal says
// that the server does not allow it, or is older than Redis 6.
func Start(ctx context.Context, conn net.Conn, options Options) (*Connection, error) {
	c := &Connection{options: options, conn: conn, done: make(chan struct{})}
	go c.read()
	if err := c.begin(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Connection) begin(ctx context.Context) error {
	hello := []string{"HELLO", "3"}
	if c.options.Password != "" || c.options.User != "" {
		user := c.options.User
		if user == "" {
			user = "default"
		}
		hello = append(hello, "AUTH", user, c.options.Password)
	}
	if c.options.Name != "" {
		hello = append(hello, "SETNAME", c.options.Name)
	}
	if _, err := c.ask(ctx, "HELLO", hello); err != nil {
		return err
	}
	track := []string{"CLIENT", "TRACKING", "ON", "BCAST"}
	for _, prefix := range disjoint(c.options.Prefixes) {
		track = append(track, "PREFIX", prefix)
	}
	_, err := c.ask(ctx, "CLIENT TRACKING", track)
	return err
}

// disjoint leaves out prefixes that begin with another: the server refuses them.
func disjoint(prefixes []string) []string {
	var kept []string
	for i, prefix := range prefixes {
		covered := false
		for k, other := range prefixes {
			covered = covered || strings.HasPrefix(prefix, other) && (other != prefix || k < i)
		}
		if prefix == "" {
			return nil
		}
		if !covered {
			kept = append(kept, prefix)
		}
	}
	return kept
}

// Role asks for the server's role, "master" or "slave". It is the barrier: what
// was acknowledged to anyone before the call has been handed over when it
// returns. A demoted master keeps this connection open, so the role has to be
// looked at. If ctx ends first nothing is known; the connection stays.
func (c *Connection) Role(ctx context.Context) (string, error) {
	answer, err := c.ask(ctx, "ROLE", []string{"ROLE"})
	if err != nil {
		return "", err
	}
	if parts, ok := answer.([]any); ok && len(parts) > 0 {
		if role, ok := parts[0].(string); ok {
			return role, nil
		}
	}
	return "", fmt.Errorf("ROLE: the answer %v names no role", answer)
}

// Done is closed when the connection has ended: from then on changes are missed.
func (c *Connection) Done() <-chan struct{} { return c.done }

// Err says why the connection ended; nil while it stands.
func (c *Connection) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection. When it returns neither function of Options is
// called any more.
func (c *Connection) Close() error {
	c.end(ErrClosed)
	<-c.done
	return nil
}

// end keeps the first reason. The reader then finds the connection closed.
func (c *Connection) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = why
		_ = c.conn.Close() // it is given up either way
	}
}

// ask sends a command and waits for its answer.
func (c *Connection) ask(ctx context.Context, name string, words []string) (any, error) {
	answer, err := c.send(words)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.done:
		// The answer may have come just before the end.
		select {
		case got := <-answer:
			return accepted(name, got)
		default:
			return nil, c.Err()
		}
	case got := <-answer:
		return accepted(name, got)
	}
}

func accepted(name string, answer any) (any, error) {
	if message, wrong := answer.(failure); wrong {
		// An old server repeats what it does not know, the password with it.
		text, _, _ := strings.Cut(string(message), ", with args beginning with")
		return nil, &Refusal{Command: name, Message: text}
	}
	return answer, nil
}

// send writes a command, and queues for its answer in the same moment.
func (c *Connection) send(words []string) (<-chan any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	answer := make(chan any, 1) // nobody may be waiting any more
	c.waiting = append(c.waiting, answer)
	err := c.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if err == nil {
		_, err = c.conn.Write(command(words))
	}
	if err != nil {
		// A part of it may have left: nothing that follows would be understood.
		c.err = fmt.Errorf("write to the tracking connection: %w", err)
		_ = c.conn.Close()
		return nil, c.err
	}
	return answer, nil
}
