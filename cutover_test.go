package stopover

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// TestCutoverWithoutOldWriters cuts over on a store that has no fence: apply stops
// before it while an old writer is alive, and says why; when it has ended the
// cutover is a step like any other, behind the hook, and the gate opens.
func TestCutoverWithoutOldWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		s.write("stopover.yaml", `application: shop
stores:
  main: {url: "${file:url}", kind: `+s.kind+`, migrations: migrations}
components:
  api: {main: rw}
releases: ["1.5", "1.6"]
before_no_return: echo saved >> saved
`)
		s.migration("0001_names", "-- stopover: expand\nCREATE TABLE names (id int PRIMARY KEY, name text NOT NULL);\n")
		s.finish(t, []string{"apply main:0001_names"})
		s.exec("INSERT INTO names VALUES (1, 'ana')")
		s.migration("0002_people", `-- stopover: expand
CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL);
-- stopover: cutover needs=1.6
INSERT INTO people SELECT id, upper(name) FROM names;
`)
		fleet := s.app()
		old := join(t, fleet, "api", "1.5", "api-1")
		var told []string
		a := s.app(func(c *Config) { c.Events = func(e Event) { told = append(told, e.Text) } })
		for _, ask := range []ApplyOptions{{}, {Switch: true}, {Wait: true}} {
			report, err := a.Apply(wait(t), ask)
			if err != nil || report.Exit != ExitStop || report.Rolls[0].Kind != wire.ActSwitch || !report.Rolls[0].NoReturn {
				t.Fatalf("beside an old writer, %+v: %+v, %v", ask, report, err)
			}
		}
		if text := strings.Join(told, "\n"); !strings.Contains(text, "no switch: ") || !strings.Contains(text, "then run apply again") {
			t.Errorf("nothing says why: %s", text)
		}
		old.Leave(context.Background())
		report, err := a.Apply(wait(t), ApplyOptions{})
		if err != nil || report.Exit != ExitDone || len(report.Did) != 2 || report.Did[0].Kind != wire.DeedHook || report.Did[1].Step != "cutover" {
			t.Fatalf("without it: %+v, %v", report, err)
		}
		if got := s.rows("SELECT name FROM people"); !slices.Equal(got, []string{"ANA"}) || s.read("saved") != "saved\n" {
			t.Errorf("the people are %q, the hook was called %q", got, s.read("saved"))
		}
		if _, err := fleet.Ready(wait(t), ReadyOptions{Component: "api", Release: "1.5"}); exitOf(err) != ExitNewer {
			t.Errorf("1.5 after the cutover: %v", err)
		}
		join(t, fleet, "api", "1.6", "api-2")
	})
}

// TestCutoverBehindAHookThatFails begins nothing: no floor, no fence.
func TestCutoverBehindAHookThatFails(t *testing.T) {
	t.Parallel()
	s := switchSite(t, "before_no_return: exit 3\n")
	fleet := s.app()
	old := s.count(t, fleet, "1.5", "old")
	_, err := s.app().Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}, Switch: true})
	var f *Failure
	if !errors.As(err, &f) || f.Exit != ExitFailed || !strings.Contains(f.Detail.Message, "before_no_return") || !slices.Equal(f.Next, []string{"stopover apply --to 1.6 --switch"}) {
		t.Fatalf("it ended with %v", err)
	}
	if left := s.rows("SELECT key FROM stopover_note WHERE key LIKE 'fence/%' OR key LIKE 'ledger/0002_move/cutover'"); len(left) > 0 {
		t.Errorf("notes are left: %q", left)
	}
	before := old.counted.Load()
	eventually(t, func() bool { return old.counted.Load() > before+10 })
	old.stop.Store(true)
	if <-old.done; old.err != nil {
		t.Errorf("the old release was shut out: %v", old.err)
	}
}

// TestNothingIsAttestedBeforeASwitch proposes no statement that the new release
// runs: it would take away what the old one is shut out for.
func TestNothingIsAttestedBeforeASwitch(t *testing.T) {
	t.Parallel()
	s := switchSite(t, "")
	a := s.app()
	if _, err := a.Attest(wait(t), Statement{Component: "api", Releases: []string{"1.5"}, Reason: "seen"}); err != nil {
		t.Fatal(err)
	}
	report, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}})
	if err != nil || !slices.Equal(report.Next, []string{"stopover apply --to 1.6 --switch"}) {
		t.Fatalf("it proposes %q, %v", report.Next, err)
	}
	ask := ApplyOptions{Target: Target{To: "1.6"}, Switch: true}
	if report, err = a.Apply(wait(t), ask); err != nil || !strings.Contains(strings.Join(report.Next, "\n"), "attest component api 1.6") {
		t.Errorf("behind it: %q, %v", report.Next, err)
	}
}

// unheard is a store that commits a cutover, and whose answer is lost for good.
type unheard struct {
	store.Store
	lost *atomic.Bool
}

func (u *unheard) Unwrap() store.Store { return u.Store }

func (u *unheard) Do(ctx context.Context, task store.Task) (store.Progress, error) {
	p, err := u.Store.Do(ctx, task)
	if err == nil && contains(task, "INSERT INTO fresh") && u.lost.CompareAndSwap(false, true) {
		return p, errors.New("no answer")
	}
	return p, err
}

// TestTheFenceStandsWhileNobodyKnows leaves the fence where a cutover may have
// been committed: lifted, the old release would write on what no longer counts.
func TestTheFenceStandsWhileNobodyKnows(t *testing.T) {
	t.Parallel()
	s := switchSite(t, "")
	join(t, s.app(), "api", "1.5", "api-1")
	var lost atomic.Bool
	kind := postgres.Kind()
	open := kind.Open
	kind.Open = func(ctx context.Context, settings store.Settings) (store.Store, error) {
		inner, err := open(ctx, settings)
		return &unheard{Store: inner, lost: &lost}, err
	}
	ask := ApplyOptions{Target: Target{To: "1.6"}, Switch: true}
	a := s.app(func(c *Config) { c.Kinds = []store.Kind{kind} })
	if _, err := a.Apply(wait(t), ask); err == nil || !lost.Load() {
		t.Fatalf("an answer was lost: %t, and it ended with %v", lost.Load(), err)
	}
	fenced := "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'aaa_stopover_fence' ORDER BY 1"
	if got := s.rows(fenced); !slices.Contains(got, "old") {
		t.Errorf("fenced are %q", got)
	}
	report, err := s.app().Apply(wait(t), ask)
	if err != nil || report.Left.Pending > 0 || report.Rolls[0].Kind != wire.ActionKind(plan.DoRoll.String()) {
		t.Errorf("the next run: %+v, %v", report, err)
	}
	if got := s.rows(fenced); !slices.Contains(got, "old") {
		t.Errorf("behind it fenced are %q", got)
	}
}
