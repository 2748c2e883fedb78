package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	writerUser        = "app"
	writerConnections = 4
	writesASecond     = 500 // of each connection, at most: it waits for its answers
	writtenTenants    = 1000
)

// allow lets the writers' user do everything, as before a fence.
func (t *tenants) allow(ctx context.Context) error {
	var errs []error
	for _, node := range t.nodes {
		errs = append(errs, node.Do(ctx, "ACL", "SETUSER", writerUser, "reset", "on", ">"+writerUser, "~"+tenantPrefix+"*", "+@all").Err())
	}
	return errors.Join(errs...)
}

// writers are an old release: each write counts one up in a tenant, so that one
// that is lost or done twice shows.
type writers struct {
	cancel context.CancelFunc
	group  sync.WaitGroup
	mu     sync.Mutex
	done   written
}

// written is what the writers have done.
type written struct {
	acknowledged, unknown int
	last                  time.Time // of the last acknowledgement
	err                   error     // that ended one of them
}

func (t *tenants) startWriters(ctx context.Context) *writers {
	ctx, cancel := context.WithCancel(ctx)
	w := &writers{cancel: cancel}
	for i := range writerConnections {
		var addrs []string
		for _, server := range t.servers {
			addrs = append(addrs, server.Addr())
		}
		client := goredis.NewUniversalClient(&goredis.UniversalOptions{Addrs: addrs, IsClusterMode: t.cluster(), Protocol: 2, DisableIdentity: true,
			Username: writerUser, Password: writerUser, PoolSize: 1, MaxRetries: -1, MaxRedirects: -1})
		random := rand.New(rand.NewPCG(7, uint64(i)))
		w.group.Go(func() {
			err := w.write(ctx, client, min(t.n, writtenTenants), random)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.done.err = errors.Join(w.done.err, err, client.Close())
		})
	}
	return w
}

// write counts up until it is stopped, or shut out.
func (w *writers) write(ctx context.Context, client goredis.UniversalClient, tenants int, random *rand.Rand) error {
	for ctx.Err() == nil {
		err := client.HIncrBy(context.WithoutCancel(ctx), tenantKey(random.IntN(tenants)), "visits", 1).Err()
		w.mu.Lock()
		switch {
		case err == nil:
			w.done.acknowledged++
			w.done.last = time.Now()
		case !strings.HasPrefix(err.Error(), "NOPERM"):
			w.done.unknown++ // its connection was ended
		}
		w.mu.Unlock()
		if err != nil {
			return err
		}
		time.Sleep(time.Second / writesASecond)
	}
	return nil
}

func (w *writers) stop() written {
	w.cancel()
	w.group.Wait()
	return w.done
}

// nothingLost adds up what the writers have counted, in the new names.
func (t *tenants) nothingLost(ctx context.Context, w written) error {
	if w.err == nil {
		return errors.New("the writers were not shut out")
	}
	pipe := t.client.Pipeline()
	for i := range min(t.n, writtenTenants) {
		pipe.HGet(ctx, tenantPrefix+"{"+tenantID(i)+"}:tenant", "visits")
	}
	answers, err := pipe.Exec(ctx)
	if err != nil && !errors.Is(err, goredis.Nil) {
		return err
	}
	sum := 0
	for _, answer := range answers {
		if text := answer.(*goredis.StringCmd).Val(); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return err
			}
			sum += n
		}
	}
	if sum < w.acknowledged || sum > w.acknowledged+w.unknown {
		return fmt.Errorf("%d writes were acknowledged, of %d more nothing is known, and %d were carried over", w.acknowledged, w.unknown, sum)
	}
	return nil
}

// unwrite takes away what the writers have written to old names.
func (t *tenants) unwrite(ctx context.Context) error {
	pipe := t.client.Pipeline()
	for i := range min(t.n, writtenTenants) {
		pipe.HDel(ctx, tenantKey(i), "visits")
	}
	_, err := pipe.Exec(ctx)
	return err
}
