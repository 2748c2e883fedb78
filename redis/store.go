package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// Options say what on a server belongs to the application.
type Options struct {
	// Prefix begins all keys of the application; it is not empty. Two stores
	// must not have prefixes of which one begins with the other.
	Prefix  string
	Cluster bool // the server is a node of a cluster
}

// Store is a key prefix on a server or a cluster.
type Store struct {
	keyspace
	place   string
	secrets []string // passwords, to be taken out of errors
	net     *network

	commands sync.Map // by lower-case name: command
	fences   fences
	notices  notices

	longestKey int64 // see tooBig

	mu     sync.Mutex
	closed bool
	doubts []string // numbers of calls whose outcome is unknown

	mirrors map[string]*mirror // by layout
	shut    []string           // users who cannot write, as far as this process knows
}

var errClosed = errors.New("the store is closed")

// limits of a trip.
const (
	dialLimit  = 10 * time.Second
	replyLimit = 10 * time.Second // of what Stopover itself asks
	workLimit  = 10 * time.Minute // of a step's script without a Timeout
	graceLimit = 3 * time.Second  // for a write that was sent when its context ended
)

// New makes a store from the settings of an application's own client, which
// Client.Options gives. It takes the settings, not the client: its connections
// must not repeat commands by themselves. It does not connect.
func New(connection *goredis.Options, options Options) (*Store, error) {
	if options.Prefix == "" {
		return nil, errors.New("a Redis store needs a prefix, with which all keys of the application begin (prefix: \"shop:\")")
	}
	for i := range len(options.Prefix) {
		if c := options.Prefix[i]; c < 0x20 || c == 0x7f {
			return nil, fmt.Errorf("the prefix %q has a control character in it", options.Prefix)
		}
	}
	if options.Cluster && connection.DB != 0 {
		return nil, fmt.Errorf("database %d: a cluster has only database 0", connection.DB)
	}
	return &Store{
		keyspace: newKeyspace(options.Prefix),
		place:    describePlace(connection, options),
		secrets:  secretsOf(connection),
		net:      newNetwork(connection, options.Cluster),

		longestKey: longestKey,
	}, nil
}

func secretsOf(connection *goredis.Options) []string {
	var all []string
	if connection.Password != "" {
		all = append(all, connection.Password)
	}
	return all
}

// Place names prefix and server, without asking the server.
func (s *Store) Place() string { return s.place }

// Prefix is what all keys of the application begin with.
func (s *Store) Prefix() string { return s.prefix }

// Close closes all connections.
func (s *Store) Close() error {
	s.Unfollow()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.net.close()
}

// ready refuses what cannot be asked now, and settles what is in doubt, before
// anything else is asked: an answer that is given while an earlier write may
// still arrive is worth nothing.
func (s *Store) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	closed, doubts := s.closed, s.doubts
	s.mu.Unlock()
	if closed {
		return errClosed
	}
	if len(doubts) == 0 {
		return nil
	}
	if _, err := s.ask(ctx, giveUpScript, []string{s.books}, texts(doubts)...); err != nil {
		return fmt.Errorf("settle what became of a write to %s: %w", s.place, err)
	}
	s.mu.Lock()
	s.doubts = slices.DeleteFunc(slices.Clone(s.doubts), func(number string) bool {
		return slices.Contains(doubts, number) // another may have settled them meanwhile
	})
	s.mu.Unlock()
	return nil
}

func (s *Store) doubt(number string) {
	s.mu.Lock()
	s.doubts = append(s.doubts, number)
	s.mu.Unlock()
}

func texts(list []string) []any {
	all := make([]any, len(list))
	for i, text := range list {
		all[i] = text
	}
	return all
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Placer = (*Store)(nil)
)
