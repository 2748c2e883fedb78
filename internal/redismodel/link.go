package redismodel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// link is one goroutine's connections to a side. It repeats a command only when
// a server has said that it did not do it, or when it was never sent: a client
// that repeats by itself would make the very faults that are looked for.
type link struct {
	side   Side
	nodes  map[string]*goredis.Client // by address
	owners []string                   // addresses by slot; nil: to be asked for
}

// fate is what became of a command.
type fate int

const (
	answered fate = iota
	refused       // the server did nothing and said why
	denied        // likewise: the user may not
	unknown       // it was sent, and no answer came
	unsent        // the time was over before
)

func newLink(side Side) *link { return &link{side: side, nodes: map[string]*goredis.Client{}} }

func (l *link) close() error {
	var all []error
	for _, node := range l.nodes {
		all = append(all, node.Close())
	}
	return errors.Join(all...)
}

// dialError says that there was no connection, so nothing was sent.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

func (l *link) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	dial := l.side.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, network, addr)
	if err != nil {
		return nil, &dialError{err}
	}
	return conn, nil
}

func (l *link) node(addr string) *goredis.Client {
	if l.nodes[addr] == nil {
		timeout := l.side.Timeout
		if timeout == 0 {
			timeout = 3 * time.Second
		}
		l.nodes[addr] = goredis.NewClient(&goredis.Options{
			Addr: addr, Username: l.side.User, Password: l.side.Password, Dialer: l.dial,
			Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, PoolSize: 2,
			DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout,
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		})
	}
	return l.nodes[addr]
}

// drop forgets what is known of a cluster, and the connections to a node: a
// client that failed to connect does not try again for a second.
func (l *link) drop(addr string) {
	l.owners = nil
	if node := l.nodes[addr]; node != nil {
		node.Close()
		delete(l.nodes, addr)
	}
}

// owner gives the address of the node with a key.
func (l *link) owner(name string) (string, error) {
	if !l.side.Cluster {
		return l.side.Addrs[0], nil
	}
	if l.owners == nil {
		if err := l.ask(); err != nil {
			return "", err
		}
	}
	if addr := l.owners[slotOf(name)]; addr != "" {
		return addr, nil
	}
	l.owners = nil
	return "", fmt.Errorf("nobody has the slot of %s", name)
}

// ask reads the map of slots from the first node that answers.
func (l *link) ask() error {
	var all []error
	for _, addr := range l.side.Addrs {
		//lint:ignore SA1019 Valkey and old servers have it too
		ranges, err := l.node(addr).ClusterSlots(context.Background()).Result()
		if err != nil {
			l.drop(addr)
			all = append(all, err)
			continue
		}
		host, _, _ := net.SplitHostPort(addr)
		l.owners = make([]string, slots)
		for _, r := range ranges {
			for slot := r.Start; slot <= r.End && len(r.Nodes) > 0; slot++ {
				l.owners[slot] = reachable(r.Nodes[0].Addr, host)
			}
		}
		return nil
	}
	return errors.Join(all...)
}

// reachable puts in the host that was asked where a node does not know its own.
func reachable(addr, host string) string {
	if own, port, err := net.SplitHostPort(addr); err == nil && own == "" {
		return net.JoinHostPort(host, port)
	}
	return addr
}

// patience is between two attempts of a command that was not done.
const patience = 5 * time.Millisecond

// do performs a command at the node with its key, args[1]. The end of ctx stops
// it between attempts only.
func (l *link) do(ctx context.Context, args ...any) (any, fate, error) {
	name := args[1].(string)
	asking := ""
	for first := true; ; first = false {
		if !first && ctx.Err() != nil {
			return nil, unsent, ctx.Err()
		}
		addr, err := l.owner(name)
		if err != nil {
			l.wait(ctx)
			continue
		}
		if asking != "" {
			addr = asking
		}
		answer, err := l.send(addr, asking != "", args)
		asking = ""
		switch what, target := classify(err); what {
		case "":
			return answer, answered, nil
		case "MOVED":
			l.moved(name, target, addr)
		case "ASK":
			asking = reachable(target, hostOf(addr))
		case "later":
			l.owners = nil
			l.wait(ctx)
		case "dial":
			l.drop(addr)
			l.wait(ctx)
		case "denied":
			return nil, denied, err
		case "refused":
			return nil, refused, err
		default:
			l.drop(addr)
			return nil, unknown, err
		}
	}
}

func (l *link) send(addr string, asking bool, args []any) (any, error) {
	if !asking {
		return l.node(addr).Do(context.Background(), args...).Result()
	}
	pipe := l.node(addr).Pipeline()
	pipe.Do(context.Background(), "ASKING")
	answer := pipe.Do(context.Background(), args...)
	_, _ = pipe.Exec(context.Background()) // the command has its own error
	return answer.Result()
}

func (l *link) moved(name, target, from string) {
	if l.owners != nil {
		l.owners[slotOf(name)] = reachable(target, hostOf(from))
	}
}

func (l *link) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(patience):
	}
}

func hostOf(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	return host
}

// classify reads an error. A server that answers with an error has done
// nothing.
func classify(err error) (what, target string) {
	if err == nil || errors.Is(err, goredis.Nil) {
		return "", ""
	}
	if errors.As(err, new(*dialError)) {
		return "dial", ""
	}
	var said goredis.Error
	if !errors.As(err, &said) {
		return "unknown", ""
	}
	words := strings.Fields(said.Error())
	switch code := words[0]; code {
	case "MOVED", "ASK":
		return code, words[len(words)-1]
	case "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "BUSY":
		return "later", ""
	case "NOPERM", "NOAUTH", "WRONGPASS":
		return "denied", ""
	}
	return "refused", ""
}
