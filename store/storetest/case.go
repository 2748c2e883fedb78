package storetest

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// Case is one sentence of the definition of a store.
type Case struct {
	Name     string
	Deadline time.Duration // zero: 30 s
	Run      func(ctx context.Context, t *T)
}

// Cases gives the whole suite.
func Cases() []Case {
	var all []Case
	for _, part := range [][]Case{
		bookCases(), noteCases(), guardCases(), lookCases(), raceCases(),
		taskCases(), proofCases(), stretchCases(), endCases(), abilityCases(),
	} {
		all = append(all, part...)
	}
	return all
}

// Run runs the suite, each case as a test of its own.
func Run(t *testing.T, d Driver) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			for _, failure := range Check(t.Context(), d, c) {
				t.Error(failure)
			}
		})
	}
}

// Check runs one case on a fresh store and gives what failed.
func Check(ctx context.Context, d Driver, c Case) []string {
	deadline := c.Deadline
	if deadline == 0 {
		deadline = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	site, err := d.Fresh(ctx)
	if err != nil {
		return []string{fmt.Sprintf("make a fresh store: %v", err)}
	}
	t := &T{Site: site, ctx: ctx}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer t.giveUp()
		c.Run(ctx, t)
	}()
	// A case whose context has ended gets a moment to return by itself, so
	// that its failure says where it hung.
	select {
	case <-ended:
	case <-ctx.Done():
		select {
		case <-ended:
		case <-time.After(3 * time.Second):
			t.Errorf("did not end within its deadline of %s", deadline)
		}
	}
	return t.found()
}

// T is one run of a case.
type T struct {
	Site Site
	ctx  context.Context

	mu       sync.Mutex
	failures []string
	open     []store.Store
}

// Errorf notes a failure.
func (t *T) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

// Fatalf notes a failure and ends the case; it is called only in the
// goroutine of the case.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

func (t *T) found() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.failures...)
}

// giveUp closes what the case opened.
func (t *T) giveUp() {
	for _, s := range t.open {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	}
	if err := t.Site.Close(); err != nil {
		t.Errorf("give up the store: %v", err)
	}
}

// need ends the case on an error.
func (t *T) need(err error, doing string) {
	if err != nil {
		t.Fatalf("%s: %v", doing, err)
	}
}

// handle opens one more handle, closed at the end.
func (t *T) handle() store.Store {
	s, err := t.Site.Open(t.ctx)
	t.need(err, "open the store")
	t.open = append(t.open, s)
	return s
}

// prepared opens a handle on a store with books.
func (t *T) prepared() store.Store {
	s := t.handle()
	t.need(s.Prepare(t.ctx), "prepare")
	return s
}

// seeded opens a handle on a store with books and this many rows.
func (t *T) seeded(rows int) store.Store {
	s := t.prepared()
	t.need(t.Site.Seed(t.ctx, rows), "seed")
	return s
}
