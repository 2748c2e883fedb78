package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// fenced is a store with a user of an old release, which writes tenant:* and is
// to leave it for tenant:{..}:*.
type fenced struct {
	fixture
	Fence
	before Former
}

// users of a server are its own, not the store's: each test has another.
func (f fixture) withOld() fenced {
	f.t.Helper()
	user := "old-" + strings.TrimSuffix(f.Store.prefix, ":")
	for _, server := range f.servers {
		f.addOld(server, user)
	}
	fence := Fence{
		User: user, Readable: []string{"tenant:*"}, Writable: []string{"session:*"},
		Probes: []string{"tenant:probe", "tenant:a:destination:b"},
	}
	before, err := f.Store.BeforeFence(f.t.Context(), fence)
	if err != nil {
		f.t.Fatal(err)
	}
	return fenced{f, fence, before}
}

func (f fixture) addOld(server *testserver.RedisServer, user string) {
	server.Do(f.t, "ACL", "SETUSER", user, "on", ">canary-old", "~"+f.Store.prefix+"*", "~elsewhere:*", "+@all", "-@admin")
}

// as is a client of the old release.
func (f fenced) as(server *testserver.RedisServer) *goredis.Client {
	options := server.Client().Options()
	options.Username, options.Password = f.User, "canary-old"
	client := goredis.NewClient(options)
	f.t.Cleanup(func() { client.Close() })
	return client
}

func (f fenced) raise() Standing {
	f.t.Helper()
	standing, err := f.Store.RaiseFence(f.t.Context(), f.Fence, f.before)
	if err != nil {
		f.t.Fatal(err)
	}
	return standing
}

func denied(err error) bool { return err != nil && code(err) == "NOPERM" }

func TestAFenceLeavesReading(t *testing.T) {
	for name, server := range map[string]*testserver.RedisServer{"redis": testserver.Redis(t), "valkey": testserver.Valkey(t)} {
		t.Run(name, func(t *testing.T) {
			f := prepared(t, server).withOld()
			old, ctx := f.as(server), t.Context()
			tenant, session := f.Store.full("tenant:a"), f.Store.full("session:a")
			if err := old.Set(ctx, tenant, "1", 0).Err(); err != nil {
				t.Fatal(err)
			}
			if standing := f.raise(); !slices.Equal(standing.Nodes, []string{server.Addr()}) {
				t.Errorf("the fence stands on %v", standing.Nodes)
			}
			for what, err := range map[string]error{
				"write":  old.Incr(ctx, tenant).Err(),
				"script": old.Eval(ctx, "return redis.call('INCR', KEYS[1])", []string{tenant}).Err(),
				"rename": old.Rename(ctx, tenant, session).Err(),
				"new":    old.Set(ctx, f.Store.full("unnamed"), 1, 0).Err(),
				"flush":  old.FlushDB(ctx).Err(), "flush all": old.FlushAll(ctx).Err(), "swap": old.Do(ctx, "SWAPDB", 0, 1).Err(),
			} {
				if !denied(err) {
					t.Errorf("behind the fence, %s: %v", what, err)
				}
			}
			for what, err := range map[string]error{
				"read":           old.Get(ctx, tenant).Err(),
				"write of rest":  old.Set(ctx, session, 1, 0).Err(),
				"write outside":  old.Set(ctx, "elsewhere:"+f.User, 1, 0).Err(),
				"proof":          f.Store.ProveFence(ctx, f.Fence),
				"the store's do": f.Store.Prepare(ctx),
			} {
				if err != nil {
					t.Errorf("behind the fence, %s: %v", what, err)
				}
			}
		})
	}
}

// TestWhatWasBegunBeforeTheFence has a client that waits in BLMOVE, and one
// that queues for EXEC, when the fence is raised.
func TestWhatWasBegunBeforeTheFence(t *testing.T) {
	f := prepared(t, testserver.Redis(t)).withOld()
	server, ctx := f.servers[0], t.Context()
	from, to, counted := f.Store.full("session:queue"), f.Store.full("tenant:queue"), f.Store.full("tenant:n")
	waiting := make(chan error, 1)
	go func() { waiting <- f.as(server).BLMove(ctx, from, to, "LEFT", "RIGHT", 0).Err() }()
	conn := f.as(server).Conn()
	defer conn.Close()
	for _, words := range [][]any{{"MULTI"}, {"INCR", counted}} {
		if err := conn.Do(ctx, words...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the client waits", func() bool {
		list := fmt.Sprint(f.raw("CLIENT", "LIST"))
		return slices.ContainsFunc(strings.Split(list, "\n"), func(client string) bool {
			return field(client, "user") == f.User && strings.Contains(field(client, "flags"), "b")
		})
	})
	f.raise()
	f.raw("RPUSH", from, "job")
	if err := <-waiting; err == nil {
		t.Error("BLMOVE went on behind the fence")
	}
	if err := conn.Do(ctx, "EXEC").Err(); err == nil {
		t.Error("EXEC went on behind the fence")
	}
	if n := f.raw("EXISTS", to, counted); n != int64(0) {
		t.Errorf("%v keys were written behind the fence", n)
	}
}

// TestAFenceStandsOnReplicas promotes one: servers do not hand users to their
// replicas.
func TestAFenceStandsOnReplicas(t *testing.T) {
	master := testserver.OwnRedis(t, "--repl-diskless-sync-delay", "0")
	replica := testserver.OwnRedis(t)
	f := prepared(t, master).withOld()
	f.addOld(replica, f.User)
	replica.Do(t, "REPLICAOF", "127.0.0.1", master.Port)
	eventually(t, "the replica is known", func() bool { return strings.Contains(fmt.Sprint(master.Do(t, "ROLE")), fmt.Sprint(replica.Port)) })
	if standing := f.raise(); !slices.Contains(standing.Nodes, replica.Addr()) {
		t.Errorf("the fence stands on %v, not on the replica", standing.Nodes)
	}
	replica.Do(t, "REPLICAOF", "NO", "ONE")
	if err := f.as(replica).Set(t.Context(), f.Store.full("tenant:a"), "1", 0).Err(); !denied(err) {
		t.Errorf("the promoted replica lets the old release write: %v", err)
	}
}

// TestAFenceStandsOnAWholeCluster lets a replica of a cluster take over.
func TestAFenceStandsOnAWholeCluster(t *testing.T) {
	servers := testserver.OwnRedisCluster(t)
	f := prepared(t, servers...).withOld()
	replica := f.replicaOf(servers[1])
	f.addOld(replica, f.User)
	if standing := f.raise(); len(standing.Nodes) != 4 || !slices.Contains(standing.Nodes, replica.Addr()) {
		t.Fatalf("the fence stands on %v", standing.Nodes)
	}
	replica.Do(t, "CLUSTER", "FAILOVER", "TAKEOVER")
	old := f.as(replica)
	eventually(t, "the replica is a master", func() bool { return strings.Contains(fmt.Sprint(replica.Do(t, "ROLE")), "master") })
	key := ""
	for i := 0; slot(key)*3/slots != 1; i++ {
		key = f.Store.full(fmt.Sprint("tenant:", i))
	}
	if err := old.Set(t.Context(), key, "1", 0).Err(); !denied(err) {
		t.Errorf("the promoted replica lets the old release write: %v", err)
	}
	if err := f.Store.ProveFence(t.Context(), f.Fence); err != nil {
		t.Error(err)
	}
	for _, server := range append(servers, replica) {
		server.Do(t, "ACL", "SETUSER", f.User, "~*")
		err := f.Store.ProveFence(t.Context(), f.Fence)
		if open, ok := errors.AsType[*UnfencedError](err); !ok || open.User != f.User {
			t.Errorf("a fence with a gap on one node: %v", err)
		}
		wantText(t, err, server.Addr())
		f.raise()
	}
	if err := replica.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := f.Store.ProveFence(t.Context(), f.Fence); err == nil {
		t.Error("the fence was proven with a node down")
	}
}

// replicaOf adds a node to a cluster.
func (f fixture) replicaOf(master *testserver.RedisServer) *testserver.RedisServer {
	f.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	_, bus, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	replica := testserver.OwnRedis(f.t, "--cluster-enabled", "yes", "--cluster-port", bus,
		"--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000")
	id := fmt.Sprint(master.Do(f.t, "CLUSTER", "MYID"))
	master.Do(f.t, "CLUSTER", "MEET", "127.0.0.1", replica.Port, bus)
	eventually(f.t, "the new node knows its master", func() bool {
		return strings.Contains(fmt.Sprint(replica.Do(f.t, "CLUSTER", "NODES")), id) &&
			strings.Contains(fmt.Sprint(replica.Do(f.t, "CLUSTER", "INFO")), "cluster_state:ok")
	})
	master.Do(f.t, "CONFIG", "SET", "repl-diskless-sync-delay", "0")
	replica.Do(f.t, "CLUSTER", "REPLICATE", id)
	own := fmt.Sprint(replica.Do(f.t, "CLUSTER", "MYID"))
	eventually(f.t, "all know the replica", func() bool {
		for _, server := range f.servers {
			known := false
			for _, line := range strings.Split(fmt.Sprint(server.Do(f.t, "CLUSTER", "NODES")), "\n") {
				known = known || strings.HasPrefix(line, own) && strings.Contains(line, "slave")
			}
			if !known {
				return false
			}
		}
		return strings.Contains(fmt.Sprint(replica.Do(f.t, "ROLE")), "connected")
	})
	return replica
}

// TestAFenceOverARestart proves it anew: a server that kept it has it, another
// has forgotten it, and says so beforehand.
func TestAFenceOverARestart(t *testing.T) {
	dir, err := os.MkdirTemp("", "stopover-users-") // the server runs as a user without rights
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "users.acl")
	if err := errors.Join(os.Chmod(dir, 0o777), os.WriteFile(file, nil, 0o666), os.Chmod(file, 0o666)); err != nil {
		t.Fatal(err)
	}
	for name, server := range map[string]*testserver.RedisServer{"kept": testserver.OwnRedis(t, "--aclfile", file), "forgotten": testserver.OwnRedis(t)} {
		t.Run(name, func(t *testing.T) {
			f := prepared(t, server).withOld()
			standing := f.raise()
			if fleeting := len(standing.Fleeting) > 0; fleeting != (name == "forgotten") {
				t.Errorf("nodes that forget: %v", standing.Fleeting)
			}
			server.Restart(t)
			if name == "forgotten" {
				f.addOld(server, f.User) // as a deployment would
			}
			err := f.another().ProveFence(t.Context(), f.Fence)
			if name == "kept" && err != nil {
				t.Error(err)
			}
			if _, open := errors.AsType[*UnfencedError](err); open != (name == "forgotten") {
				t.Errorf("after the restart: %v", err)
			}
		})
	}
}

func TestLiftingAFence(t *testing.T) {
	f := prepared(t, testserver.Redis(t)).withOld()
	server := f.servers[0]
	server.Do(t, "ACL", "SETUSER", f.User, "-flushall")
	was := fmt.Sprint(server.Do(t, "ACL", "GETUSER", f.User).([]any)[6:8])
	before, err := f.Store.BeforeFence(t.Context(), f.Fence)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Store.RaiseFence(t.Context(), f.Fence, before); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Store.LiftFence(t.Context(), f.Fence, before); err != nil {
			t.Fatal(err)
		}
	}
	if is := fmt.Sprint(server.Do(t, "ACL", "GETUSER", f.User).([]any)[6:8]); is != was {
		t.Errorf("after the fence was lifted the user has %s, before %s", is, was)
	}
	again, err := f.Store.BeforeFence(t.Context(), f.Fence)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(before) {
		t.Errorf("rights after the fence was lifted: %v, %v; before: %v", again, err, before)
	}
	if err := f.as(server).Set(t.Context(), f.Store.full("tenant:a"), 1, 0).Err(); err != nil {
		t.Error(err)
	}
	if err := f.as(server).FlushAll(context.WithoutCancel(t.Context())).Err(); !denied(err) {
		t.Errorf("lifting the fence gave FLUSHALL: %v", err)
	}
}
