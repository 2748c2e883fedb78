package plan

import (
	"fmt"
	"math/rand"
	"testing"
)

var wild = shape{lines: true, withdrawn: true, requires: true, switches: true, peers: true, mixed: true, offline: true}

// planned gives random worlds with a plan.
func planned(t *testing.T, n int, sh shape, goal func(*world), use func(w *world, p Plan, r *rand.Rand)) {
	t.Helper()
	used := 0
	for seed := 0; used < n; seed++ {
		r := rand.New(rand.NewSource(int64(seed)))
		w := randomWorld(r, sh)
		goal(w)
		p, err := Make(w.cat, w.state, w.goal)
		if err != nil || len(p.Blocked) > 0 || len(p.actions()) < 2 {
			continue
		}
		used++
		use(w, p, r)
		if t.Failed() {
			t.Fatalf("seed %d\n%s\n%+v", seed, w.tell(), p.Legs)
		}
	}
}

func asIs(*world) {}

func TestFromEveryPlaceOnTheWayThereIsAWay(t *testing.T) {
	planned(t, 1500, wild, asIs, func(w *world, p Plan, _ *rand.Rand) {
		at := w.state.clone()
		for i, a := range p.actions() {
			carryOut(at, a)
			rest, err := Make(w.cat, at, w.goal)
			if err != nil || len(rest.Blocked) > 0 {
				t.Errorf("after action %d (%+v): %v %+v", i, a, err, rest.Blocked)
				return
			}
			if err := rest.Verify(w.cat, at, &w.goal); err != nil {
				t.Errorf("after action %d: %v", i, err)
			}
			if rest.Stops > p.Stops {
				t.Errorf("after action %d there are %d stops, at first %d", i, rest.Stops, p.Stops)
			}
		}
	})
}

func TestOneMoreReleaseMakesNoWayLonger(t *testing.T) {
	planned(t, 1500, wild, asIs, func(w *world, p Plan, _ *rand.Rand) {
		cat := w.cat
		cat.Releases = append(append([]Release(nil), cat.Releases...), Release{ID: "Z", Base: NoRelease})
		more, err := Make(cat, w.state, w.goal)
		if err != nil || len(more.Blocked) > 0 || more.Stops > p.Stops || more.Rollouts > p.Rollouts {
			t.Errorf("with one more release: %v, %d stops, %d rollouts; without %d, %d", err, more.Stops, more.Rollouts, p.Stops, p.Rollouts)
		}
	})
}

func TestTheSameInputsGiveTheSameBytes(t *testing.T) {
	for seed := 0; seed < 300; seed++ {
		text := func() string {
			w := randomWorld(rand.New(rand.NewSource(int64(seed))), wild)
			p, err := Make(w.cat, w.state, w.goal)
			return fmt.Sprintf("%+v %v %+v %+v", p.Legs, err, p.Blocked, Check(w.cat))
		}
		first := text()
		for i := 0; i < 3; i++ {
			if again := text(); len(again) != len(first) {
				t.Fatalf("seed %d: %s\n\n%s", seed, first, again)
			}
		}
	}
}

func TestOfflineWaysAreVerifiedToo(t *testing.T) {
	halts := 0
	sh := wild
	sh.lines = false
	planned(t, 3000, sh, func(w *world) { w.goal.Offline = true }, func(w *world, p Plan, _ *rand.Rand) {
		if err := p.Verify(w.cat, w.state, &w.goal); err != nil {
			t.Errorf("verify: %v", err)
		}
		down := false
		for _, a := range p.actions() {
			down = down || a.Kind == DoHalt
		}
		if !down {
			return
		}
		halts++
		w.goal.Offline = false
		if rolling, err := Make(w.cat, w.state, w.goal); err != nil || len(rolling.Blocked) == 0 {
			t.Errorf("there is a rolling way, and something is halted: %v", err)
		}
	})
	if halts < 100 {
		t.Errorf("only %d plans halt something", halts)
	}
}

func TestAStepAsAGoalIsReachedWithTheFewestStops(t *testing.T) {
	sh := shape{withdrawn: true, requires: true, switches: true, peers: true}
	for seed := 0; seed < 3000; seed++ {
		w := randomWorld(rand.New(rand.NewSource(int64(seed))), sh)
		last := w.cat.Steps[len(w.cat.Steps)-1]
		if last.ID.Kind == Contract || last.Skip != "" {
			continue
		}
		w.goal = Goal{Release: NoRelease, Step: last.ID}
		p, err := Make(w.cat, w.state, w.goal)
		if err != nil {
			continue
		}
		got := p.Stops
		if len(p.Blocked) > 0 {
			got = -1
		} else if err := p.Verify(w.cat, w.state, &w.goal); err != nil {
			t.Fatalf("seed %d: %v\n%s\n%+v", seed, err, w.tell(), p.Legs)
		}
		if want := w.stops(); want != got {
			t.Fatalf("seed %d: %d stops, exhaustive search takes %d\n%s\n%+v", seed, got, want, w.tell(), p.Legs)
		}
	}
}

func TestNoWayIsAlwaysExplained(t *testing.T) {
	blocked := 0
	for seed := 0; blocked < 1500; seed++ {
		w := randomWorld(rand.New(rand.NewSource(int64(seed))), wild)
		p, err := Make(w.cat, w.state, w.goal)
		if err != nil || len(p.Blocked) == 0 {
			continue
		}
		blocked++
		for _, b := range p.Blocked {
			if b.Because == "" || b.Because == "nothing that is pending may begin" {
				t.Fatalf("seed %d: %+v\n%s", seed, b, w.tell())
			}
			for _, r := range b.Repairs {
				if r.Kind != Offline {
					continue
				}
				goal := w.goal
				goal.Offline = true
				if err := r.Plan.Verify(w.cat, w.state, &goal); err != nil {
					t.Fatalf("seed %d: the offline plan: %v\n%s\n%+v", seed, err, w.tell(), r.Plan.Legs)
				}
			}
		}
	}
}
