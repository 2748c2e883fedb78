package plan

import (
	"fmt"
	"math/rand"
	"testing"
)

// tell shows a world that a test failed on.
func (w *world) tell() string {
	text := ""
	for i, r := range w.cat.Releases {
		text += fmt.Sprintf("release %d %+v\n", i, r)
	}
	for _, c := range w.cat.Components {
		text += fmt.Sprintf("component %+v\n", c)
	}
	for _, s := range w.cat.Steps {
		text += fmt.Sprintf("step %s writers %d readers %d needs %d requires %v offline %v skip %q\n", s.ID, s.Writers, s.Readers, s.Needs, s.Requires, s.Offline, s.Skip)
	}
	return text + fmt.Sprintf("state %+v\ngoal %+v", w.state, w.goal)
}

// TestFewestStops compares the number of stops with exhaustive search, on
// 20,000 small worlds, and has every plan verified.
func TestFewestStops(t *testing.T) {
	shapes := []struct {
		name  string
		shape shape
		n     int
	}{
		{"plain", shape{withdrawn: true, requires: true}, 5000},
		{"switches", shape{withdrawn: true, requires: true, switches: true}, 5000},
		{"peers", shape{withdrawn: true, requires: true, switches: true, peers: true, mixed: true}, 5000},
		{"lines", shape{lines: true, withdrawn: true, requires: true, switches: true, mixed: true}, 5000},
	}
	for _, sh := range shapes {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			ways, most := 0, 0
			for seed := 0; seed < sh.n; seed++ {
				w := randomWorld(rand.New(rand.NewSource(int64(seed))), sh.shape)
				p, err := Make(w.cat, w.state, w.goal)
				if err != nil {
					continue
				}
				got := p.Stops
				if len(p.Blocked) > 0 {
					got = -1
				} else if err := p.Verify(w.cat, w.state, &w.goal); err != nil {
					t.Fatalf("seed %d: %v\n%s\n%+v", seed, err, w.tell(), p)
				}
				if want := w.stops(); want != got {
					t.Fatalf("seed %d: %d stops, exhaustive search takes %d\n%s\n%+v", seed, got, want, w.tell(), p.Legs)
				}
				if got >= 0 {
					ways++
				}
				most = max(most, got)
			}
			t.Logf("%d of %d worlds have a way, the longest has %d stops", ways, sh.n, most)
		})
	}
}
