package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

func TestAServerWithoutMemory(t *testing.T) {
	server := testserver.OwnRedis(t)
	f := prepared(t, server)
	f.note("a", store.Absent, `1`)
	f.raw("SET", f.Store.full("y"), "before")
	server.Do(t, "CONFIG", "SET", "maxmemory", "1mb")
	for what, err := range writes(f) {
		wantText(t, err, "maxmemory is reached")
		if what == "Script" {
			if failed := failure(t, err); failed.Code != "OOM" || failed.Hint == "" {
				t.Errorf("%+v", failed)
			}
		}
	}
	_, err := f.run(Script("delete, then set", `redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[2], 'x')`, []string{"y", "x"}))
	// Redis looks at its memory before a script's first write only.
	if x := f.raw("GET", f.Store.full("x")); (err == nil) != (x == "x") || (err == nil) != f.has("done") {
		t.Errorf("the script is half done: %v, %v", err, x)
	}
	if !f.has("a") || f.has("b") {
		t.Error("the notes are not as they were")
	}
}

func TestAServerThatCannotSave(t *testing.T) {
	server := testserver.OwnRedis(t, "--dbfilename", "taken.rdb")
	f := prepared(t, server)
	dir := fmt.Sprint(server.Do(t, "CONFIG", "GET", "dir").([]any)[1])
	if err := os.MkdirAll(filepath.Join(dir, "taken.rdb", "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	server.Do(t, "CONFIG", "SET", "save", "3600 1000000")
	server.Do(t, "BGSAVE")
	eventually(t, "the save fails", func() bool {
		return strings.Contains(server.Do(t, "INFO", "persistence").(string), "rdb_last_bgsave_status:err")
	})
	for what, err := range writes(f) {
		right, ok := errors.AsType[*store.RightsError](err)
		if !ok || !strings.Contains(right.Missing, "cannot save its data to disk") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if survey := f.survey(); !survey.ReadOnly || !strings.Contains(fmt.Sprint(survey.Missing), "save its data") {
		t.Errorf("%+v", survey)
	}
}

func TestAServerThatIsLoading(t *testing.T) {
	server := testserver.OwnRedis(t, "--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024")
	f := prepared(t, server)
	server.Do(t, "EVAL", `for i = 1, 300 do redis.call('SET', 'k' .. i, string.rep('x', 2000)) end`, 0)
	server.Do(t, "CONFIG", "SET", "key-load-delay", "3000")
	reloaded := make(chan struct{})
	go func() {
		defer close(reloaded)
		client := server.Client()
		defer client.Close()
		client.Do(context.Background(), "DEBUG", "RELOAD")
	}()
	eventually(t, "the store says that the server loads", func() bool {
		_, err := f.Store.Look(t.Context())
		gone, ok := errors.AsType[*store.UnreachableError](err)
		return ok && strings.Contains(gone.Error(), "still loading")
	})
	<-reloaded
	if _, err := f.Store.Look(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestABusyServer(t *testing.T) {
	server := testserver.OwnRedis(t, "--busy-reply-threshold", "50")
	f := prepared(t, server)
	go func() {
		client := server.Client()
		defer client.Close()
		client.Do(context.Background(), "EVAL", `while true do redis.call('TIME') end`, 0)
	}()
	eventually(t, "the store says that the server is busy", func() bool {
		_, err := f.Store.Look(t.Context())
		gone, ok := errors.AsType[*store.UnreachableError](err)
		return ok && strings.Contains(gone.Error(), "busy with a client's script")
	})
	server.Do(t, "SCRIPT", "KILL")
	eventually(t, "the server is free again", func() bool {
		_, err := f.Store.Look(t.Context())
		return err == nil
	})
}

func TestAServerThatIsGone(t *testing.T) {
	server := testserver.OwnRedis(t)
	f := prepared(t, server)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	_, lookErr := f.Store.Look(t.Context())
	calls := writes(f)
	calls["Look"], calls["Prepare"] = lookErr, f.Store.Prepare(t.Context())
	for what, err := range calls {
		if gone, ok := errors.AsType[*store.UnreachableError](err); !ok || gone.Place != f.Store.place {
			t.Errorf("%s: %v", what, err)
		}
	}
	server.Restart(t)
	if err := f.Store.Prepare(t.Context()); err != nil {
		t.Errorf("after its return: %v", err)
	}
	server.Restart(t) // connections are open, and broken
	if _, err := f.Store.Look(t.Context()); err != nil {
		t.Errorf("with broken connections: %v", err)
	}
}

// TestRevisionsDoNotComeBack deletes the books: what is written then must not
// have a revision that an old holder still knows.
func TestRevisionsDoNotComeBack(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	old := f.note("epoch", store.Absent, `1`)
	f.raw("DEL", f.Store.books)
	if err := f.Store.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := f.note("epoch", store.Absent, `1`); now.Rev <= old.Rev {
		t.Errorf("revision %d after %d", now.Rev, old.Rev)
	}
	_, err := f.Store.Swap(t.Context(), []store.Note{old}, store.Note{Key: "a", Value: []byte(`1`)})
	if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || !conflict.Guard {
		t.Errorf("the old guard: %v", err)
	}
}

func TestBooksThatAreSomethingElse(t *testing.T) {
	f := opened(t, testserver.Redis(t))
	_, err := f.Store.Swap(t.Context(), nil, store.Note{Key: "a", Value: []byte(`1`)})
	wantText(t, err, "no books yet")
	f.raw("SET", f.Store.books, "x")
	for what, call := range map[string]func() error{
		"Look":    func() error { _, err := f.Store.Look(t.Context()); return err },
		"Prepare": func() error { return f.Store.Prepare(t.Context()) },
		"Swap": func() error {
			_, err := f.Store.Swap(t.Context(), nil, store.Note{Key: "a", Value: []byte(`1`)})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "it is no hash") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestANodeOfAClusterNeedsItsSetting opens a node of a cluster as if it stood
// alone: it has other nodes' keys not, and to try again does not help.
func TestANodeOfAClusterNeedsItsSetting(t *testing.T) {
	servers := testserver.RedisCluster(t)
	refused := 0
	for _, server := range servers {
		s := open(t, settingsFor([]*testserver.RedisServer{server}, "alone:"))
		if _, err := s.Look(t.Context()); err != nil {
			refused++
			setting, ok := errors.AsType[*store.SettingError](err)
			if !ok || setting.Setting != `cluster: "true"` || !strings.Contains(setting.Message, server.Addr()) {
				t.Errorf("%v (%T)", err, err)
			}
		}
	}
	if refused != len(servers)-1 { // one of them has the books' slot
		t.Errorf("%d of %d nodes refused", refused, len(servers))
	}
}

// TestNoPasswordInErrors makes every kind of trouble with canaries for
// passwords and reads what is said.
func TestNoPasswordInErrors(t *testing.T) {
	tls := testserver.RedisTLS(t)
	place := settingsFor([]*testserver.RedisServer{tls}, "shop:")
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	with := func(url string, options ...string) store.Settings {
		s := store.Settings{Name: "cache", URL: url, Options: map[string]string{"prefix": "shop:"}}
		for i := 0; i < len(options); i += 2 {
			s.Options[options[i]] = options[i+1]
		}
		return s
	}
	ca := place.Options["tls_ca"]
	for name, settings := range map[string]store.Settings{
		"wrong password":   with("rediss://ana:canary@"+tls.Addr(), "tls_ca", ca),
		"no TLS spoken":    with("redis://:canary@" + tls.Addr()),
		"unknown CA":       with("rediss://:canary@" + tls.Addr()),
		"no such host":     with("redis://:canary@no-such-host.invalid:1"),
		"nobody there":     with("redis://:canary@127.0.0.1:1"),
		"broken URL":       with("redis://:cana ry%zz@canary:port/canary"),
		"other scheme":     with("http://:canary@host"),
		"bad database":     with("redis://:canary@host/canary"),
		"unknown option":   with("redis://:canary@host", "canary-less", "1"),
		"bad CA":           with("rediss://:canary@host", "tls_ca", "/no/such/file"),
		"cluster database": with("redis://:canary@host/3", "cluster", "true"),
		"cluster of one":   with("redis://ana:canary@"+testserver.Redis(t).Addr(), "cluster", "true"),
		"not a cluster":    with(testserver.Redis(t).URL(), "cluster", "true"),
	} {
		s, err := Kind().Open(t.Context(), settings)
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_, err = s.Survey(ctx)
			cancel()
			if place := s.(*Store).Place(); strings.Contains(place, "canary") {
				t.Errorf("%s: the place is %s", name, place)
			}
			s.Close()
		}
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if strings.Contains(strings.ReplaceAll(fmt.Sprintf("%v %+v", err, err), "canary-less", ""), "cana") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCertificatesAreChecked connects to the server with a certificate of its
// own.
func TestCertificatesAreChecked(t *testing.T) {
	server := testserver.RedisTLS(t)
	look := func(options map[string]string) error {
		options["prefix"] = "shop:"
		s, err := Kind().Open(t.Context(), store.Settings{Name: "cache", URL: server.URL(), Options: options})
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = s.Look(t.Context())
		return err
	}
	wantText(t, look(map[string]string{}), "certificate")
	wantText(t, look(map[string]string{"tls_skip_verify": "yes"}), "tls_skip_verify")
	for _, options := range []map[string]string{{"tls_ca": server.CA}, {"tls_skip_verify": "true"}} {
		if err := look(options); err != nil {
			t.Errorf("%v: %v", options, err)
		}
	}
}
