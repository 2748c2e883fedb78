package redis

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// everyServer runs a test on each sort of server.
func everyServer(t *testing.T, test func(t *testing.T, f fixture)) {
	for name, servers := range map[string][]*testserver.RedisServer{
		"Redis": {testserver.Redis(t)}, "Valkey": {testserver.Valkey(t)}, "cluster": testserver.RedisCluster(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, prepared(t, servers...))
		})
	}
}

// TestAFailingScriptIsTakenBack writes keys of every type, then fails: all must
// be as before, with their times to live.
func TestAFailingScriptIsTakenBack(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.raw("SET", f.key("string"), "bin\x00\xff")
		f.raw("HSET", f.key("hash"), "a", "1")
		f.raw("RPUSH", f.key("list"), "x", "y")
		f.raw("SADD", f.key("set"), "m")
		f.raw("ZADD", f.key("zset"), "1.5", "m")
		f.raw("XADD", f.key("stream"), "1-1", "f", "v")
		f.raw("SET", f.key("dying"), "v")
		at := time.Now().Add(time.Hour).UnixMilli()
		f.raw("PEXPIREAT", f.key("dying"), at)
		names := []string{"string", "hash", "list", "set", "zset", "stream", "dying", "new"}
		state := func() (all []any) {
			for _, name := range names {
				all = append(all, f.raw("DUMP", f.key(name)), f.raw("PEXPIRETIME", f.key(name)))
			}
			return all
		}
		before := state()
		var keys []string
		for _, name := range names {
			keys = append(keys, f.beside(name))
		}
		const writes = `redis.call('SET', KEYS[1], 'other')
redis.call('HSET', KEYS[2], 'a', '2', 'b', '3')
redis.call('DEL', KEYS[3])
redis.call('SADD', KEYS[4], 'n')
redis.call('ZINCRBY', KEYS[5], 1, 'm')
redis.call('XADD', KEYS[6], '2-1', 'f', 'w')
redis.call('PERSIST', KEYS[7])
redis.call('SET', KEYS[8], 'new')
redis.call('RENAME', KEYS[8], KEYS[1])
`
		for name, end := range map[string]string{
			"command fails": `redis.call('INCR', KEYS[2])`, "raises": `error('no')`, "returns an error": `return redis.error_reply('no')`,
			"undeclared key": `redis.pcall('SET', KEYS[1] .. 'x', '1')`, "no key": `redis.call('FLUSHALL')`, "unknown": `redis.call('NOSUCH', KEYS[1])`,
			"its own fault": `local x = nil + 1`,
		} {
			_, err := f.run(Script(name, writes+end, keys))
			failure(t, err)
			if after := state(); !reflect.DeepEqual(after, before) {
				t.Fatalf("%s: something stayed:\n%q\n%q", name, before, after)
			}
			if f.has("done") {
				t.Errorf("%s: it was recorded", name)
			}
		}
		if _, err := f.run(Script("well", writes, keys)); err != nil || !f.has("done") {
			t.Fatalf("without a fault: %v", err)
		}
		if reflect.DeepEqual(state(), before) {
			t.Error("the script has changed nothing")
		}
	})
}

func TestAScriptSaysWhatItChanged(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	p, err := f.run(Script("set", `redis.call('SET', KEYS[1], ARGV[1]) return 17`, []string{"a"}, "v"))
	if err != nil || !p.Done || p.Rows != 17 || p.Took <= 0 {
		t.Errorf("progress %+v, %v", p, err)
	}
	if got := f.raw("GET", f.Store.prefix+"a"); got != "v" {
		t.Errorf("the key holds %v", got)
	}
	if p, err = f.run(Script("nothing", `redis.call('GET', KEYS[1])`, []string{"a"})); err != nil || p.Rows != -1 {
		t.Errorf("progress %+v, %v", p, err)
	}
}

func TestErrorsOfScripts(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.raw("SET", f.key("a"), "text")
		for _, c := range []struct{ lua, code, message string }{
			{"\n\nerror('bad luck')", "", "line 3: bad luck"},
			{"redis.call('LPUSH', KEYS[1], 'x')", "WRONGTYPE", "Operation against a key"},
			{"return {err = 'MINE is mine'}", "MINE", "is mine"},
			{"redis.call('SET', 'elsewhere', 'x')", "", "the key 'elsewhere' was not declared"},
			{"redis.call('KEYS', '*')", "", "names no key"},
			{"this is no Lua", "ERR", "user_script:1"},
		} {
			_, err := f.run(Script("fail", c.lua, []string{f.beside("a")}))
			failed := new(store.StatementError)
			if !errors.As(err, &failed) {
				wantText(t, err, c.message) // a script that cannot be compiled is not begun
				continue
			}
			if failed.Code != c.code || !strings.Contains(failed.Message, c.message) || failed.Statement != 1 {
				t.Errorf("%q: %+v", c.lua, failed)
			}
		}
	})
}

// TestTimeoutOfAWritingScript ends a script that Redis itself cannot end any
// more, because it has written.
func TestTimeoutOfAWritingScript(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.raw("SET", f.key("n"), "5")
		loop := Script("count for long", `for i = 1, 1e9 do redis.pcall('INCR', KEYS[1]) end`, []string{f.beside("n")})
		begun := time.Now()
		_, err := f.Store.Do(t.Context(), store.Task{Action: loop, Timeout: 150 * time.Millisecond, Record: recorded("done")})
		if failed := failure(t, err); !strings.Contains(failed.Message, "longer than 150ms") {
			t.Errorf("the failure says %q", failed.Message)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
		if n := f.raw("GET", f.key("n")); n != "5" || f.has("done") {
			t.Errorf("the key is %v, recorded %t", n, f.has("done"))
		}
	})
}

func TestQueriesChangeNothing(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.raw("SET", f.key("a"), "1")
		writes := QueryScript("writes", `redis.call('SET', KEYS[1], '2') return {}`, []string{f.beside("a")})
		_, err := f.run(writes)
		wantText(t, err, "a query changes nothing")
		_, err = f.Store.Do(t.Context(), store.Task{Action: Script("set", `redis.call('SET', KEYS[1], '3')`, []string{f.beside("a")}), Proof: writes})
		wantText(t, err, "a query changes nothing")
		_, err = f.run(Query("writes", func(ctx context.Context, r *Reader, _ func(string)) error {
			_, err := r.Read(ctx, "SET", f.beside("a"), "4")
			return err
		}))
		wantText(t, err, "not a command that only reads")
		if got := f.raw("GET", f.key("a")); got != "1" {
			t.Errorf("the key holds %v", got)
		}
	})
}

// TestAProofIsOneWithTheWork holds a proof in Lua to the moment of the work:
// others write all the time, and never is work done beside a violation.
func TestAProofIsOneWithTheWork(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				f.client.Set(context.Background(), f.key("bad"), i%2, 0)
			}
		}
	}()
	proof := QueryScript("nothing bad", `if redis.call('GET', KEYS[1]) == '1' then return {'bad'} end`, []string{f.beside("bad")})
	work := Script("see", `redis.call('RPUSH', KEYS[2], tostring(redis.call('GET', KEYS[1])))`, []string{f.beside("bad"), f.beside("seen")})
	violated := 0
	for range 200 {
		_, err := f.Store.Do(t.Context(), store.Task{Action: work, Proof: proof})
		if _, ok := errors.AsType[*store.ViolationError](err); ok {
			violated++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-stopped
	seen, err := f.client.LRange(t.Context(), f.key("seen"), 0, -1).Result()
	if err != nil || strings.Contains(fmt.Sprint(seen), "1") || violated == 0 || len(seen)+violated != 200 {
		t.Errorf("%d violations, seen %v, %v", violated, seen, err)
	}
}

func TestKeysElsewhereInAClusterAreRefused(t *testing.T) {
	f := prepared(t, testserver.RedisCluster(t)...)
	other := "elsewhere"
	for i := 0; slot(f.Store.full(other)) == slot(f.Store.books); i++ {
		other = fmt.Sprint("elsewhere", i)
	}
	_, err := f.run(Script("set", `redis.call('SET', KEYS[1], '1')`, []string{other}))
	wantText(t, err, "another slot", "{"+f.Store.tag+"}")
	_, err = f.run(Tx("set", func(ctx context.Context, tx *Transaction) error { return tx.Queue(ctx, "SET", other, "1") }))
	wantText(t, err, "another slot")
	if f.has("done") || f.raw("GET", f.Store.full(other)) != nil {
		t.Error("it was done")
	}
}

func TestScriptsAreLoadedAgain(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	for range 2 {
		testserver.Redis(t).Do(t, "SCRIPT", "FLUSH")
		f.note("a", store.Any, `1`)
		testserver.Redis(t).Do(t, "SCRIPT", "FLUSH")
		if !f.has("a") {
			t.Error("the note is gone")
		}
	}
}
