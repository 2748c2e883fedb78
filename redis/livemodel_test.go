package redis

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/redismodel"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// tenants is the layout of redismodel's keys.
func tenants(t *testing.T) Layout {
	t.Helper()
	layout, err := Templates([]Renaming{{From: "tenant:<id:[0-9]+>:<what>", To: "tenant:{<id>}:<what>"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return layout
}

// living is a release whose writers are at work while its keys are renamed, and
// the next release, which begins where the first is shut out.
type living struct {
	fixture
	layout   Layout
	model    *redismodel.Model
	run      *redismodel.Run
	old, new redismodel.Side
	fence    *Fence
	guard    store.Note
}

// lively seeds tenants on servers and has them written. The store connects to
// through, if it is not nil, in place of servers.
func lively(t *testing.T, options redismodel.Options, servers, through []*testserver.RedisServer) *living {
	t.Helper()
	if through == nil {
		through = servers
	}
	return livelyOn(t, options, prepared(t, through...), servers)
}

// preparedOn is prepared with another prefix.
func preparedOn(t *testing.T, d suite) fixture {
	t.Helper()
	place := d.site()
	t.Cleanup(func() { place.client.Close() })
	f := fixture{Store: open(t, place.settings), site: place, t: t}
	if err := f.Store.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func livelyOn(t *testing.T, options redismodel.Options, f fixture, servers []*testserver.RedisServer) *living {
	t.Helper()
	l := &living{fixture: f, layout: tenants(t), model: redismodel.New(options)}
	prefix := l.Store.full("tenant")
	user := "writer-" + strings.TrimSuffix(l.Store.prefix, ":")
	var addrs []string
	for _, server := range servers {
		addrs = append(addrs, server.Addr())
		l.addWriter(server, user)
	}
	l.old = redismodel.Side{
		Addrs: addrs, Cluster: len(servers) > 1, User: user, Password: "canary-old",
		Name: redismodel.OldNames(prefix), Dial: servers[0].Client().Options().Dialer,
	}
	l.new = l.old
	l.new.Name = redismodel.NewNames(prefix)
	l.fence = &Fence{User: user, Readable: []string{"*"}, Writable: []string{"tenant:{*"}, Probes: []string{"tenant:0:profile"}}
	l.guard = l.note("epoch", store.Any, `1`)
	if err := l.model.Seed(t.Context(), l.old); err != nil {
		t.Fatal(err)
	}
	var err error
	if l.run, err = l.model.Start(l.old); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.run.Stop() })
	return l
}

// addWriter makes the user of the writers on a server.
func (l *living) addWriter(server *testserver.RedisServer, user string) {
	server.Do(l.t, "ACL", "SETUSER", user, "on", ">canary-old", "~"+literal.Replace(l.Store.prefix)+"*", "+@all", "-@admin")
}

// by lets another process go on, which has taken the work over.
func (l *living) by(s *Store) *living {
	l.t.Helper()
	next := *l
	next.Store = s
	next.guard = next.note("epoch", store.Any, `2`)
	return &next
}

// perform does an action as a run does: what may pass is tried again.
func (l *living) perform(action store.Action, record string) (p store.Progress, err error) {
	task := store.Task{Action: action, Size: 1000, Sample: 10, Guard: []store.Note{l.guard}, Record: recorded(record)}
	if action.Shape() == store.Query {
		task.Guard, task.Record = nil, nil
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if err = l.Store.Follow(l.t.Context(), store.Task{Action: action, Guard: []store.Note{l.guard}}); err == nil {
			p, err = l.Store.Do(l.t.Context(), task)
		}
		switch gone := (*store.UnreachableError)(nil); {
		case errors.As(err, &gone) && !gone.Denied:
		case err != nil || p.Done:
			return p, err
		default:
			task.Cursor = p.Cursor
		}
	}
	return p, errors.Join(errors.New("it was tried for 30 s"), err)
}

func (l *living) follow() {
	l.t.Helper()
	if _, err := l.perform(Copy{Layout: l.layout, Live: true}, "copied"); err != nil {
		l.t.Fatal(err)
	}
}

func (l *living) compare() {
	l.t.Helper()
	if p, err := l.perform(Compare{Layout: l.layout, Live: true}, ""); err != nil || p.Rows > 0 {
		l.t.Errorf("%v, %q", err, p.Sample)
	}
}

// cutOver shuts the writers out, and lets the next release begin at the moment
// in which the books say so.
func (l *living) cutOver() {
	l.t.Helper()
	stop := l.beginWhenRecorded()
	defer stop()
	if _, err := l.perform(Cutover{Layout: l.layout, Fence: l.fence}, "cut over"); err != nil {
		l.t.Fatal(err)
	}
}

// beginWhenRecorded is the gate of the next release.
func (l *living) beginWhenRecorded() (stop func()) {
	gate := fixture{Store: l.another(), site: l.site, t: l.t}
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(l.t.Context())
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if view, err := gate.Store.Look(ctx, "cut over"); err == nil && len(view.Notes) > 0 {
				l.run.GoOn(l.new)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return func() {
		if !l.t.Failed() {
			select {
			case <-ended: // it is recorded
			case <-time.After(20 * time.Second):
			}
		}
		cancel()
		<-ended
	}
}

// write waits for more acknowledged writes.
func (l *living) write(n int) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 30*time.Second)
	defer cancel()
	if err := l.run.Await(ctx, n); err != nil {
		l.t.Fatal(err)
	}
}

// denied waits until all writers are shut out.
func (l *living) denied() error {
	ctx, cancel := context.WithTimeout(l.t.Context(), 20*time.Second)
	defer cancel()
	return l.run.AwaitDenied(ctx)
}

// end stops the writers and holds the new keys against all that was
// acknowledged.
func (l *living) end() redismodel.Written {
	l.t.Helper()
	written := l.run.Stop()
	if written.Bad() || written.Denied == 0 {
		l.t.Error(written)
	}
	// The user may be fenced off reading where a test says so: it is judged as an
	// operator.
	side := l.new
	side.User, side.Password = "", l.servers[0].Password
	report, err := l.model.Check(l.t.Context(), side)
	if err != nil || report.Bad() || report.Unsure > written.Unknown+50 {
		l.t.Errorf("%v\n%s\n%s", err, report, written)
	}
	l.t.Logf("%s\n%s", report, written)
	return written
}

// proxiedServers stands before servers, so that every client of the store goes
// through the proxies: the servers of a cluster announce them as their own.
func proxiedServers(t *testing.T, servers []*testserver.RedisServer) (*redismodel.Proxies, []*testserver.RedisServer) {
	t.Helper()
	g := &redismodel.Proxies{}
	t.Cleanup(func() { _ = g.Close() })
	through := make([]*testserver.RedisServer, len(servers))
	for i, server := range servers {
		p, err := g.Of(server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		through[i] = &testserver.RedisServer{Port: p.Port()}
		if len(servers) > 1 {
			server.Do(t, "CONFIG", "SET", "cluster-announce-port", p.Port())
		}
	}
	if len(servers) > 1 {
		announced(t, servers, through)
	}
	return g, through
}

func announced(t *testing.T, servers, as []*testserver.RedisServer) {
	t.Helper()
	eventually(t, "all nodes name the proxies", func() bool {
		for _, server := range servers {
			client := server.Client()
			//lint:ignore SA1019 Valkey and old servers have it too
			ranges, err := client.ClusterSlots(t.Context()).Result()
			client.Close()
			if err != nil {
				return false
			}
			named := map[string]bool{}
			for _, r := range ranges {
				for _, node := range r.Nodes {
					named[node.Addr] = true
				}
			}
			for _, proxy := range as {
				if !named[proxy.Addr()] {
					return false
				}
			}
		}
		return true
	})
}

// onShared runs a test on a standalone server and on a cluster.
func onShared(t *testing.T, test func(t *testing.T, servers []*testserver.RedisServer)) {
	one, three := testserver.Redis(t), testserver.RedisCluster(t)
	for name, servers := range map[string][]*testserver.RedisServer{"standalone": {one}, "three masters": three} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, servers)
		})
	}
}

// few are tenants enough, with writers that leave some of the processors.
func few() redismodel.Options { return redismodel.Options{Tenants: 800, Rate: 3000} }

// TestNoWriteIsLostOverACutover is the way as it should be.
func TestNoWriteIsLostOverACutover(t *testing.T) {
	for name, d := range map[string]suite{
		"standalone":                 {servers: []*testserver.RedisServer{testserver.Redis(t)}, prefix: "own%d:"},
		"Valkey":                     {servers: []*testserver.RedisServer{testserver.Valkey(t)}, prefix: `o*n[a-z]?\%d:`},
		"TLS with password":          {servers: []*testserver.RedisServer{testserver.RedisTLS(t)}, prefix: "own%d:"},
		"three masters":              {servers: testserver.RedisCluster(t), prefix: "own%d:"},
		"three masters, in one slot": {servers: testserver.RedisCluster(t), prefix: "{own%d}:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := livelyOn(t, few(), preparedOn(t, d), d.servers)
			l.write(300)
			l.follow()
			l.write(1000)
			l.compare()
			l.write(500)
			l.cutOver()
			l.write(1500)
			l.compare()
			l.end()
		})
	}
}
