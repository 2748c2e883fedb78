package redismodel

import (
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
)

func numbers(from, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = from + i
	}
	return all
}

// TestSlotsMoveUnderWriters moves a tenth of a master's slots there and back.
func TestSlotsMoveUnderWriters(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisCluster(t)
	p := at(t, "moved", servers...)
	// MIGRATE tells how long a key still has, not until when.
	m := seeded(t, p.old, Options{Tenants: 3000, Rate: 5000, Tolerance: 50 * time.Millisecond})
	r := started(t, m, p.old)
	await(t, r, 1000)
	testserver.MoveSlots(t, servers[0], servers[1], servers, numbers(100, 500)...)
	await(t, r, 1000)
	if w := stopped(t, r); w.Unknown > 0 {
		t.Error(w)
	}
	if report := checked(t, m, p.old); report.OK < 12_000 {
		t.Error(report)
	}
	if n := len(servers[1].Do(t, "CLUSTER", "GETKEYSINSLOT", 100, 10).([]any)); n == 0 {
		n = len(servers[1].Do(t, "CLUSTER", "GETKEYSINSLOT", 101, 10).([]any))
		if n == 0 {
			t.Error("no key has moved")
		}
	}
}

// TestFailoverUnderWriters changes the masters as an operator does: no write is
// lost.
func TestFailoverUnderWriters(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisClusterWithReplicas(t)
	p := at(t, "failover", servers...)
	m := seeded(t, p.old, Options{Tenants: 1000, Rate: 5000})
	r := started(t, m, p.old)
	await(t, r, 1000)
	testserver.Failover(t, servers[3], servers)
	await(t, r, 1000)
	testserver.Failover(t, servers[4], servers)
	await(t, r, 1000)
	stopped(t, r)
	if report := checked(t, m, p.old); report.OK < 4000 {
		t.Error(report)
	}
}

// TestACrashUnderWriters kills a master: its replica takes over, and the model
// knows what may have been lost of what it was sent last.
func TestACrashUnderWriters(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisClusterWithReplicas(t)
	p := at(t, "crash", servers...)
	m := seeded(t, p.old, Options{Tenants: 1000, Rate: 3000})
	r := started(t, m, p.old)
	await(t, r, 1000)
	if err := servers[0].Stop(); err != nil {
		t.Fatal(err)
	}
	testserver.AwaitMaster(t, servers[3], servers[1:])
	await(t, r, 1000)
	w := r.Stop()
	report, err := m.Check(t.Context(), p.old)
	if err != nil || report.OK < 4000 || report.Lost+report.Missing+report.Resurrected+report.TTL > 100 || report.Doubled > 0 {
		t.Error(w, report, err)
	}
	if w.Pause < time.Second {
		t.Errorf("a master was down for some seconds, the longest pause is %s", w.Pause)
	}
	same, err := m.Compare(t.Context(), p.old, p.old)
	if err != nil || same.Bad() || same.Unsure > 0 {
		t.Error(same, err)
	}
}
