package stopover

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/redis"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

// A child is this test binary run again as a process of its own, which can be
// killed for good.

const childVariable = "STOPOVER_TEST_CHILD"

// errand is what a child is to do.
type errand struct {
	Dir     string
	Command string // "apply", "cleanup", "rollback TARGET"
	KillAt  int    // SIGKILL at this point of writing notes, from 1; 0: never
	TTL     time.Duration
	Tell    bool   // events as JSON lines to stdout
	Points  string // file that gets the number of points passed; "": none
	Release string
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		os.Exit(child(text))
	}
	os.Exit(testserver.Run(m))
}

func child(text string) int {
	var o errand
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	points := &atomic.Int64{}
	cfg := testConfig(o.Dir)
	cfg.leaseTTL, cfg.Release = o.TTL, o.Release
	for i := range cfg.Kinds {
		cfg.Kinds[i] = deadly(cfg.Kinds[i], points, int64(o.KillAt))
	}
	if o.Tell {
		out := json.NewEncoder(os.Stdout)
		cfg.Events = func(e Event) { _ = out.Encode(e) } // a parent that went away does not matter
	}
	err := carryOut(cfg, o.Command)
	if o.Points != "" {
		if err := os.WriteFile(o.Points, fmt.Append(nil, points.Load()), 0o600); err != nil {
			return 99
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func carryOut(cfg Config, command string) error {
	a, err := Open(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	ctx := context.Background()
	word, rest, _ := strings.Cut(command, " ")
	switch word {
	case "switch":
		_, err = a.Apply(ctx, ApplyOptions{Target: Target{To: "1.6"}, Switch: true})
	case "apply":
		_, err = a.Apply(ctx, ApplyOptions{Target: Target{To: rest}})
	case "adopt":
		_, err = a.Adopt(ctx, AdoptOptions{At: rest})
	case "offline":
		_, err = a.Apply(ctx, ApplyOptions{Target: Target{To: rest, Offline: true, Fleet: map[string][]string{"api": {}}}})
	case "cleanup-of":
		_, err = a.Cleanup(ctx, CleanupOptions{Fleet: map[string][]string{"api": {rest}}})
	case "init":
		_, err = a.Init(ctx, false, nil)
	case "cleanup":
		_, err = a.Cleanup(ctx, CleanupOptions{})
	case "verify":
		_, err = a.Verify(ctx)
	case "rollback":
		_, err = a.Rollback(ctx, RollbackOptions{To: rest})
	default:
		err = fmt.Errorf("no command %q", command)
	}
	return err
}

func testConfig(dir string) Config {
	return Config{Dir: dir, Kinds: []store.Kind{sqlite.Kind(), postgres.Kind(), redis.Kind()}, Operator: "tester", LockWait: time.Minute}
}

// deadly makes a kind whose stores kill the process at a point of writing notes:
// before a swap or a task is sent, while its record is made, and after it was
// answered.
func deadly(kind store.Kind, points *atomic.Int64, at int64) store.Kind {
	open := kind.Open
	kind.Open = func(ctx context.Context, settings store.Settings) (store.Store, error) {
		inner, err := open(ctx, settings)
		return &mortal{Store: inner, points: points, at: at}, err
	}
	return kind
}

type mortal struct {
	store.Store
	points *atomic.Int64
	at     int64
}

func (m *mortal) Unwrap() store.Store { return m.Store }

func (m *mortal) point() {
	if m.points.Add(1) == m.at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it has arrived
	}
}

func (m *mortal) Prepare(ctx context.Context) error {
	m.point()
	err := m.Store.Prepare(ctx)
	m.point()
	return err
}

func (m *mortal) Swap(ctx context.Context, guard []store.Note, set ...store.Note) ([]store.Note, error) {
	m.point()
	notes, err := m.Store.Swap(ctx, guard, set...)
	m.point()
	return notes, err
}

func (m *mortal) Do(ctx context.Context, task store.Task) (store.Progress, error) {
	if task.Record == nil {
		return m.Store.Do(ctx, task)
	}
	m.point()
	progress, err := m.Store.Do(ctx, m.watched(task))
	m.point()
	return progress, err
}

func (m *mortal) watched(task store.Task) store.Task {
	if record := task.Record; record != nil {
		task.Record = func(p store.Progress) []store.Note {
			m.point()
			return record(p)
		}
	}
	return task
}

func (m *mortal) DoAll(ctx context.Context, tasks []store.Task) ([]store.Progress, error) {
	batcher, _ := store.As[store.Batcher](m.Store)
	watched := make([]store.Task, len(tasks))
	for i := range tasks {
		watched[i] = m.watched(tasks[i])
	}
	m.point()
	progress, err := batcher.DoAll(ctx, watched)
	m.point()
	return progress, err
}

// process is a child that runs.
type process struct {
	*exec.Cmd
	errors strings.Builder

	told chan wire.Event
}

// start runs a child. It is ended with the test at the latest.
func start(t *testing.T, o errand) *process {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(os.Args[0]), told: make(chan wire.Event, 10000)}
	p.Env = append(os.Environ(), childVariable+"="+string(text))
	p.Stderr = &p.errors
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	go func() {
		defer close(p.told)
		decoder := json.NewDecoder(out)
		for {
			var e wire.Event
			if decoder.Decode(&e) != nil {
				return
			}
			p.told <- e
		}
	}()
	return p
}

// await waits for an event of a kind about a step; "" fits every step.
func (p *process) await(t *testing.T, kind wire.EventKind, step string) wire.Event {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case e, more := <-p.told:
			if !more {
				t.Fatalf("the child ended before %q of %q: %s", kind, step, p.errors.String())
			}
			if e.Kind == kind && (step == "" || e.Step == step) {
				return e
			}
		case <-limit:
			t.Fatalf("no event %q of %q within a minute", kind, step)
		}
	}
}

// end waits for the child and tells how it ended.
func (p *process) end() (exit int, killed bool) {
	for range p.told { // until its output is read
	}
	_ = p.Wait() // the state says it all
	status, _ := p.ProcessState.Sys().(syscall.WaitStatus)
	return p.ProcessState.ExitCode(), status.Signaled() && status.Signal() == syscall.SIGKILL
}

type storeKind = store.Kind

// meddling makes the kind of a site whose stores call somebody after each
// stretch of a backfill, one call at a time.
func meddling(kinds []store.Kind, name string, call func()) store.Kind {
	for _, kind := range kinds {
		if kind.Name != name {
			continue
		}
		open := kind.Open
		kind.Open = func(ctx context.Context, settings store.Settings) (store.Store, error) {
			inner, err := open(ctx, settings)
			var alone sync.Mutex // several workers come here
			return &meddled{Store: inner, call: func() {
				alone.Lock()
				defer alone.Unlock()
				call()
			}}, err
		}
		return kind
	}
	panic("no kind " + name)
}

type meddled struct {
	store.Store
	call func()
}

func (m *meddled) Unwrap() store.Store { return m.Store }

func (m *meddled) Do(ctx context.Context, task store.Task) (store.Progress, error) {
	progress, err := m.Store.Do(ctx, task)
	if task.Action.Shape() == store.Stretched {
		m.call()
	}
	return progress, err
}
