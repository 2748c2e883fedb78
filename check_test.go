package stopover_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/stopover-dev/stopover"
)

// A gate that could not be asked answers nothing: a script that reads "ready"
// beside an error would start what must not start.
func TestTheGateGivesNoAnswerWithAnError(t *testing.T) {
	app := openShop(t, shopIn(t.TempDir()))
	for _, ask := range []stopover.CheckOptions{{Component: "nobody"}, {Release: "0.1"}} {
		gate, err := app.Check(context.Background(), ask)
		if err == nil || gate.State != "" {
			t.Errorf("%+v: state %q, error %v; want no state and an error", ask, gate.State, err)
		}
	}
}

// The release of a program is recorded with what it does; it is asked about
// only where releases are listed.
func TestTheGateAsksForTheProgramsReleaseOnlyWhereSomeAreListed(t *testing.T) {
	app := openShop(t, shopIn(t.TempDir())) // Release is 1.6
	if _, err := app.Apply(t.Context(), stopover.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if gate, err := app.Check(t.Context(), stopover.CheckOptions{}); err != nil || gate.State != "ready" {
		t.Errorf("without releases: %q, %v", gate.State, err)
	}

	cfg := shopIn(t.TempDir())
	files := fstest.MapFS{}
	for name, file := range shopFiles {
		files[name] = file
	}
	files["stopover.yaml"] = &fstest.MapFile{Data: []byte("application: shop\nstores: {main: {url: \"sqlite:shop.db\"}}\nreleases: [\"1.5\", \"1.6\", \"1.7\"]\n")}
	files["migrations/main/0003_later.sql"] = &fstest.MapFile{Data: []byte("-- stopover: expand needs=1.7\nCREATE TABLE later (id integer PRIMARY KEY);\n")}
	cfg.Files = files
	app = openShop(t, cfg)
	if _, err := app.Apply(t.Context(), stopover.ApplyOptions{Target: stopover.Target{To: "main:0002_currency"}}); err != nil {
		t.Fatal(err)
	}
	if gate, err := app.Check(t.Context(), stopover.CheckOptions{}); err != nil || gate.State != "ready" || gate.Release != "1.6" {
		t.Errorf("as release 1.6: %q for %q, %v", gate.State, gate.Release, err)
	}
	if gate, err := app.Check(t.Context(), stopover.CheckOptions{Release: "1.7"}); err != nil || gate.State != "pending" {
		t.Errorf("as release 1.7: %q, %v", gate.State, err)
	}
}

func openShop(t *testing.T, cfg stopover.Config) *stopover.App {
	t.Helper()
	app, err := stopover.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	})
	return app
}
