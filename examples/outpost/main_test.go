package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/testserver"
)

func TestMain(m *testing.M) {
	goredis.SetLogger(silent{})
	os.Exit(testserver.Run(m))
}

// place is a Redis with the variables that lead to it.
type place struct {
	t      *testing.T
	client goredis.UniversalClient
	env    map[string]string
}

func at(t *testing.T, servers ...*testserver.RedisServer) *place {
	t.Helper()
	p := &place{t: t, env: map[string]string{"REDIS_HOST": "127.0.0.1", "REDIS_PORT": fmt.Sprint(servers[0].Port), "NO_COLOR": "1"}}
	options := &goredis.UniversalOptions{Addrs: []string{servers[0].Addr()}, IsClusterMode: len(servers) > 1}
	if len(servers) > 1 {
		p.env["REDIS_CLUSTER_ENABLED"] = "true"
	}
	p.client = goredis.NewUniversalClient(options)
	t.Cleanup(func() { p.client.Close() })
	return p
}

// do performs a command of the application.
func (p *place) do(args ...any) any {
	p.t.Helper()
	answer, err := p.client.Do(context.Background(), args...).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		p.t.Fatalf("%v: %v", args, err)
	}
	return answer
}

// migrate runs the program in this process, and gives all that it says.
func (p *place) migrate(exit int, args ...string) string {
	p.t.Helper()
	var said bytes.Buffer
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	code := run(ctx, stopover.Terminal{Args: args, In: strings.NewReader(""), Out: &said, Err: &said, Lookup: func(name string) (string, bool) {
		value, ok := p.env[name]
		return value, ok
	}})
	if code != exit {
		p.t.Fatalf("%v: exit code %d, want %d\n%s", args, code, exit, said.String())
	}
	return said.String()
}

func (p *place) says(said string, words ...string) {
	p.t.Helper()
	for _, word := range words {
		if !strings.Contains(said, word) {
			p.t.Errorf("it does not say %q:\n%s", word, said)
		}
	}
}

// typed is a command line as a user types it, in the folder of the clone.
func (p *place) typed(line string) *exec.Cmd {
	cmd := exec.CommandContext(p.t.Context(), "sh", "-c", "exec "+line)
	cmd.Dir = "../.."
	cmd.Env = os.Environ()
	for name, value := range p.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// readme gives the command lines of the README but the first, which says where
// the server is.
func readme(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if command, ok := strings.CutPrefix(line, "    $ "); ok {
			lines = append(lines, strings.TrimSpace(command))
		}
	}
	if len(lines) < 10 || !strings.HasPrefix(lines[0], "export REDIS_HOST=") {
		t.Fatalf("the README has the commands %q", lines)
	}
	return lines[1:]
}

// TestReadme types what the README says, on a server and on a cluster, where the
// apply is killed on its way. What is there then is what the formats say.
func TestReadme(t *testing.T) {
	for name, servers := range map[string][]*testserver.RedisServer{
		"one": {testserver.OwnRedis(t)}, "cluster": testserver.OwnRedisCluster(t),
	} {
		t.Run(name, func(t *testing.T) {
			p := at(t, servers...)
			var before contents
			for _, line := range readme(t) {
				if strings.Contains(line, " apply ") {
					p.oddTenants()
					before = p.contents()
					if name == "cluster" {
						p.killed(line)
					}
				}
				if out, err := p.typed(line).CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", line, err, out)
				}
				switch {
				case strings.Contains(line, " verify"):
					p.wantContents(before.migrated(), before)
				case strings.Contains(line, " cleanup"):
					p.wantContents(before.migrated())
				}
			}
			if len(before) < 5000 {
				t.Errorf("only %d keys were there", len(before))
			}
			for _, name := range migrations {
				if status := p.do("HGET", "outpost:migration:"+name, "status"); status != "applied" {
					t.Errorf("the record of %s says %v", name, status)
				}
			}
		})
	}
}

// killed begins a command and kills it when the first keys have new names, which
// is before the cutover: that waits for somebody who never comes.
func (p *place) killed(line string) {
	p.t.Helper()
	gone := filepath.Join(p.t.TempDir(), "gone")
	defer func() {
		if err := os.WriteFile(gone, nil, 0o600); err != nil {
			p.t.Error(err)
		}
	}()
	cmd := p.typed(line + " --stop-outpost 'while [ ! -e " + gone + " ]; do sleep 0.05; done'")
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); p.copied() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatal("nothing was copied within 30 s")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	p.says(p.migrate(0, "list"), "001_hash_tags.cutover    pending")
}

// copied tells how many of some tenants have their new names.
func (p *place) copied() (n int) {
	for i := range 20 {
		n += int(p.do("EXISTS", fmt.Sprintf("tenant:{t%d}:tenant", 50*i)).(int64))
	}
	return n
}

// oddTenants adds what a store may hold besides ordinary tenants.
func (p *place) oddTenants() {
	p.do("SET", "tenant:list", "a string")
	p.do("RPUSH", "tenant:odd:destination:queue", "a", "\x00\xff")
	p.do("HSET", "tenant:when", "id", "when", "created_at", "yesterday", "updated_at", "")
	p.do("HSET", "tenant:done", "id", "done", "created_at", "1740823872123", "entity", "other")
	p.do("HSET", "tenant:a:b:c:destination:x:y", "id", "x:y", "created_at", "2025-03-01T10:11:12.9999Z", "updated_at", "2025-03-01T10:11:12+02:00")
	p.do("HSET", "tenant:binary\x00\xff\x80", "id", "binary\x00\xff\x80", "created_at", "2025-03-01T10:11:12Z")
	p.do("HSET", "tenant:t1:destination:{d}", "id", "{d}", "disabled_at", "2025-03-01T10:11:12Z")
	p.do("SET", "tenants", "of another application")
	p.do("SET", "queue:tenant:x", "of another application")
}
