package stopover_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stopover-dev/stopover"
)

// catalogue makes an application from a stopover.yaml and one migration a store.
func catalogue(t *testing.T, dir, text string) *stopover.App {
	t.Helper()
	cfg := shopIn(dir)
	cfg.LockWait = 20 * time.Second
	one := &fstest.MapFile{Data: []byte("-- stopover: expand\nCREATE TABLE one (id integer PRIMARY KEY);\n")}
	two := &fstest.MapFile{Data: []byte("-- stopover: expand\nCREATE TABLE two (id integer PRIMARY KEY);\n")}
	cfg.Files = fstest.MapFS{"stopover.yaml": {Data: []byte(text)}, "migrations/main/0001_one.sql": one, "migrations/two/0001_two.sql": two}
	return openShop(t, cfg)
}

// Two applications whose migrations have the same names would each take the
// other's ledger for its own.
func TestStoreOfAnotherApplicationIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	const stores = "stores: {main: {url: \"sqlite:one.db\", migrations: migrations/main}}\n"
	if _, err := catalogue(t, dir, "application: shop\n"+stores).Apply(t.Context(), stopover.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := catalogue(t, dir, "application: blog\n"+stores).Apply(t.Context(), stopover.ApplyOptions{})
	wantFailure(t, err, stopover.ExitRefused, `belongs to the application "shop"`)
	if _, err := catalogue(t, dir, stores).Apply(t.Context(), stopover.ApplyOptions{}); err != nil {
		t.Errorf("without a name: %v", err)
	}
}

// A runner that holds a store would wait for itself, and renew what it waits for.
func TestOneStoreUnderTwoNamesIsRefused(t *testing.T) {
	begun := time.Now()
	app := catalogue(t, t.TempDir(), "application: shop\nstores:\n  main: {url: \"sqlite:one.db\"}\n  two: {url: \"sqlite:./one.db\"}\n")
	_, err := app.Apply(t.Context(), stopover.ApplyOptions{})
	wantFailure(t, err, stopover.ExitUsage, "main and two are one store under two names")
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func wantFailure(t *testing.T, err error, exit int, message string) {
	t.Helper()
	var f *stopover.Failure
	if !errors.As(err, &f) || f.Exit != exit || !strings.Contains(f.Error(), message) {
		t.Errorf("%v; want exit %d and %q", err, exit, message)
	}
}
