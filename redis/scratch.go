package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// scratchMark begins the prefix of every scratch store: nothing else is ever
// deleted as a whole.
const scratchMark = "stopover-scratch-"

// scratchStore is a prefix of its own on a server.
type scratchStore struct{ *Store }

// scratch makes a prefix beside those of applications on the server of base.URL, or
// on its cluster if that is a node of one. If the process dies before Close, its
// keys stay.
func scratch(ctx context.Context, base store.Settings) (store.Store, error) {
	parsed, err := url.Parse(base.URL)
	if base.URL == "" || err == nil && !slices.Contains(schemes, parsed.Scheme) {
		return nil, store.ErrNoScratch
	}
	connection, err := connection(base)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", base.Name, err)
	}
	options := Options{Prefix: scratchMark + rand.Text()[:12] + ":"}
	alone, err := New(connection, options)
	if err != nil {
		return nil, err
	}
	if options.Cluster, err = alone.isOfCluster(ctx); err != nil || !options.Cluster {
		return finished(alone, err)
	}
	clustered, err := New(connection, options)
	if err != nil {
		return nil, errors.Join(err, alone.Close())
	}
	return finished(clustered, alone.Close())
}

// finished gives the scratch store, or gives it up.
func finished(s *Store, err error) (store.Store, error) {
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return scratchStore{s}, nil
}

// isOfCluster tells whether the server is a node of a cluster.
func (s *Store) isOfCluster(ctx context.Context) (bool, error) {
	node, err := s.net.node(s.net.seed)
	if err != nil {
		return false, err
	}
	info, err := node.Info(ctx, "cluster").Result()
	return infoField(info, "cluster_enabled") == "1", s.fault(ctx, err)
}

// Close deletes the keys below the scratch store's prefix, and no others, and
// closes all connections.
func (s scratchStore) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := s.empty(ctx)
	if err != nil {
		err = fmt.Errorf("delete the keys %s* of a scratch store: %w", s.prefix, s.fault(ctx, err))
	}
	return errors.Join(err, s.Store.Close())
}

func (s scratchStore) empty(ctx context.Context) error {
	if !strings.HasPrefix(s.prefix, scratchMark) {
		return fmt.Errorf("%s is no prefix of a scratch store", s.prefix)
	}
	masters, err := s.net.masters(ctx)
	if err != nil {
		return err
	}
	for _, addr := range masters {
		node, err := s.net.node(addr)
		if err != nil {
			return err
		}
		if err := s.emptyOn(ctx, node); err != nil {
			return err
		}
	}
	return nil
}

// emptyOn deletes what a master has, key by key: those of a trip may be in
// different slots.
func (s scratchStore) emptyOn(ctx context.Context, node *goredis.Client) error {
	for cursor := uint64(0); ; {
		keys, next, err := node.Scan(ctx, cursor, s.pattern("*"), scanCount).Result()
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			pipe := node.Pipeline()
			for _, key := range keys {
				pipe.Unlink(ctx, key)
			}
			if _, err := pipe.Exec(ctx); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// Unwrap gives the store itself.
func (s scratchStore) Unwrap() store.Store { return s.Store }
