package stopover

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

const shortTTL = 300 * time.Millisecond

// crashStory is a store in use, with data, whose every kind of step is still to
// be run: small steps that go together, a backfill over many stretches whose
// change is not idempotent, a verify, and a contract statement by statement.
func crashStory(t *testing.T, s *site, orders int) template {
	s.migration("0001_begin", `-- stopover: expand
CREATE TABLE orders (id {serial}, amount text NOT NULL, touched int NOT NULL DEFAULT 0);
CREATE TABLE marks (step text NOT NULL);
`)
	s.migration("0002_seed", fmt.Sprintf(`-- stopover: expand
INSERT INTO orders (amount)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT 'EUR ' || i FROM n;
`, orders))
	s.finish(t, []string{"init"})
	contract := `CREATE INDEX orders_cents ON orders (cents);
ALTER TABLE orders DROP COLUMN amount;
INSERT INTO marks VALUES ('0004.contract');
`
	if s.kind == "postgres" {
		contract = strings.Replace(contract, "CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1)
	}
	s.migration("0003_small", "-- stopover: expand\nCREATE TABLE small (a int);\nINSERT INTO marks VALUES ('0003.expand');\n")
	s.migration("0004_cents", `-- stopover: expand
ALTER TABLE orders ADD COLUMN cents bigint;
INSERT INTO marks VALUES ('0004.expand');
-- stopover: backfill table=orders
UPDATE orders SET cents = CAST(substr(amount, 5) AS bigint) * 100, touched = touched + 1 WHERE cents IS NULL OR touched > 0;
-- stopover: verify
SELECT id FROM orders WHERE cents IS NULL OR touched <> 1;
-- stopover: contract each
`+contract)
	s.migration("0005_last", "-- stopover: expand\nCREATE TABLE last (a int);\nINSERT INTO marks VALUES ('0005.expand');\n")
	return s.template()
}

// complete is the whole upgrade: apply, then cleanup.
var complete = []string{"apply", "cleanup"}

// finish runs the commands, as another process would that comes later.
func (s *site) finish(t *testing.T, commands []string) {
	t.Helper()
	for _, command := range commands {
		cfg := testConfig(s.dir)
		cfg.leaseTTL = shortTTL
		if err := carryOut(cfg, command); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	}
}

// reference is an uninterrupted run: what the store looks like then, and how
// many points of writing notes each command passes.
func (s *site) reference(t *testing.T, from template) (want []string, points []int) {
	t.Helper()
	s.restore(from)
	for _, command := range complete {
		file := filepath.Join(t.TempDir(), "points")
		p := start(t, errand{Dir: s.dir, Command: command, TTL: shortTTL, Points: file})
		if exit, _ := p.end(); exit != 0 {
			t.Fatalf("%s: exit %d: %s", command, exit, p.errors.String())
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(string(text))
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, n)
	}
	return s.picture(), points
}

// same compares the store with one after an uninterrupted run.
func (s *site) same(t *testing.T, when string, want []string) {
	t.Helper()
	got := s.picture()
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%s: the store differs from an uninterrupted run's from line %d on:\ngot  %q\nwant %q", when, i,
				got[i:min(len(got), i+3)], want[i:min(len(want), i+3)])
		}
	}
}

// TestKilledAtEveryNote shows G1 by SIGKILL before, in and after every write of
// notes: the next run finishes by itself, and the store is the same as after an
// uninterrupted run. Every row was changed exactly once.
func TestKilledAtEveryNote(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		from := crashStory(t, s, 1500)
		want, points := s.reference(t, from)
		if points[0] < 15 || points[1] < 10 {
			t.Fatalf("only %v points of writing notes were seen", points)
		}
		for i, command := range complete {
			for at := 1; ; at++ {
				s.restore(from)
				s.finish(t, complete[:i])
				p := start(t, errand{Dir: s.dir, Command: command, KillAt: at, TTL: shortTTL})
				exit, killed := p.end()
				if exit == 0 && at > points[i]/2 {
					break // a run with so few points: stretches are cut by time
				}
				if !killed {
					t.Fatalf("%s was to be killed at point %d of about %d and ended with %d: %s", command, at, points[i], exit, p.errors.String())
				}
				s.finish(t, complete[i:])
				s.same(t, fmt.Sprintf("%s killed at point %d", command, at), want)
			}
		}
	})
}

// TestKilledAtRandomMoments shows G1 by SIGKILL at 20 seeded moments of each
// kind of step.
func TestKilledAtRandomMoments(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		from := crashStory(t, s, 20_000)
		want, _ := s.reference(t, from)
		moments := map[string]time.Duration{"expand": 5 * time.Millisecond, "backfill": 150 * time.Millisecond,
			"verify": 10 * time.Millisecond, "contract": 40 * time.Millisecond}
		random := rand.New(rand.NewPCG(1, 2))
		for _, step := range []string{"expand", "backfill", "verify", "contract"} {
			for round := range 20 {
				s.restore(from)
				command := "apply"
				if step == "contract" {
					s.finish(t, []string{"apply"})
					command = "cleanup"
				}
				p := start(t, errand{Dir: s.dir, Command: command, TTL: shortTTL, Tell: true})
				p.await(t, wire.EventBegun, step)
				moment := time.Duration(random.Int64N(int64(moments[step])))
				time.Sleep(moment) // the moment is the point of the test
				_ = p.Process.Kill()
				p.end()
				s.finish(t, complete)
				s.same(t, fmt.Sprintf("%s killed %s after its begin (round %d)", step, moment, round), want)
			}
		}
	})
}
