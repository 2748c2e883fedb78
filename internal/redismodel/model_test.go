package redismodel

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
)

func TestMain(m *testing.M) {
	goredis.SetLogger(silent{}) // it would tell of every connection that a test cuts
	os.Exit(testserver.Run(m))
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// place is where a test has its keys.
type place struct {
	old, new Side
	client   goredis.UniversalClient
}

func at(t *testing.T, prefix string, servers ...*testserver.RedisServer) place {
	t.Helper()
	addrs := make([]string, len(servers))
	for i, server := range servers {
		addrs[i] = server.Addr()
	}
	p := place{client: servers[0].Client()}
	if len(servers) > 1 {
		p.client = goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: addrs, Protocol: 2})
	}
	t.Cleanup(func() { p.client.Close() })
	p.old = Side{Addrs: addrs, Cluster: len(servers) > 1, Name: OldNames(prefix)}
	p.new = p.old
	p.new.Name = NewNames(prefix)
	return p
}

func seeded(t *testing.T, on Side, options Options) *Model {
	t.Helper()
	m := New(options)
	if err := m.Seed(t.Context(), on); err != nil {
		t.Fatal(err)
	}
	return m
}

func started(t *testing.T, m *Model, on Side) *Run {
	t.Helper()
	r, err := m.Start(on)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.cancel() })
	return r
}

func await(t *testing.T, r *Run, writes int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.Await(ctx, writes); err != nil {
		t.Fatal(err)
	}
}

func stopped(t *testing.T, r *Run) Written {
	t.Helper()
	w := r.Stop()
	if w.Bad() {
		t.Error(w)
	}
	return w
}

func checked(t *testing.T, m *Model, on Side) Report {
	t.Helper()
	report, err := m.Check(t.Context(), on)
	if err != nil {
		t.Fatal(err)
	}
	if report.Bad() {
		t.Error(report)
	}
	return report
}

// TestTheModelIsWhatTheServerHolds writes long enough for many keys to end, to
// be deleted and to be made again.
func TestTheModelIsWhatTheServerHolds(t *testing.T) {
	for name, servers := range map[string][]*testserver.RedisServer{
		"standalone": {testserver.Redis(t)}, "Valkey": {testserver.Valkey(t)}, "three masters": testserver.RedisCluster(t),
	} {
		t.Run(name, func(t *testing.T) {
			p := at(t, "equal", servers...)
			m := seeded(t, p.old, Options{Tenants: 1000})
			if r := checked(t, m, p.old); r.OK != 5000 {
				t.Errorf("after seeding: %s", r)
			}
			r := started(t, m, p.old)
			await(t, r, 15_000)
			w := stopped(t, r)
			for _, command := range []string{"HINCRBY", "ZINCRBY", "SADD", "RPUSH", "INCRBY", "XADD", "DEL", "PEXPIREAT", "PERSIST"} {
				if w.Commands[command] == 0 {
					t.Errorf("%s was never sent: %s", command, w)
				}
			}
			if report := checked(t, m, p.old); report.Unsure > 20 || report.OK < 4500 {
				t.Error(report)
			}
			if report, err := m.Compare(t.Context(), p.old, p.old); err != nil || report.Bad() || report.Unsure > 0 {
				t.Error(report, err)
			}
		})
	}
}

// TestEachFaultIsSeen spoils keys by hand.
func TestEachFaultIsSeen(t *testing.T) {
	p := at(t, "spoilt", testserver.Redis(t))
	m := seeded(t, p.old, Options{Tenants: 20})
	do := func(args ...any) {
		t.Helper()
		if err := p.client.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	// Tenants 0, 1, 2 have items of the sorts zset, set and list; 9 has nothing.
	do("DEL", "spoilt:0:profile")
	do("HINCRBY", "spoilt:1:profile", "n", 1)
	do("HINCRBY", "spoilt:2:profile", "n", -1)
	do("HINCRBY", "spoilt:9:profile", "n", 1_000_001)
	do("ZINCRBY", "spoilt:0:items", 1, "n")
	do("SPOP", "spoilt:1:items")
	do("SADD", "spoilt:1:items", "1:8", "1:9")
	do("RPUSH", "spoilt:2:items", "1:9")
	do("INCR", "spoilt:2:log")
	do("XADD", "spoilt:3:log", "1-99", "a", "1")
	do("PEXPIREAT", "spoilt:4:profile", time.Now().Add(3*time.Hour).UnixMilli())
	do("DEL", "spoilt:5:profile")
	do("SET", "spoilt:5:profile", "a")
	do("DEL", "spoilt:6:profile")
	do("HSET", "spoilt:6:profile", "n", 99) // of generation 0, however many
	r, err := m.Check(t.Context(), p.old)
	if err != nil {
		t.Fatal(err)
	}
	if r.Missing != 1 || r.Doubled != 6 || r.Lost != 3 || r.Resurrected != 1 || r.TTL != 1 || r.OK != 100-12 || !r.Bad() {
		t.Error(r)
	}
}

// TestDeniedWritersGoOn shuts the writers out of the old names and sends them
// to where the same keys stand by new names.
func TestDeniedWritersGoOn(t *testing.T) {
	p := at(t, "denied", testserver.OwnRedis(t))
	set := func(args ...any) {
		t.Helper()
		if err := p.client.Do(t.Context(), append([]any{"ACL", "SETUSER"}, args...)...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	set("before", "on", ">canary", "+@all", "~*")
	set("after", "on", ">canary", "+@all", "~denied:{*")
	p.old.User, p.old.Password, p.new.User, p.new.Password = "before", "canary", "after", "canary"
	m := seeded(t, p.old, Options{Tenants: 200, Writers: 4})
	r := started(t, m, p.old)
	await(t, r, 2000)
	set("before", "resetkeys", "%R~*")
	if err := r.AwaitDenied(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := r.Acknowledged()
	for i := range m.keys {
		p.client.Rename(t.Context(), p.old.name(&m.keys[i]), p.new.name(&m.keys[i]))
	}
	r.GoOn(p.new)
	await(t, r, 2000)
	w := stopped(t, r)
	if w.Denied != 4 || w.Crossing == 0 || w.Crossing > w.Pause || r.Acknowledged() < n+2000 || w.Total() != r.Acknowledged() {
		t.Error(n, w)
	}
	checked(t, m, p.new)
	p.old.User, p.old.Password = "", ""
	if report, err := m.Check(t.Context(), p.old); err != nil || report.Missing == 0 {
		t.Error("the old names still stand", report, err)
	}
}

// TestANaiveCopyIsSeen copies what a scan finds, once, while the writers write:
// the model sees each sort of fault.
func TestANaiveCopyIsSeen(t *testing.T) {
	for name, servers := range map[string][]*testserver.RedisServer{
		"standalone": {testserver.Redis(t)}, "three masters": testserver.RedisCluster(t),
	} {
		t.Run(name, func(t *testing.T) {
			p := at(t, "naive", servers...)
			m := seeded(t, p.old, Options{Tenants: 600, Rate: 6000})
			var names [][2]string
			for i := range m.keys {
				names = append(names, [2]string{p.old.name(&m.keys[i]), p.new.name(&m.keys[i])})
			}
			r := started(t, m, p.old)
			await(t, r, 1000)
			for _, name := range names {
				copyOnce(t, p, name[0], name[1])
			}
			await(t, r, 6000)
			stopped(t, r)
			report, err := m.Check(t.Context(), p.new)
			if err != nil || report.Missing == 0 || report.Lost == 0 || report.Resurrected == 0 || report.TTL == 0 {
				t.Error(report, err)
			}
			if len(report.Samples) != samples {
				t.Error(report)
			}
			checked(t, m, p.old)
		})
	}
}

func copyOnce(t *testing.T, p place, from, to string) {
	t.Helper()
	value, err := p.client.Dump(t.Context(), from).Result()
	if err == goredis.Nil {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	end := max(p.client.PExpireTime(t.Context(), from).Val().Milliseconds(), 0)
	if err := p.client.Do(t.Context(), "RESTORE", to, end, value, "REPLACE", "ABSTTL").Err(); err != nil {
		t.Fatal(err)
	}
}

// TestARunKeepsTheModel is not read or written by two at a time.
func TestARunKeepsTheModel(t *testing.T) {
	p := at(t, "claimed", testserver.Redis(t))
	m := seeded(t, p.old, Options{Tenants: 10})
	r := started(t, m, p.old)
	_, startErr := m.Start(p.old)
	_, checkErr := m.Check(t.Context(), p.old)
	_, compareErr := m.Compare(t.Context(), p.old, p.new)
	for what, err := range map[string]error{"Start": startErr, "Check": checkErr, "Compare": compareErr, "Seed": m.Seed(t.Context(), p.old)} {
		if err == nil {
			t.Errorf("%s during a run is allowed", what)
		}
	}
	stopped(t, r)
	checked(t, m, p.old)
}

// TestRate holds the writers to their rate.
func TestRate(t *testing.T) {
	p := at(t, "rate", testserver.Redis(t))
	m := seeded(t, p.old, Options{Tenants: 100, Rate: 1000})
	begin := time.Now()
	r := started(t, m, p.old)
	await(t, r, 500)
	if took := time.Since(begin); took < 400*time.Millisecond {
		t.Errorf("500 writes took %s", took)
	}
	stopped(t, r)
}

func TestSlots(t *testing.T) {
	server := testserver.RedisCluster(t)[0]
	for _, name := range []string{"", "a", "tenant:7:profile", "tenant:{7}:profile", "{}a", "a{b", "{{a}}b", fmt.Sprint("a\xff\x00{é}")} {
		if got, want := slotOf(name), server.Do(t, "CLUSTER", "KEYSLOT", name); int64(got) != want {
			t.Errorf("slot of %q: %d, want %d", name, got, want)
		}
	}
}
