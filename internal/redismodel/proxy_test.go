package redismodel

import (
	"context"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// proxied gives a server's proxy and a client behind it.
func proxied(t *testing.T) (*testserver.RedisServer, *Proxies, *Proxy, *goredis.Client) {
	t.Helper()
	server := testserver.Redis(t)
	g := &Proxies{}
	p, err := g.Of(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(&goredis.Options{Addr: server.Addr(), Dialer: g.Dial, MaxRetries: -1, Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true})
	t.Cleanup(func() {
		client.Close()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, g, p, client
}

func took(t *testing.T, what func() error) time.Duration {
	t.Helper()
	begin := time.Now()
	if err := what(); err != nil {
		t.Error(err)
	}
	return time.Since(begin)
}

func TestDelay(t *testing.T) {
	_, g, _, client := proxied(t)
	ping := func() error { return client.Ping(t.Context()).Err() }
	took(t, ping) // connects
	g.Delay(Delay{ToClient: 60 * time.Millisecond})
	if d := took(t, ping); d < 60*time.Millisecond {
		t.Errorf("one way: %s", d)
	}
	g.Delay(Delay{ToServer: 60 * time.Millisecond, ToClient: 60 * time.Millisecond})
	if d := took(t, ping); d < 120*time.Millisecond {
		t.Errorf("both ways: %s", d)
	}
	// Much is not slower than little: it is late, not slow.
	if d := took(t, func() error {
		_, err := client.Pipelined(t.Context(), func(pipe goredis.Pipeliner) error {
			for range 20_000 {
				pipe.Ping(t.Context())
			}
			return nil
		})
		return err
	}); d < 120*time.Millisecond || d > 10*time.Second {
		t.Errorf("20,000 at once: %s", d)
	}
	g.Delay(Delay{ToClient: time.Hour, Only: "tracking"})
	took(t, ping) // another connection
	g.Delay(Delay{ToClient: 60 * time.Millisecond, Only: "PING-ONLY"})
	took(t, func() error { return client.Set(t.Context(), "delay:a", "PING-ONLY", 0).Err() })
	if d := took(t, ping); d < 60*time.Millisecond {
		t.Errorf("on the connection that was meant: %s", d)
	}
}

// TestAStraggler holds a request until after its client has given up and has
// done without it.
func TestAStraggler(t *testing.T) {
	for name, end := range map[string]func(*Proxy){"the client gives up": func(*Proxy) {}, "the connection is cut": func(p *Proxy) { p.Cut() }} {
		t.Run(name, func(t *testing.T) {
			server, _, p, client := proxied(t)
			client.Del(t.Context(), "straggler:a")
			hold := p.Hold("straggler:a")
			short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			go func() { <-hold.Caught(); end(p) }()
			if err := client.Incr(short, "straggler:a").Err(); err == nil {
				t.Fatal("nothing was held")
			}
			<-hold.Caught()
			if n, err := client.IncrBy(t.Context(), "straggler:a", 10).Result(); n != 10 || err != nil {
				t.Errorf("the next request: %d, %v", n, err)
			}
			hold.Release()
			for deadline := time.Now().Add(20 * time.Second); server.Do(t, "GET", "straggler:a") != "11"; {
				if time.Now().After(deadline) {
					t.Fatal("the request never arrived")
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
}

func TestCut(t *testing.T) {
	server, g, _, _ := proxied(t)
	side := Side{Addrs: []string{server.Addr()}, Dial: g.Dial, Name: OldNames("cut")}
	m := seeded(t, side, Options{Tenants: 500})
	r := started(t, m, side)
	for range 5 {
		await(t, r, 500)
		if g.Cut() == 0 {
			t.Error("nothing was cut")
		}
	}
	await(t, r, 500)
	w := stopped(t, r)
	if report := checked(t, m, side); w.Unknown > 40 || report.Unsure > w.Unknown+20 {
		t.Error(w, report)
	}
}

// TestWhatIsSeenInParts finds a text however it was cut in two.
func TestWhatIsSeenInParts(t *testing.T) {
	const all = "*2\r\n$4\r\nINCR\r\n"
	for i := range all {
		if got, want := within("INCR", []byte(all[:i]), []byte(all[i:])), i < 12; got != want {
			t.Errorf("cut at %d: %t", i, got)
		}
	}
}
