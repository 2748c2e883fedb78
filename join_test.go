package stopover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
)

// shopWithReleases is a store that is set up and filled to its contract, of an
// application with two components.
func shopWithReleases(t *testing.T, s *site) *App {
	t.Helper()
	s.write("stopover.yaml", `application: shop
stores:
  main: {url: "${file:url}", kind: `+s.kind+`, migrations: migrations, clients: {ignore: ["tester"]}}
components:
  api: {main: rw}
  worker: {main: rw}
releases: ["1.6", "1.9"]
`)
	s.migration("0001_orders", "-- stopover: expand\nCREATE TABLE orders (id integer PRIMARY KEY, old text, new text);\n")
	s.finish(t, []string{"apply"})
	s.exec("INSERT INTO orders VALUES (1, 'a', 'a')")
	s.migration("0002_drop", "-- stopover: contract writers=1.9 readers=1.9\nALTER TABLE orders DROP COLUMN old;\n")
	if s.kind == "postgres" {
		user := s.one("SELECT current_user")
		s.write("stopover.yaml", strings.Replace(s.read("stopover.yaml"), `"tester"`, `"`+user+`"`, 1))
	}
	return s.app()
}

func join(t *testing.T, a *App, component, release, name string) *Instance {
	t.Helper()
	i, err := a.Join(wait(t), JoinOptions{Component: component, Release: release, Instance: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Leave(context.Background()) })
	return i
}

// TestNobodyStartsBelowAFloor races eight joiners with a runner that raises a
// floor, round after round: whenever the floor was raised, no joiner below it may
// be in. Where the joiners read the floors before they write their leases, and
// not after, the same rounds find that it happens.
func TestNobodyStartsBelowAFloor(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		a := shopWithReleases(t, s)
		careful := func(ctx context.Context, i *Instance, sights []*sight) error {
			if err := i.enter(ctx, sights[0]); err != nil {
				return err
			}
			return i.admit(ctx)
		}
		naive := func(ctx context.Context, i *Instance, sights []*sight) error { return i.enter(ctx, sights[0]) }
		rounds := map[string]int{"sqlite": 100, "postgres": 300}[s.kind]
		if os.Getenv("STOPOVER_SOAK") != "" { // make soak
			rounds = 2000
		}
		begun := time.Now()
		violations, raised, admitted := race(t, a, rounds, careful)
		t.Logf("%d rounds in %s: %d raised, %d admitted", rounds, time.Since(begun).Round(time.Millisecond), raised, admitted)
		if violations > 0 {
			t.Errorf("%d of %d rounds had an instance below a floor that was raised", violations, rounds)
		}
		if raised == 0 || admitted == 0 {
			t.Errorf("the race was none: the floor was raised %d times, %d instances got in", raised, admitted)
		}
		if violations, _, _ := race(t, a, rounds, naive); violations == 0 {
			t.Error("joiners that do not look again were never found out: this test proves nothing")
		}
	})
}

// race lets joiners at 1.6 and a floor at 1.9 run against each other.
func race(t *testing.T, a *App, rounds int, enter func(context.Context, *Instance, []*sight) error) (violations, raised, admitted int) {
	t.Helper()
	ctx := wait(t)
	ses, err := a.take(ctx, "race", a.look(ctx), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer ses.release()
	// The books of an instance that got in before: the leases tell of 1.6.
	first, err := a.Join(ctx, JoinOptions{Component: "api", Release: "1.6", Instance: "first"})
	if err != nil {
		t.Fatal(err)
	}
	first.Leave(ctx)
	w, err := a.way(ctx, ses.sights(a.look(ctx)), Target{Fleet: map[string][]string{"worker": {"1.9"}}})
	if err != nil {
		t.Fatal(err)
	}
	id := plan.StepID{Store: "main", Migration: "0002_drop", Kind: plan.Contract}
	work, err := a.work(a.steps[id])
	if err != nil {
		t.Fatal(err)
	}
	h := ses.held["main"]
	var behind time.Duration // of the floor: as machines differ, the loser of a round gets a head start
	for n := range rounds {
		var joiners sync.WaitGroup
		var in atomic.Int64
		instances := make([]*Instance, 8)
		for k := range instances {
			instances[k] = &Instance{app: a, token: newID(), ask: JoinOptions{Component: "api", Release: "1.6",
				Instance: fmt.Sprintf("api-%d", k), Sessions: "api", TTL: time.Minute}}
			joiners.Go(func() {
				time.Sleep(time.Duration((n*7+k*13)%17) * 200 * time.Microsecond) // rounds differ in who comes first
				sights := a.lookFor(ctx, "api")
				if a.mayJoin(ctx, sights, instances[k].ask) == nil && enter(ctx, instances[k], sights) == nil {
					in.Add(1)
				} else {
					instances[k].withdraw(ctx)
				}
			})
		}
		time.Sleep(behind)
		_, err := a.raise(ses, w, h, work)
		joiners.Wait()
		if behind += 500 * time.Microsecond; err != nil {
			behind = max(0, behind-time.Millisecond)
		}
		var refused *Failure
		if err != nil && (!errors.As(err, &refused) || refused.Exit != ExitRefused) {
			t.Fatal(err)
		}
		if err == nil {
			raised++
			if in.Load() > 0 {
				violations++
			}
			key := h.runner.Books.Lines
			for step, line := range key {
				if step.Migration == id.Migration {
					if err := h.lease.Write(ctx, line.GoneLine()); err != nil {
						t.Fatal(err)
					}
					delete(key, step)
				}
			}
		}
		admitted += int(in.Load())
		for _, i := range instances {
			i.withdraw(ctx)
		}
	}
	return violations, raised, admitted
}

// TestSoakCountsFromTheRollout shows that a contract waits from when the last old
// instance was seen to be gone, not from when its migration was done, and that a
// restart of the new release does not begin it again.
func TestSoakCountsFromTheRollout(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		shopWithReleases(t, s)
		s.write("stopover.yaml", s.read("stopover.yaml")+"soak: 1h\n")
		s.migration("0003_more", "-- stopover: expand\nCREATE TABLE more (id integer PRIMARY KEY);\n")
		a := s.app()
		old := join(t, a, "api", "1.6", "api-old")
		worker := join(t, a, "worker", "1.6", "worker-1")
		worker.Leave(wait(t))
		for _, component := range []string{"api", "worker"} {
			if _, err := a.Attest(wait(t), Statement{Component: component, Releases: []string{"none"}, Reason: "all hold leases"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "main:0003_more"}}); err != nil {
			t.Fatal(err)
		}
		refused := func(because string) {
			t.Helper()
			report, err := a.Cleanup(wait(t), CleanupOptions{})
			if err == nil || len(report.Refused) == 0 || !strings.Contains(report.Refused[0].Because+strings.Join(report.Refused[0].Evidence, " "), because) {
				t.Fatalf("%+v, %v; want %q", report.Refused, err, because)
			}
		}
		refused("api-old runs 1.6")
		s.backdate("key LIKE 'rolled/%'", 3*time.Hour)
		old.Leave(wait(t))
		join(t, a, "api", "1.9", "api-new")
		refused("the soak of 1h0m0s, from the rollout of api, lasts until")
		s.backdate("key LIKE 'rolled/%'", 59*time.Minute)
		join(t, a, "api", "1.9", "api-newer")
		refused("the soak of 1h0m0s")
		s.backdate("key LIKE 'rolled/%'", 2*time.Minute)
		if _, err := a.Cleanup(wait(t), CleanupOptions{}); err != nil {
			t.Fatal(err)
		}
	})
}

// backdate moves notes into the past.
func (s *site) backdate(which string, by time.Duration) {
	if s.kind == "postgres" {
		s.exec(fmt.Sprintf("UPDATE stopover_note SET at = at - interval '%d s' WHERE %s", int(by.Seconds()), which))
		return
	}
	s.exec(fmt.Sprintf("UPDATE stopover_note SET at = at - %d WHERE %s", by.Milliseconds(), which))
}

// TestCleanupWaitsForLeases tells E3: four api at 1.9, one worker at 1.6 whose
// process died 40 s ago with a lease of 60 s.
func TestCleanupWaitsForLeases(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		a := shopWithReleases(t, s)
		join(t, a, "api", "1.6", "api-old").Leave(wait(t))
		for n := range 4 {
			join(t, a, "api", "1.9", fmt.Sprintf("api-%d", n))
		}
		worker := join(t, a, "worker", "1.6", "worker-7")
		close(worker.stop) // as if its process had died
		worker.gone.Wait()
		worker.once.Do(func() {})
		age := func(seconds int) { s.backdate("key = 'fleet/worker/worker-7'", time.Duration(seconds)*time.Second) }
		age(40)
		report, err := a.Cleanup(wait(t), CleanupOptions{})
		if err == nil || len(report.Refused) != 1 || !strings.Contains(strings.Join(report.Refused[0].Evidence, "\n"), "worker worker-7 runs 1.6") {
			t.Fatalf("cleanup beside a worker at 1.6: %v, %+v", err, report.Refused)
		}
		if gate, err := a.Ready(wait(t), ReadyOptions{Component: "worker", Release: "1.6"}); err != nil {
			t.Errorf("the refused cleanup left a floor: %v, %+v", err, gate)
		}
		age(21)
		if report, err = a.Cleanup(wait(t), CleanupOptions{}); err != nil {
			t.Fatalf("cleanup without anybody at 1.6: %v, %+v", err, report.Refused)
		}
		if _, err := a.Join(wait(t), JoinOptions{Component: "worker", Release: "1.6"}); exitOf(err) != ExitNewer {
			t.Errorf("1.6 got in above its floor: %v", err)
		}
	})
}

func exitOf(err error) int {
	var f *Failure
	if errors.As(err, &f) {
		return f.Exit
	}
	return -1
}

// TestWokenInstanceIsToldThatItIsLost lets a lease run out while its process
// sleeps, raises the floor, and wakes it.
func TestWokenInstanceIsToldThatItIsLost(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		a := shopWithReleases(t, s)
		i := join(t, a, "api", "1.6", "api-1")
		join(t, a, "worker", "1.6", "worker-1").Leave(wait(t))
		i.work.Lock() // it sleeps
		shift := "at = at - 61000"
		if s.kind == "postgres" {
			shift = "at = at - interval '61 s'"
		}
		s.exec("UPDATE stopover_note SET " + shift + " WHERE key = 'fleet/api/api-1'")
		i.held[0].seen = i.held[0].seen.Add(-61 * time.Second)
		if _, err := a.Cleanup(wait(t), CleanupOptions{}); err != nil {
			t.Fatal(err)
		}
		err := i.renewOnce(wait(t), i.held[0])
		i.work.Unlock()
		var lost *LostError
		if !errors.As(err, &lost) || !strings.Contains(err.Error(), "may not start any more") {
			t.Fatalf("a lease that had run out below a floor was renewed: %v", err)
		}
		if left := s.rows("SELECT key FROM stopover_note WHERE key = 'fleet/api/api-1'"); len(left) > 0 {
			t.Errorf("its lease was left: %v", left)
		}
	})
}

func TestLeaseIsRenewedAndGivenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		a := shopWithReleases(t, s)
		lost := make(chan error, 1)
		i, err := a.Join(wait(t), JoinOptions{Component: "api", Release: "1.9", TTL: 600 * time.Millisecond, Lost: func(err error) { lost <- err }})
		if err != nil {
			t.Fatal(err)
		}
		first := i.held[0].rev
		eventually(t, func() bool { i.work.Lock(); defer i.work.Unlock(); return i.held[0].rev > first })
		doc, err := a.Fleet(wait(t))
		if err != nil || len(doc.Components[0].Instances) != 1 || !doc.Components[0].Instances[0].Live {
			t.Fatalf("%v, %+v", err, doc)
		}
		if _, err := a.Join(wait(t), JoinOptions{Component: "api", Release: "1.6", Instance: i.Name()}); exitOf(err) != ExitRefused {
			t.Errorf("two instances of one name at two releases: %v", err)
		}
		other := join(t, a, "api", "1.9", i.Name())
		if err := <-lost; err == nil || i.Err() == nil {
			t.Error("who was replaced was not told why")
		}
		i.Leave(wait(t))
		if doc, _ = a.Fleet(wait(t)); len(doc.Components[0].Instances) != 1 {
			t.Errorf("who was replaced took the other's lease away: %+v", doc.Components[0])
		}
		other.Leave(wait(t))
		if doc, _ = a.Fleet(wait(t)); len(doc.Components[0].Instances) != 0 {
			t.Errorf("a lease was left behind: %+v", doc.Components[0])
		}
	})
}

func TestReadyWaitsAndMigrates(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		shopWithReleases(t, s)
		s.migration("0003_more", "-- stopover: expand needs=1.9\nCREATE TABLE more (a int);\n")
		var log sync.Map
		a := s.app(func(c *Config) { c.Events = func(e Event) { log.Store(e.Text, e.Kind) } })
		ask := ReadyOptions{Component: "api", Release: "1.9"}
		if _, err := a.Ready(wait(t), ask); exitOf(err) != ExitRefused || !strings.Contains(err.Error(), "0003_more.expand") {
			t.Fatalf("it does not say what it waits for: %v", err)
		}
		told := make(chan Waiting, 100)
		ready := make(chan error, 1)
		go func() {
			_, err := a.Ready(wait(t), ReadyOptions{Component: "api", Release: "1.9", Mode: ReadyWait, Every: 5 * time.Millisecond,
				Progress: func(w Waiting) {
					select {
					case told <- w:
					default:
					}
				}})
			ready <- err
		}()
		if w := <-told; !strings.Contains(w.Text, "0003_more.expand") {
			t.Errorf("it waits for %q", w.Text)
		}
		ask.Mode = ReadyMigrate
		if _, err := s.app().Ready(wait(t), ask); err != nil {
			t.Fatal(err)
		}
		if err := <-ready; err != nil {
			t.Error(err)
		}
		if kind, _ := log.Load("waits at the gate: api 1.9 may not start yet: api 1.9 needs main 0003_more.expand, which is not done"); kind != wire.EventWaiting {
			t.Error("the log does not tell what was waited for")
			log.Range(func(text, _ any) bool { t.Log(text); return true })
		}
		if !slices.Contains(s.ledger(), "0003_more.expand done") {
			t.Errorf("it migrated %v", s.ledger())
		}
	})
}

func (s *site) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}
