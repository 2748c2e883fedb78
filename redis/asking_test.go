package redis

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestABatchWhileItsSlotMoves works on keys of a slot of which some are still on
// one master and some already on the other. What can be asked of each key is asked
// where it is; a batch is done, or ends as one that may be tried again; nothing is
// done twice or halfway.
func TestABatchWhileItsSlotMoves(t *testing.T) {
	f := prepared(t, testserver.OwnRedisCluster(t)...)
	const keys = 40
	var pairs []pair
	for i := range keys {
		p := pair{from: fmt.Sprintf("old:{a}%d", i), to: fmt.Sprintf("new:{a}%d", i)}
		if i%2 == 0 {
			p = pair{from: fmt.Sprintf("old:b%d", i), to: fmt.Sprintf("old:{a}to%d", i)} // from another slot
		}
		f.on("SET", p.from, i)
		pairs = append(pairs, p)
	}
	at := slot(f.Store.full("old:{a}"))
	owner := at * len(f.servers) / slots
	m := movement{t: t, slot: at, from: f.servers[owner], to: f.servers[(owner+1)%3], all: f.servers}
	m.begin()
	moved := 0
	for _, key := range m.from.Do(t, "CLUSTER", "GETKEYSINSLOT", at, 1000).([]any) {
		if moved++; moved%2 == 0 {
			m.from.Do(t, "MIGRATE", "127.0.0.1", m.to.Port, key, 0, 5000)
		}
	}
	for _, p := range pairs {
		states, err := f.Store.states(t.Context(), []string{p.from})
		if err != nil || states[0].holds == "" {
			t.Fatalf("%s: %v, %v", p.from, states, err)
		}
	}
	w := &Sweep{Reader: Reader{store: f.Store}}
	if _, err := w.copyBatch(t.Context(), pairs, false); err != nil && !errors.As(err, new(*store.UnreachableError)) {
		t.Errorf("while the slot is being moved: %v (%T)", err, err)
	}
	m.carry()
	m.end()
	results, err := w.copyBatch(t.Context(), pairs, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range pairs {
		if results[i].became != copied && results[i].became != there {
			t.Errorf("%s: %+v", p.from, results[i])
		}
		if from, to := f.on("GET", p.from), f.on("GET", p.to); from != fmt.Sprint(i) || to != from {
			t.Errorf("%s holds %v, %s %v, want %d", p.from, from, p.to, to, i)
		}
	}
}
