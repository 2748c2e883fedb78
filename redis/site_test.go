package redis

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
	"github.com/stopover-dev/stopover/store/storetest"
)

func TestMain(m *testing.M) {
	goredis.SetLogger(silent{}) // it would tell of every server that a test stops
	os.Exit(testserver.Run(m))
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// suite is this package's driver of the conformance suite.
type suite struct {
	servers []*testserver.RedisServer
	prefix  string // with %d for a number
	inGo    bool   // actions are functions in Go where there is a choice
}

var made atomic.Int64

func (d suite) Fresh(context.Context) (storetest.Site, error) {
	return d.site(), nil
}

func (d suite) site() *site {
	prefix := fmt.Sprintf(d.prefix, made.Add(1))
	return &site{
		suite: d, settings: settingsFor(d.servers, prefix),
		keyspace: newKeyspace(prefix), client: clusterOr(d.servers),
	}
}

// settingsFor names a store on servers: more than one are a cluster.
func settingsFor(servers []*testserver.RedisServer, prefix string) store.Settings {
	settings := store.Settings{Name: "cache", URL: servers[0].URL(), Options: map[string]string{"prefix": prefix}}
	if len(servers) > 1 {
		settings.Options["cluster"] = "true"
	}
	if servers[0].CA != "" {
		settings.Options["tls_ca"] = servers[0].CA
	}
	return settings
}

// clusterOr gives the application's own client.
func clusterOr(servers []*testserver.RedisServer) goredis.UniversalClient {
	if len(servers) == 1 {
		return servers[0].Client()
	}
	return goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{servers[0].Addr()}, Protocol: 2})
}

// site is a prefix with the lists tags and rows beside the books.
type site struct {
	suite
	keyspace
	settings store.Settings
	client   goredis.UniversalClient
}

// beside gives a key, without the prefix, in the slot of the books.
func (s *site) beside(name string) string { return "{" + s.tag + "}:" + name }

func (s *site) Open(ctx context.Context) (store.Store, error) { return Kind().Open(ctx, s.settings) }

func (s *site) Close() error { return s.client.Close() }

func (s *site) Seed(ctx context.Context, rows int) error {
	for range rows {
		if err := s.client.RPush(ctx, s.full(s.beside("rows")), 0).Err(); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) Tags(ctx context.Context) ([]string, error) {
	return s.client.LRange(ctx, s.full(s.beside("tags")), 0, -1).Result()
}

func (s *site) Touches(ctx context.Context) ([]int, error) {
	words, err := s.client.LRange(ctx, s.full(s.beside("rows")), 0, -1).Result()
	all := make([]int, len(words))
	for i, word := range words {
		all[i], _ = strconv.Atoi(word)
	}
	return all, err
}

func (s *site) MakeNewer(ctx context.Context) error {
	return s.client.HSet(ctx, s.books, "format", store.Format+1).Err()
}

const addLua = `for _, tag in ipairs(ARGV) do redis.call('RPUSH', KEYS[1], tag) end
return #ARGV`

func (s *site) Add(tags ...string) store.Action {
	if s.inGo {
		return Tx("add tags", s.adding(tags))
	}
	return Script("add tags", addLua, []string{s.beside("tags")}, tags...)
}

func (s *site) adding(tags []string) func(context.Context, *Transaction) error {
	return func(ctx context.Context, tx *Transaction) error {
		for _, tag := range tags {
			if err := tx.Queue(ctx, "RPUSH", s.beside("tags"), tag); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *site) Fail(tags ...string) store.Action {
	if s.inGo {
		return Tx("add tags, and fail", func(ctx context.Context, tx *Transaction) error {
			if err := s.adding(tags)(ctx, tx); err != nil {
				return err
			}
			return tx.Queue(ctx, "INCR", s.beside("tags"))
		})
	}
	return Script("add tags, and fail", addLua[:len(addLua)-len("return #ARGV")]+"redis.call('INCR', KEYS[1])", []string{s.beside("tags")}, tags...)
}

func (s *site) Slow(tag string) store.Action {
	return Tx("add a tag, slowly", func(ctx context.Context, tx *Transaction) error {
		if err := tx.Queue(ctx, "RPUSH", s.beside("tags"), tag); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Minute):
			return nil
		}
	})
}

func (s *site) Touch() store.Action {
	return TxStretch("touch rows", func(ctx context.Context, tx *Transaction, cursor []byte, size int) ([]byte, bool, int64, error) {
		from, _ := strconv.Atoi(string(cursor))
		answer, err := tx.Read(ctx, "LRANGE", s.beside("rows"), from, from+size-1)
		if err != nil {
			return nil, false, 0, err
		}
		rows, _ := answer.([]any)
		for i, row := range rows {
			n, err := strconv.Atoi(row.(string))
			if err != nil {
				return nil, false, 0, err
			}
			if err := tx.Queue(ctx, "LSET", s.beside("rows"), from+i, n+1); err != nil {
				return nil, false, 0, err
			}
		}
		return strconv.AppendInt(nil, int64(from+size), 10), len(rows) < size, int64(len(rows)), nil
	})
}

func (s *site) Untouched() store.Action {
	if s.inGo {
		return Query("rows that were not touched", func(ctx context.Context, r *Reader, report func(string)) error {
			answer, err := r.Read(ctx, "LRANGE", s.beside("rows"), 0, -1)
			if err != nil {
				return err
			}
			for i, row := range answer.([]any) {
				if row == "0" {
					report(fmt.Sprint("row ", i+1))
				}
			}
			return nil
		})
	}
	return QueryScript("rows that were not touched", `local found = {}
for i, row in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
	if row == '0' then found[#found + 1] = 'row ' .. i end
end
return found`, []string{s.beside("rows")})
}

func TestIsAStore(t *testing.T) {
	for name, d := range map[string]suite{
		"standalone":                       {servers: []*testserver.RedisServer{testserver.Redis(t)}, prefix: `su*te[a-z]?\%d:`},
		"TLS with password, actions in Go": {servers: []*testserver.RedisServer{testserver.RedisTLS(t)}, prefix: "suite{%d:", inGo: true},
		"three masters":                    {servers: testserver.RedisCluster(t), prefix: "suite%d:"},
		"three masters, actions in Go":     {servers: testserver.RedisCluster(t), prefix: "{suite%d}:", inGo: true},
		"Valkey":                           {servers: []*testserver.RedisServer{testserver.Valkey(t)}, prefix: "suite%d:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, d)
		})
	}
}
