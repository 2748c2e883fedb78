// Package stopovertest is for the tests of an application that embeds Stopover:
// it gives its migrations scratch stores of the right kinds, takes those to any
// position, there and back, and runs the application's own statements on them.
//
// It never opens a store of the catalogue. The invariant: what it changes or
// resets was made by it, in this process.
package stopovertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/store"
)

// limit is how long one call of a kit may take.
const limit = 2 * time.Minute

// Kit is an application on scratch stores.
type Kit struct {
	// App is the application on its scratch stores. Reset replaces it.
	App *stopover.App

	t       testing.TB
	cfg     stopover.Config
	servers map[string]string
	scratch map[string]store.Store
}

// Open makes a scratch store for each store of the catalogue in cfg. Kinds that
// need a server get one of the URLs in servers, by the name of the store: a
// scratch database is made beside the one that the URL names, and dropped when
// the test ends. The test fails if a scratch store cannot be made.
func Open(t testing.TB, cfg stopover.Config, servers map[string]string) *Kit {
	t.Helper()
	if len(cfg.Stores) > 0 {
		t.Fatal("stopovertest works on scratch stores of its own: Config.Stores names open ones, which may be real")
	}
	k := &Kit{t: t, cfg: cfg, servers: servers}
	if err := k.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.close(); err != nil {
			t.Errorf("give up the scratch stores: %v", err)
		}
	})
	return k
}

func (k *Kit) open() error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	catalogue, err := stopover.Open(k.cfg)
	if err != nil {
		return err
	}
	defer func() { _ = catalogue.Close() }() // it has opened nothing
	k.scratch = map[string]store.Store{}
	for _, name := range catalogue.StoreNames() {
		kind, _ := catalogue.Kind(name)
		if kind.Scratch == nil {
			return errors.Join(fmt.Errorf("store %s: its kind, %s, has no scratch stores", name, kind.Name), k.close())
		}
		made, err := kind.Scratch(ctx, store.Settings{Name: name, URL: k.servers[name]})
		if errors.Is(err, store.ErrNoScratch) {
			err = fmt.Errorf("%w: give its URL as servers[%q]", err, name)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("make a scratch store for %s: %w", name, err), k.close())
		}
		k.scratch[name] = made
	}
	cfg := k.cfg
	cfg.Stores = k.scratch
	k.App, err = stopover.Open(cfg)
	return err
}

func (k *Kit) close() error {
	var errs []error
	if k.App != nil {
		errs = append(errs, k.App.Close())
	}
	for name, s := range k.scratch {
		if err := s.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close the scratch store of %s: %w", name, err))
		}
	}
	k.scratch = nil
	return errors.Join(errs...)
}

// Reset gives the application empty scratch stores again. There is no reset of
// a store that was not made here.
func (k *Kit) Reset() {
	k.t.Helper()
	if err := errors.Join(k.close(), k.open()); err != nil {
		k.t.Fatal(err)
	}
}

// To takes the stores forward to a target, STORE:MIGRATION[.STEP] or a release;
// "" is everything. Contracts wait for Cleanup once a store has been taken
// somewhere.
func (k *Kit) To(target string) {
	k.t.Helper()
	k.do("take the stores to "+target, func(ctx context.Context) error {
		for range mostRollouts {
			report, err := k.App.Apply(ctx, stopover.ApplyOptions{Target: stopover.Target{To: target}})
			if err != nil || report.Exit != stopover.ExitStop {
				return err
			}
			vouched := false
			for _, roll := range report.Rolls {
				if roll.Component == "" || len(roll.From) == 0 {
					continue
				}
				// Nobody runs on a scratch store.
				if _, err := k.App.Attest(ctx, stopover.Statement{Component: roll.Component, Releases: []string{"none"}, Reason: "a scratch store of a test"}); err != nil {
					return err
				}
				vouched = true
			}
			if !vouched || len(report.Did) == 0 && report.Left.Pending == 0 {
				return nil // what is left to roll out is the target itself
			}
		}
		return errors.New("there is always something left to roll out")
	})
}

// mostRollouts bounds the legs of a way on a store on which nobody runs.
const mostRollouts = 20

// Back takes a store back to a target, STORE:MIGRATION[.STEP] or STORE:none.
func (k *Kit) Back(target string) {
	k.t.Helper()
	k.do("take the stores back to "+target, func(ctx context.Context) error {
		_, err := k.App.Rollback(ctx, stopover.RollbackOptions{To: target})
		return err
	})
}

// Store gives a scratch store, for work that is made in Go, and for what its kind
// tells of it: a redis.Store its Prefix.
func (k *Kit) Store(storeName string) store.Store { return k.scratch[storeName] }

// Cleanup runs the contracts that are allowed.
func (k *Kit) Cleanup() {
	k.t.Helper()
	k.do("clean up", func(ctx context.Context) error {
		_, err := k.App.Cleanup(ctx, stopover.CleanupOptions{})
		return err
	})
}

// Exec runs statements of the application on a store, in one transaction.
func (k *Kit) Exec(storeName, statements string) {
	k.t.Helper()
	if err := k.attempt(storeName, statements); err != nil {
		k.t.Fatalf("%s: %s: %v", storeName, statements, err)
	}
}

// Fails runs statements that must fail, and gives their error.
func (k *Kit) Fails(storeName, statements string) error {
	k.t.Helper()
	err := k.attempt(storeName, statements)
	if err == nil {
		k.t.Fatalf("%s: %s: it worked", storeName, statements)
	}
	return err
}

// Rows asks a query and gives what it finds, one line a row: "id=1, name=x".
func (k *Kit) Rows(storeName, query string) []string {
	k.t.Helper()
	found, err := k.find(storeName, query)
	if err != nil {
		k.t.Fatalf("%s: %s: %v", storeName, query, err)
	}
	return found
}

// Structure describes a store, so that two positions can be compared: one line
// an object.
func (k *Kit) Structure(storeName string) []string {
	k.t.Helper()
	describer, able := store.As[store.Describer](k.scratch[storeName])
	if !able {
		k.t.Fatalf("store %s cannot describe itself", storeName)
	}
	var lines []string
	k.do("describe "+storeName, func(ctx context.Context) (err error) {
		lines, err = describer.Describe(ctx)
		return err
	})
	return lines
}

// attempt runs statements in one transaction.
func (k *Kit) attempt(storeName, statements string) error {
	_, err := k.perform(storeName, statements, store.Whole)
	return err
}

// find asks a query.
func (k *Kit) find(storeName, query string) ([]string, error) {
	found, err := k.perform(storeName, query, store.Query)
	return found.Sample, err
}

func (k *Kit) perform(storeName, text string, shape store.Shape) (store.Progress, error) {
	kind, known := k.App.Kind(storeName)
	if !known {
		return store.Progress{}, fmt.Errorf("there is no store %q", storeName)
	}
	parsed, err := kind.Parse(store.Section{File: "test", Line: 1, Text: text, Shape: shape})
	if err != nil {
		return store.Progress{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return k.scratch[storeName].Do(ctx, store.Task{Action: parsed.Action, Sample: 1000})
}

func (k *Kit) do(what string, call func(context.Context) error) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := call(ctx); err != nil {
		k.t.Fatalf("%s: %v", what, err)
	}
}
