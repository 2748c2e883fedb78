package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// visit connects a client of an application, and keeps it connected.
func (f fixture) visit(server *testserver.RedisServer, change func(*goredis.Options)) *goredis.Conn {
	f.t.Helper()
	options := server.Client().Options()
	change(options)
	client := goredis.NewClient(options)
	conn := client.Conn()
	f.t.Cleanup(func() { conn.Close(); client.Close() })
	if err := conn.Ping(f.t.Context()).Err(); err != nil {
		f.t.Fatal(err)
	}
	return conn
}

func named(name string) func(*goredis.Options) {
	return func(o *goredis.Options) { o.ClientName = name }
}

func as(user, name string) func(*goredis.Options) {
	return func(o *goredis.Options) { o.Username, o.Password, o.ClientName = user, "canary-visitor", name }
}

// seen lists the sessions with a name that begins so.
func (f fixture) seen(s *Store, name string) []store.Session {
	f.t.Helper()
	sessions, err := s.Sessions(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return slices.DeleteFunc(sessions, func(s store.Session) bool { return !strings.HasPrefix(s.Name, name) })
}

func names(sessions []store.Session) []string {
	var all []string
	for _, s := range sessions {
		all = append(all, s.Name)
	}
	slices.Sort(all)
	return all
}

// TestWhoIsAClient has clients of an application, of another database, and of
// users that may and may not reach the keys.
func TestWhoIsAClient(t *testing.T) {
	for name, server := range map[string]*testserver.RedisServer{"redis": testserver.Redis(t), "valkey": testserver.Valkey(t)} {
		t.Run(name, func(t *testing.T) {
			f := prepared(t, server)
			mark := "who-" + strings.TrimSuffix(f.Store.prefix, ":") + "-"
			for user, rules := range map[string][]any{
				"near": {"~" + f.Store.prefix + "cart:*", "+@all"}, "far": {"~elsewhere:*", "+@all"}, "keyless": {"+@all"},
				"wide": {"~*", "+@all"}, "selected": {"~elsewhere:*", "+@all", "(~" + f.Store.prefix + "* +get)"},
				"reading": {"%R~" + f.Store.prefix + "*", "+@all"},
			} {
				server.Do(t, append([]any{"ACL", "SETUSER", mark + user, "on", ">canary-visitor"}, rules...)...)
				f.visit(server, as(mark+user, mark+user))
			}
			f.visit(server, named(mark+"default"))
			f.visit(server, func(o *goredis.Options) { o.ClientName, o.DB = mark+"database-3", 3 })
			f.visit(server, named("sentinel-0123abcd-cmd"))

			got := f.seen(f.Store, mark)
			want := []string{mark + "default", mark + "near", mark + "reading", mark + "selected", mark + "wide"}
			if !slices.Equal(names(got), want) {
				t.Errorf("clients %v, want %v", names(got), want)
			}
			if links := f.seen(f.Store, "sentinel-"); len(links) > 0 {
				t.Errorf("links of Sentinel are listed: %v", links)
			}
			for _, s := range got {
				if s.Own || s.Client != "127.0.0.1" || s.Query != "PING" || time.Since(s.Since) > time.Minute || !strings.HasPrefix(s.ID, server.Addr()+"/") {
					t.Errorf("the session is shown as %+v", s)
				}
				if s.Name != mark+"default" && s.User != s.Name {
					t.Errorf("the user of %s is shown as %s", s.Name, s.User)
				}
			}
		})
	}
}

func TestOwnSessions(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	other := f.another()
	if err := other.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	own, foreign := 0, 0
	for _, s := range f.seen(f.Store, "stopover:") {
		switch s.Name {
		case f.Store.net.name:
			if own++; !s.Own {
				t.Errorf("not its own: %+v", s)
			}
		case other.net.name:
			if foreign++; s.Own {
				t.Errorf("taken for its own: %+v", s)
			}
		}
	}
	if own == 0 || foreign == 0 {
		t.Errorf("%d own sessions, %d of the other store", own, foreign)
	}
}

// TestSessionsOfACluster has a client on each master.
func TestSessionsOfACluster(t *testing.T) {
	f := prepared(t, testserver.RedisCluster(t)...)
	mark := "on-" + strings.TrimSuffix(f.Store.prefix, ":")
	for _, server := range f.servers {
		f.visit(server, named(mark))
	}
	var nodes []string
	for _, s := range f.seen(f.Store, mark) {
		addr, _, _ := strings.Cut(s.ID, "/")
		nodes = append(nodes, addr)
	}
	slices.Sort(nodes)
	masters, err := f.Store.net.masters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(nodes, masters) {
		t.Errorf("clients on %v, want one on each of %v", nodes, masters)
	}
}

// TestSessionsOfReplicas lists a reader on a replica, leaves out the replica's link,
// and does without a replica that does not answer.
func TestSessionsOfReplicas(t *testing.T) {
	master := testserver.OwnRedis(t, "--repl-diskless-sync-delay", "0")
	replica := testserver.OwnRedis(t)
	f := prepared(t, master)
	replica.Do(t, "REPLICAOF", "127.0.0.1", master.Port)
	eventually(t, "the replica is known", func() bool { return strings.Contains(fmt.Sprint(master.Do(t, "ROLE")), fmt.Sprint(replica.Port)) })
	if list := master.Do(t, "CLIENT", "LIST").(string); !strings.Contains(list, "flags=S ") {
		t.Fatalf("there is no link of a replica: %s", list)
	}
	f.visit(replica, named("reader"))
	if found := f.seen(f.Store, "reader"); len(found) != 1 || !strings.HasPrefix(found[0].ID, replica.Addr()+"/") {
		t.Errorf("the reader on the replica is listed as %+v", found)
	}
	for _, s := range f.seen(f.Store, "") {
		if s.Query == "REPLCONF" || s.Query == "PSYNC" {
			t.Errorf("a replica's link is listed: %+v", s)
		}
	}
	if err := replica.Freeze(); err != nil {
		t.Fatal(err)
	}
	defer replica.Thaw()
	f.visit(master, named("writer"))
	if found := f.seen(f.Store, "writer"); len(found) != 1 {
		t.Errorf("beside a frozen replica, the writer is listed as %+v", found)
	}
}

func TestEndASession(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	name := "ends-" + strings.TrimSuffix(f.Store.prefix, ":")
	conn := f.visit(f.servers[0], named(name))
	found := f.seen(f.Store, name)
	if len(found) != 1 {
		t.Fatalf("sessions %+v", found)
	}
	earlier := found[0]
	earlier.Since = earlier.Since.Add(-time.Hour) // of a server that was restarted since
	if err := f.Store.End(t.Context(), earlier); err != nil || len(f.seen(f.Store, name)) != 1 {
		t.Fatalf("another session with the number was ended: %v", err)
	}
	for range 2 {
		if err := f.Store.End(t.Context(), found[0]); err != nil {
			t.Fatal(err)
		}
	}
	if left := f.seen(f.Store, name); len(left) > 0 {
		t.Errorf("it is still there: %+v", left)
	}
	if err := conn.Ping(context.Background()).Err(); err == nil {
		t.Error("its connection still answers")
	}
}

// TestListWithoutRights has a store whose user may not list.
func TestListWithoutRights(t *testing.T) {
	server := testserver.Redis(t)
	f := prepared(t, server)
	user := "blind-" + strings.TrimSuffix(f.Store.prefix, ":")
	server.Do(t, "ACL", "SETUSER", user, "on", ">canary-visitor", "~*", "+@all", "-client", "-acl")
	settings := f.settings
	settings.URL = server.URLAs(user, "canary-visitor")
	blind := open(t, settings)
	_, err := blind.Sessions(t.Context())
	if !errors.As(err, new(*store.RightsError)) {
		t.Fatalf("error %v (%T), want a RightsError", err, err)
	}
	wantText(t, err, "CLIENT LIST", "+client|list")
	for _, s := range f.seen(f.Store, blind.net.name) {
		if s.User != user {
			t.Errorf("the session is shown as %+v", s)
		}
	}
	if len(f.seen(f.Store, blind.net.name)) == 0 {
		t.Error("a connection without the right to name itself has no name")
	}

	// Without the rules of users nobody is left out for them.
	server.Do(t, "ACL", "SETUSER", user, "+client|list")
	server.Do(t, "ACL", "SETUSER", user+"-far", "on", ">canary-visitor", "~elsewhere:*", "+@all")
	f.visit(server, as(user+"-far", user+"-far"))
	if len(f.seen(blind, user+"-far")) != 1 || len(f.seen(f.Store, user+"-far")) != 0 {
		t.Errorf("listed are %v, and with the right to read rules %v", f.seen(blind, user+"-far"), f.seen(f.Store, user+"-far"))
	}
}
