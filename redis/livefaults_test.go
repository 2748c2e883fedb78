package redis

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/redismodel"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// tracked are the connections on which a server tells of changes.
const tracked = "TRACKING"

// wires are servers, and what stands before them.
type wires struct {
	servers, through []*testserver.RedisServer
	proxies          *redismodel.Proxies
}

// batch names the script that writes targets: one server has all keys in one
// slot.
func (n *wires) batch() string {
	if len(n.servers) == 1 {
		return copyScript.sha
	}
	return restoreScript.sha
}

// TestNoWriteIsLostOnABadNetwork has a store of its own for each fault.
func TestNoWriteIsLostOnABadNetwork(t *testing.T) {
	for place, servers := range map[string][]*testserver.RedisServer{
		"standalone": {testserver.OwnRedis(t)}, "three masters": testserver.OwnRedisCluster(t),
	} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			n := &wires{servers: servers}
			n.proxies, n.through = proxiedServers(t, n.servers)
			for fault, test := range map[string]func(*testing.T, *wires){
				"changes are told late": changesToldLate, "connections are cut": connectionsCut, "a cut behind the fence": cutBehindTheFence,
				"a late run": lateRun, "a batch of unknown outcome": batchOfUnknownOutcome, "a slow batch": slowBatch,
				"an interrupted cutover": interruptedCutover, "the answer to the record is lost": lostRecord,
			} {
				n.proxies.Delay(redismodel.Delay{})
				t.Run(fault, func(t *testing.T) { test(t, n) })
			}
		})
	}
}

// changesToldLate delays what servers tell: at the speed of loopback a
// cutover that does not wait for it would lose nothing.
func changesToldLate(t *testing.T, n *wires) {
	n.proxies.Delay(redismodel.Delay{ToClient: 150 * time.Millisecond, Only: tracked})
	l := lively(t, few(), n.servers, n.through)
	l.follow()
	l.write(300)
	l.cutOver()
	l.write(500)
	if w := l.end(); w.Crossing < 150*time.Millisecond {
		t.Errorf("nothing was late: the crossing took %s", w.Crossing)
	}
}

// TestARunThatDiedWhileWritersWrote has the next one begin with the cutover: keys
// were deleted in between, and nobody was told.
func TestARunThatDiedWhileWritersWrote(t *testing.T) {
	onShared(t, func(t *testing.T, servers []*testserver.RedisServer) {
		l := lively(t, few(), servers, nil)
		l.follow()
		if err := l.Store.Close(); err != nil {
			t.Fatal(err)
		}
		l.write(2500)
		next := l.by(l.another())
		next.cutOver()
		next.write(500)
		next.end()
	})
}

// connectionsCut loses changes again and again, the last time right
// before the cutover.
func connectionsCut(t *testing.T, n *wires) {
	l := lively(t, few(), n.servers, n.through)
	l.follow()
	for range 3 {
		n.proxies.Cut()
		l.write(400)
		l.compare()
	}
	n.proxies.Cut()
	l.write(400)
	n.proxies.Cut()
	l.cutOver()
	l.write(500)
	l.end()
}

// cutBehindTheFence loses what servers were about to tell when the writers
// are shut out already.
func cutBehindTheFence(t *testing.T, n *wires) {
	n.proxies.Delay(redismodel.Delay{ToClient: 300 * time.Millisecond, Only: tracked})
	l := lively(t, few(), n.servers, n.through)
	l.follow()
	l.write(300)
	cut := make(chan error, 1)
	go func() {
		err := l.denied()
		// The fence is being proven; then the cutover waits 300 ms for what is told.
		time.Sleep(150 * time.Millisecond)
		n.proxies.CutDelayed()
		n.proxies.Delay(redismodel.Delay{})
		cut <- err
	}()
	l.cutOver()
	if err := <-cut; err != nil {
		t.Error(err)
	}
	l.write(500)
	l.end()
}

// lateRun is stopped with a batch in its hand, taken over and cut over; then
// the batch arrives.
func lateRun(t *testing.T, n *wires) {
	l := lively(t, few(), n.servers, n.through)
	l.follow()
	p, err := n.proxies.Of(n.servers[0].Addr())
	if err != nil {
		t.Fatal(err)
	}
	hold := p.Hold(n.batch())
	<-hold.Caught() // the writers make work
	next := l.by(l.another())
	next.cutOver()
	next.write(1500)
	hold.Release()
	eventually(t, "the late run is refused", func() bool {
		l.Store.mu.Lock()
		m := l.Store.mirrors[l.layout.String()]
		l.Store.mu.Unlock()
		m.mu.Lock()
		defer m.mu.Unlock()
		return errors.As(m.now.err(), new(*store.ConflictError))
	})
	next.write(300)
	next.end()
}

// batchOfUnknownOutcome arrives after its keys were read and written anew: of
// that no source tells.
func batchOfUnknownOutcome(t *testing.T, n *wires) {
	l := lively(t, few(), n.servers, n.through)
	l.follow()
	p, err := n.proxies.Of(n.servers[0].Addr())
	if err != nil {
		t.Fatal(err)
	}
	hold := p.Hold(n.batch())
	<-hold.Caught()
	p.Cut()
	l.write(800)
	l.compare()
	l.cutOver()
	hold.Release()
	l.write(800)
	l.end()
}

// slowBatch arrives when some of its keys have been written again, and no more
// after: nobody else may have carried over what is newer meanwhile.
func slowBatch(t *testing.T, n *wires) {
	options := few()
	options.Tenants = 250 // so that most keys are written meanwhile, and not much more than once
	l := lively(t, options, n.servers, n.through)
	p, err := n.proxies.Of(n.servers[0].Addr())
	if err != nil {
		t.Fatal(err)
	}
	hold := p.Hold(n.batch())
	copied := make(chan error, 1)
	go func() {
		_, err := l.perform(Copy{Layout: l.layout, Live: true}, "copied")
		copied <- err
	}()
	<-hold.Caught()
	l.write(1000)
	written := l.run.Stop()
	hold.Release()
	if err := <-copied; err != nil {
		t.Fatal(err)
	}
	if _, err := l.perform(Cutover{Layout: l.layout}, "cut over"); err != nil {
		t.Fatal(err)
	}
	if report, err := l.model.Check(t.Context(), l.new); err != nil || report.Bad() {
		t.Errorf("%v\n%s\n%s", err, report, written)
	}
}

// interruptedCutover is given up behind the fence: the writers are let in again,
// and the next cutover has what they wrote then.
func interruptedCutover(t *testing.T, n *wires) {
	n.proxies.Delay(redismodel.Delay{ToClient: 300 * time.Millisecond, Only: tracked})
	l := lively(t, few(), n.servers, n.through)
	l.follow()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	denied := make(chan error, 1)
	go func() {
		denied <- l.denied()
		interrupt()
	}()
	task := store.Task{Action: Cutover{Layout: l.layout, Fence: l.fence}, Guard: []store.Note{l.guard}, Record: recorded("cut over")}
	if err := l.Store.Follow(ctx, task); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Store.Do(ctx, task); !errors.Is(err, context.Canceled) {
		t.Fatalf("the cutover was not interrupted: %v", err)
	}
	if err := <-denied; err != nil {
		t.Fatal(err)
	}
	n.proxies.Delay(redismodel.Delay{})
	l.run.GoOn(l.old)
	l.write(500)
	l.cutOver()
	l.write(500)
	l.end()
}

// lostRecord cuts over, and does not learn of it.
func lostRecord(t *testing.T, n *wires) {
	l := lively(t, few(), n.servers, n.through)
	l.follow()
	l.write(300)
	books := n.servers[slot(l.Store.books)*len(n.servers)/slots] // asked past the proxies
	cut := make(chan struct{})
	task := store.Task{Action: Cutover{Layout: l.layout, Fence: l.fence}, Guard: []store.Note{l.guard}, Record: func(p store.Progress) []store.Note {
		n.proxies.Delay(redismodel.Delay{ToClient: time.Hour})
		go func() {
			defer close(cut)
			eventually(t, "the record is written", func() bool {
				return books.Do(t, "HEXISTS", l.Store.books, "note/cut over") == int64(1)
			})
			n.proxies.Cut() // while the answer is kept back
			n.proxies.Delay(redismodel.Delay{})
		}()
		return recorded("cut over")(p)
	}}
	if err := l.Store.Follow(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	_, err := l.Store.Do(t.Context(), task)
	<-cut
	if gone := (*store.UnreachableError)(nil); !errors.As(err, &gone) {
		t.Fatalf("the answer was not lost: %v", err)
	}
	l.run.GoOn(l.new)
	l.write(500)
	if _, err := l.Store.Do(t.Context(), task); !errors.As(err, new(*CutOverError)) {
		t.Errorf("it is cut over again: %v", err)
	}
	if _, err := l.perform(Copy{Layout: l.layout, Live: true}, "copied again"); !errors.As(err, new(*CutOverError)) {
		t.Errorf("it is copied again: %v", err)
	}
	l.write(500)
	l.end()
}

// TestKeysThatAreWrittenAllTheTime forgets no change between the taking of a key
// and its reading.
func TestKeysThatAreWrittenAllTheTime(t *testing.T) {
	onShared(t, func(t *testing.T, servers []*testserver.RedisServer) {
		options := few()
		options.Hot, options.Rate = 40, 0
		l := lively(t, options, servers, nil)
		l.follow()
		l.write(8000)
		l.cutOver()
		l.write(3000)
		l.end()
	})
}

// TestSourcesThatEndDuringTheCutover end between the last change that was carried
// over and the record; the next release may have made their targets stay by then.
func TestSourcesThatEndDuringTheCutover(t *testing.T) {
	onShared(t, func(t *testing.T, servers []*testserver.RedisServer) {
		f := prepared(t, servers...)
		guard := f.note("epoch", store.Any, `1`)
		layout := tenants(t)
		f.on("SET", "tenant:1:log", "kept")
		task := store.Task{Action: Cutover{Layout: layout}, Guard: []store.Note{guard}, Record: func(store.Progress) []store.Note {
			if f.on("PERSIST", "tenant:{1}:log") != int64(1) {
				t.Error("the target has no end to take away")
			}
			eventually(t, "the source has ended", func() bool { return f.on("EXISTS", "tenant:1:log") == int64(0) })
			if err := f.Store.mirroring(layout).now.barrier(t.Context()); err != nil {
				t.Error(err)
			}
			return nil
		}}
		if _, err := f.performed(guard, Copy{Layout: layout, Live: true}); err != nil {
			t.Fatal(err)
		}
		f.on("PEXPIRE", "tenant:1:log", 1500)
		if err := f.Store.Follow(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Store.Do(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		if got := f.on("GET", "tenant:{1}:log"); got != "kept" {
			t.Errorf("the target holds %v", got)
		}
	})
}

// TestACutoverWhoseProcessDies ends it behind the fence, before the record: the
// next run finds the writers shut out.
func TestACutoverWhoseProcessDies(t *testing.T) {
	onShared(t, func(t *testing.T, servers []*testserver.RedisServer) {
		l := lively(t, few(), servers, nil)
		l.follow()
		task := store.Task{Action: Cutover{Layout: l.layout, Fence: l.fence}, Guard: []store.Note{l.guard}, Record: func(store.Progress) []store.Note {
			runtime.Goexit()
			return nil
		}}
		if err := l.Store.Follow(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		died := make(chan struct{})
		go func() {
			defer close(died)
			_, _ = l.Store.Do(context.WithoutCancel(t.Context()), task)
		}()
		<-died
		if err := l.denied(); err != nil {
			t.Fatal(err)
		}
		next := l.by(l.another())
		next.cutOver()
		next.write(800)
		next.end()
	})
}
