package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// wire is a proxy that can hold back what a client sends, and let it go when
// nobody waits for it any more: an unlucky network.
type wire struct {
	net.Listener
	to string

	mu   sync.Mutex
	hold []byte // requests with these bytes are held
	held []func()
	cut  []byte // of requests with these bytes the answer is lost, with the connection
	all  sync.WaitGroup
}

func newWire(t *testing.T, to string) *wire {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: listener, to: to}
	w.all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			w.all.Go(func() { w.serve(client) })
		}
	})
	t.Cleanup(func() { listener.Close() })
	return w
}

func (w *wire) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	lost, answered := make(chan struct{}), make(chan struct{})
	go func() {
		defer client.Close()
		defer close(answered)
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil {
				return
			}
			select {
			case <-lost:
				return
			default:
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 256<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			server.Close()
			return
		}
		request := bytes.Clone(buffer[:n])
		w.mu.Lock()
		switch {
		case w.hold != nil && bytes.Contains(request, w.hold):
			close(lost)
			w.held = append(w.held, func() {
				_, _ = server.Write(request)
				<-answered
				server.Close()
			})
			w.mu.Unlock()
			return // the client sees its connection break
		case w.cut != nil && bytes.Contains(request, w.cut):
			close(lost)
		}
		w.mu.Unlock()
		if _, err := server.Write(request); err != nil {
			return
		}
	}
}

func (w *wire) set(hold, cut string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hold, w.cut = nil, nil
	if hold != "" {
		w.hold = []byte(hold)
	}
	if cut != "" {
		w.cut = []byte(cut)
	}
}

// release lets what was held arrive.
func (w *wire) release() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, send := range w.held {
		send()
	}
	n := len(w.held)
	w.held = nil
	return n
}

// through gives a store that reaches its server by a wire.
func through(t *testing.T) (fixture, *wire) {
	server := testserver.Redis(t)
	f := prepared(t, server)
	w := newWire(t, server.Addr())
	settings := f.settings
	settings.URL = "redis://" + w.Addr().String()
	f.Store = open(t, settings)
	return f, w
}

const countLua = `return redis.call('INCR', KEYS[1]) -- counting`

// TestALateWriteIsRefused breaks a connection while a step's script is on its
// way, performs the step again, and then lets the first script arrive.
func TestALateWriteIsRefused(t *testing.T) {
	f, w := through(t)
	count := Script("count", countLua, []string{"n"})
	if _, err := f.run(Script("load it", countLua, []string{"other"})); err != nil {
		t.Fatal(err)
	}
	w.set(f.Store.full("n"), "")
	_, err := f.run(count)
	if _, ok := errors.AsType[*store.UnreachableError](err); !ok {
		t.Fatalf("error %v, want an UnreachableError", err)
	}
	w.set("", "")
	if _, err := f.Store.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.run(count); err != nil {
		t.Fatal(err)
	}
	if n := w.release(); n == 0 {
		t.Fatal("nothing was held: the test proves nothing")
	}
	if n := f.raw("GET", f.Store.full("n")); n != "1" {
		t.Errorf("it was counted %v times", n)
	}
}

// TestALostAnswerIsNotALostWrite loses the answer: the step was done once, its
// note says so, and nothing is done again by itself.
func TestALostAnswerIsNotALostWrite(t *testing.T) {
	f, w := through(t)
	if _, err := f.run(Script("load it", countLua, []string{"other"})); err != nil {
		t.Fatal(err)
	}
	w.set("", f.Store.full("n"))
	_, err := f.Store.Do(t.Context(), store.Task{Action: Script("count", countLua, []string{"n"}), Record: recorded("counted")})
	if _, ok := errors.AsType[*store.UnreachableError](err); !ok {
		t.Fatalf("error %v, want an UnreachableError", err)
	}
	w.set("", "")
	if !f.has("counted") {
		t.Error("the note is not there")
	}
	if n := f.raw("GET", f.Store.full("n")); n != "1" {
		t.Errorf("it was counted %v times", n)
	}
}

// TestAFrozenServer ends calls with their context, though no answer comes.
func TestAFrozenServer(t *testing.T) {
	server := testserver.OwnRedis(t)
	f := prepared(t, server)
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := f.Store.Look(ctx)
	if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
		t.Errorf("Look: %v after %s", err, took)
	}
	_, err = f.Store.Swap(ctx, nil, store.Note{Key: "a", Rev: store.Absent, Value: []byte(`1`)})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Swap: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = f.Store.Swap(short, nil, store.Note{Key: "b", Rev: store.Absent, Value: []byte(`1`)})
	if !errors.Is(err, context.DeadlineExceeded) || len(f.Store.doubts) != 1 {
		t.Errorf("Swap that was sent: %v, in doubt %q", err, f.Store.doubts)
	}
	if err := server.Thaw(); err != nil {
		t.Fatal(err)
	}
	// Whether it arrived before it was given up or not: from now on it stays so.
	before := f.has("b")
	if _, err := f.Store.Swap(t.Context(), nil, store.Note{Key: "c", Rev: store.Absent, Value: []byte(`1`)}); err != nil {
		t.Fatal(err)
	}
	if f.has("b") != before || len(f.Store.doubts) != 0 {
		t.Errorf("in doubt: %q", f.Store.doubts)
	}
}

// TestDoubtsAreSettledByManyAtOnce asks from several sides while writes are in
// doubt, as a step and the renewal of its lease do.
func TestDoubtsAreSettledByManyAtOnce(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	for round := range 50 {
		for i := range 3 {
			f.Store.doubt(fmt.Sprint(round, " ", i))
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := f.Store.Look(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(f.Store.doubts) > 0 {
			t.Fatalf("in doubt are still %q", f.Store.doubts)
		}
	}
}
