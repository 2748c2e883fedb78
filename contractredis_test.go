package stopover

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/plan"
)

// manyCarts is how many keys the contract deletes: several stretches.
const manyCarts = 1500

// renames is a project whose contract deletes the sources of a copy, and begins
// with floors.
func renames(t *testing.T, server *testserver.RedisServer) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		"stopover.yaml": "application: shop\nstores:\n  main: {url: \"" + server.URL() + `", prefix: "shop:", clients: {ignore: [default]}}
components:
  api: {main: rw}
releases: ["1.5", "1.6"]
`,
		"migrations/main/0001_begin.yaml": `backfill:
  offline: true
  needs: "1.5"
  copy:
    - {from: "basket:<id:[^:{}]+>", to: "basket:{<id>}"}
`,
		"migrations/main/0002_tags.yaml": `backfill:
  offline: true
  needs: "1.6"
  copy:
    - {from: "cart:<id:[^:{}]+>", to: "cart:{<id>}"}
  drop: ["cache:<id>"]
verify: full
contract: {readers: "1.6", writers: "1.6", delete: sources}
`,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fillCarts makes the keys of the old release in an empty server.
func fillCarts(t *testing.T, server *testserver.RedisServer) {
	t.Helper()
	server.Do(t, "FLUSHALL")
	client := server.Client()
	defer func() { _ = client.Close() }()
	pipe := client.Pipeline()
	for i := range manyCarts {
		pipe.Set(context.Background(), fmt.Sprintf("shop:cart:%d", i), i, 0)
	}
	pipe.Set(context.Background(), "shop:cache:1", "c", 0)
	if _, err := pipe.Exec(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// carts counts what is there of the old names and of the new ones.
func carts(t *testing.T, server *testserver.RedisServer) (old, renamed int) {
	t.Helper()
	client := server.Client()
	defer func() { _ = client.Close() }()
	keys, err := client.Keys(context.Background(), "shop:cart:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if strings.Contains(key, "{") {
			renamed++
		} else {
			old++
		}
	}
	return old, renamed
}

// redisErrands runs commands as processes that come later would.
func redisErrands(t *testing.T, dir string, commands ...string) {
	t.Helper()
	for _, command := range commands {
		cfg := testConfig(dir)
		cfg.leaseTTL = shortTTL
		if err := carryOut(cfg, command); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	}
}

// contractLine gives the ledger's line of the contract, if there is one.
func contractLine(t *testing.T, dir string) (line book.Line, begun bool) {
	t.Helper()
	a, err := Open(testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	for _, seen := range a.look(wait(t)) {
		line, begun = seen.books.Lines[book.Step{Migration: "0002_tags", Kind: plan.Contract}]
	}
	return line, begun
}

// TestContractInStretchesIsKilled kills the verification, while it
// keeps the proofs, and the contract, while it deletes, at every seventh write of notes.
// The next run finishes; what new writers did to the targets in between stays,
// and floors stand before the first source is gone.
func TestContractInStretchesIsKilled(t *testing.T) {
	t.Parallel()
	server := testserver.OwnRedis(t)
	dir := renames(t, server)
	half := 0
	for i, command := range []string{"offline 1.6", "cleanup-of 1.6"} {
		before := []string{"offline 1.6", "cleanup-of 1.6"}[:i]
		for at := 3; ; at += 7 {
			fillCarts(t, server)
			redisErrands(t, dir, append([]string{"adopt main:0001_begin"}, before...)...)
			if command == "cleanup-of 1.6" {
				server.Do(t, "SET", "shop:cart:{7}", "later")
			}
			p := start(t, errand{Dir: dir, Command: command, KillAt: at, TTL: shortTTL})
			exit, killed := p.end()
			if exit == 0 && at > 10 {
				break
			}
			if !killed {
				t.Fatalf("%s was to be killed at point %d and ended with %d: %s", command, at, exit, p.errors.String())
			}
			if old, _ := carts(t, server); command == "cleanup-of 1.6" && old < manyCarts {
				line, begun := contractLine(t, dir)
				if !begun || line.Writers != "1.6" || line.Readers != "1.6" {
					t.Fatalf("killed at point %d: %d sources are gone, and the contract's line is %+v", at, manyCarts-old, line)
				}
				if old > 0 {
					half++
				}
			}
			redisErrands(t, dir, []string{"offline 1.6", "cleanup-of 1.6"}[i:]...)
			if old, renamed := carts(t, server); old != 0 || renamed != manyCarts {
				t.Fatalf("%s killed at point %d: %d sources and %d targets are there", command, at, old, renamed)
			}
			if got := server.Do(t, "GET", "shop:cart:{7}"); command == "cleanup-of 1.6" && got != "later" {
				t.Fatalf("the target holds %v", got)
			}
			if line, _ := contractLine(t, dir); !line.IsDone() || line.Rows < manyCarts/2 {
				t.Fatalf("killed at point %d: the contract's line is %s", at, strconv.Quote(fmt.Sprintf("%+v", line)))
			}
		}
	}
	if half == 0 {
		t.Error("no contract was killed with half of the sources gone: this test proves nothing")
	}
}
