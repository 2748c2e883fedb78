package stopover

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

// rolloutSite has a route from 1.4 to 1.6 by way of 1.5.
func rolloutSite(t *testing.T, s *site) {
	s.write("stopover.yaml", `application: shop
stores:
  main: {url: "${file:url}", kind: `+s.kind+`, migrations: migrations}
components:
  api: {main: rw}
releases: ["1.4", "1.5", "1.6"]
notify: echo $STOPOVER_EVENT >> told
`)
	s.migration("0001_orders", "-- stopover: expand\nCREATE TABLE orders (id integer PRIMARY KEY, code text);\n")
	if _, err := s.app().Apply(wait(t), ApplyOptions{Target: Target{To: "main:0001_orders"}}); err != nil {
		t.Fatal(err)
	}
	s.exec("INSERT INTO orders VALUES (1, 'EUR')")
	s.migration("0002_currency", `-- stopover: expand needs=1.5
ALTER TABLE orders ADD COLUMN currency text;
-- stopover: backfill writers=1.5 needs=1.6
UPDATE orders SET currency = code WHERE currency IS NULL;
-- stopover: verify
SELECT id FROM orders WHERE currency IS NULL;
`)
}

// TestApplyWaitsForRollouts walks a route of two stops in one call, while the
// instances are replaced when it says what it waits for, and not before.
func TestApplyWaitsForRollouts(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		rolloutSite(t, s)
		fleet := s.app()
		running := join(t, fleet, "api", "1.4", "api-1")
		replace := func(release string) {
			running.Leave(context.Background())
			running = join(t, fleet, "api", release, "api-"+release)
		}
		var order []string
		a := s.app(func(c *Config) {
			c.Events = func(e Event) {
				switch {
				case e.Kind == wire.EventBegun:
					order = append(order, e.Step)
				case e.Kind == wire.EventWaiting && strings.Contains(e.Text, "api -> 1.5 (api-1 runs 1.4)"):
					order = append(order, "roll 1.5")
					replace("1.5")
				case e.Kind == wire.EventWaiting && strings.Contains(e.Text, "api -> 1.6 (api-1.5 runs 1.5)"):
					order = append(order, "roll 1.6")
					replace("1.6")
				}
			}
		})
		report, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}, Wait: true})
		if err != nil || report.Exit != ExitDone || len(report.Rolls) > 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		want := []string{"expand", "roll 1.5", "backfill", "verify", "roll 1.6"}
		if !slices.Equal(order, want) {
			t.Errorf("it went %q, not %q", order, want)
		}
		if len(report.Did) != 3 {
			t.Errorf("the report has %d of the 3 steps of the whole walk: %+v", len(report.Did), report.Did)
		}
		if told := s.read("told"); told != "done\nstop\nstop\ndone\n" { // the first is of the way to where it began
			t.Errorf("notify was told %q", told)
		}
		if rows := s.rows("SELECT currency FROM orders"); !slices.Equal(rows, []string{"EUR"}) {
			t.Errorf("the rows are %q", rows)
		}
	})
}

// TestRollCommands has apply call the deploy script at each stop, with what to
// roll in its environment; a failing one ends the walk with nothing run behind
// it, and the same call goes on.
func TestRollCommands(t *testing.T) {
	s := newSite(t, "sqlite")
	rolloutSite(t, s)
	s.write("stopover.yaml", s.read("stopover.yaml")+"roll: {api: ./deploy}\n")
	s.write("deploy", "echo out of quota; exit 9\n")
	if err := os.Chmod(filepath.Join(s.dir, "deploy"), 0o755); err != nil {
		t.Fatal(err)
	}
	fleet := s.app()
	running := join(t, fleet, "api", "1.4", "api-1")
	ask := ApplyOptions{Target: Target{To: "1.6"}, Wait: true}
	_, err := s.app().Apply(wait(t), ask)
	var f *Failure
	if !errors.As(err, &f) || f.Exit != ExitFailed || !strings.Contains(f.Detail.Message, "roll of api -> 1.5 (./deploy): exit status 9") ||
		!strings.Contains(f.Detail.Detail, "out of quota") {
		t.Fatalf("a failing roll: %v", err)
	}
	s.write("deploy", `test -s "$STOPOVER_PLAN" && echo "$STOPOVER_ACTION $STOPOVER_COMPONENT $STOPOVER_FROM $STOPOVER_RELEASE" >> rolled`+"\n")
	a := s.app(func(c *Config) {
		c.Events = func(e Event) {
			_, release, isRoll := strings.Cut(e.Text, "api -> ")
			if e.Kind == wire.EventWaiting && isRoll {
				release, _, _ = strings.Cut(release, " ")
				running.Leave(context.Background())
				running = join(t, fleet, "api", release, "api-"+release)
			}
		}
	})
	report, err := a.Apply(wait(t), ask)
	if err != nil || report.Exit != ExitDone || len(report.Did) != 4 {
		t.Fatalf("%+v, %v", report, err)
	}
	if got, want := s.read("rolled"), "roll api 1.4 1.5\nroll api 1.5 1.6\n"; got != want {
		t.Errorf("the script was told %q, not %q", got, want)
	}
}

// TestWaitingEnds ends the waiting at a stop with the time given, or with an
// interrupt: the route stays noted, and the same call goes on.
func TestWaitingEnds(t *testing.T) {
	s := newSite(t, "sqlite")
	rolloutSite(t, s)
	fleet := s.app()
	running := join(t, fleet, "api", "1.4", "api-1")
	a := s.app()
	report, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}, Wait: true, Until: time.Now().Add(2 * time.Second)})
	if err != nil || report.Exit != ExitStop || len(report.Rolls) != 1 {
		t.Fatalf("at the time given: %+v, %v", report, err)
	}
	ctx, interrupt := context.WithCancel(wait(t))
	defer interrupt()
	b := s.app(func(c *Config) {
		c.Events = func(e Event) {
			if e.Kind == wire.EventWaiting {
				interrupt()
			}
		}
	})
	if _, err := b.Apply(ctx, ApplyOptions{Target: Target{To: "1.6"}, Wait: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	status, err := a.Status(wait(t))
	if err != nil || status.Route == nil || status.Route.To != "1.6" {
		t.Errorf("the route is not noted any more: %+v, %v", status.Route, err)
	}
	running.Leave(context.Background())
	join(t, fleet, "api", "1.5", "api-2")
	report, err = a.Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}})
	if err != nil || report.Exit != ExitStop || len(report.Did) != 2 {
		t.Errorf("after the rollout: %+v, %v", report, err)
	}
}
