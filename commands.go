package stopover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/cli"
	"github.com/stopover-dev/stopover/internal/ui"
	"github.com/stopover-dev/stopover/internal/wire"
)

// do carries out a request and gives its document. The document is there also
// when it fails part of the way.
func (c *command) do(ctx context.Context, app *App) (wire.Document, error) {
	switch ask := c.request.Ask.(type) {
	case cli.NewProject:
		return app.newProject(ask.Folder, ask.Kind)
	case cli.NewMigration:
		return app.newMigration(ask.In, ask.Name)
	case cli.Lint:
		return app.Lint(ctx, LintOptions{Scratch: ask.Scratch})
	case cli.List:
		return app.List(ctx)
	case cli.Init:
		return app.Init(ctx, ask.Current, c.asker(ask.Yes))
	case cli.Status:
		return app.Status(ctx)
	case cli.Plan:
		return c.plan(ctx, app, ask)
	case cli.Apply:
		return c.apply(ctx, app, ask)
	case cli.Verify:
		return app.Verify(ctx)
	case cli.Cleanup:
		return app.Cleanup(ctx, CleanupOptions{Confirm: c.asker(ask.Yes), ShutOut: ask.ShutOut})
	case cli.Rollback:
		return app.Rollback(ctx, RollbackOptions{To: ask.To, Confirm: c.asker(ask.Yes)})
	case cli.Check:
		return app.Check(ctx, CheckOptions{Component: ask.Component, Release: ask.Release})
	case cli.Throttle:
		return app.Throttle(ctx, throttleOptions(ask))
	case cli.Fleet:
		return app.Fleet(ctx)
	case cli.AttestComponent:
		return app.Attest(ctx, Statement{Component: ask.Name, Releases: ask.Releases, Reason: ask.Reason, For: ask.For})
	case cli.AttestClient:
		return app.Attest(ctx, Statement{Client: ask.Name, Reason: ask.Reason, For: ask.For})
	case cli.AttestRestored:
		return app.AttestRestored(ctx, ask.Name, ask.Reason)
	case cli.Unlock:
		return app.Unlock(ctx, c.asker(ask.Yes))
	case cli.Adopt:
		return app.Adopt(ctx, AdoptOptions{At: ask.At, Confirm: c.asker(ask.Yes)})
	case cli.ImportTable:
		return app.importTable(ask.File, c.request.Global.Migrations, ask.Out)
	case cli.ImportGitLab:
		return app.importGitLab(ask.File, ask.Out)
	case cli.Version:
		return app.version(), nil
	}
	return nil, misuse(fmt.Sprintf("%s cannot do %q", c.cfg.Program, c.request.Command))
}

func throttleOptions(ask cli.Throttle) ThrottleOptions {
	options := ThrottleOptions{Workers: ask.Workers, Rate: ask.Rate}
	if ask.Pause || ask.Resume {
		options.Paused = &ask.Pause
	}
	return options
}

func (c *command) plan(ctx context.Context, app *App, ask cli.Plan) (wire.Document, error) {
	target := Target{To: ask.To, Offline: ask.Offline}
	var doc *wire.Plan
	var err error
	if ask.Assume != "" {
		doc, err = app.planOnPaper(ctx, within(c.request.Global.Dir, ask.Assume), PlanOptions{Target: target, SQL: ask.SQL})
	} else {
		doc, err = app.Plan(ctx, PlanOptions{Target: target, SQL: ask.SQL})
	}
	if err != nil || doc == nil {
		return doc, err
	}
	if ask.Out != "" && len(doc.Blocked) == 0 {
		if len(doc.Legs) > 0 { // else only contracts are left, for cleanup
			doc.Next = []string{app.cmd("apply " + ask.Out)}
		}
		if err := savePlan(within(c.request.Global.Dir, ask.Out), doc); err != nil {
			return doc, err
		}
	}
	return doc, nil
}

// savePlan writes a plan beside its name first, so that a full disk leaves no
// half of one.
func savePlan(name string, doc *wire.Plan) error {
	beside, err := os.CreateTemp(filepath.Dir(name), ".stopover-plan-*")
	if err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	defer func() { _ = os.Remove(beside.Name()) }() // gone already when it was renamed
	err = wire.Encode(beside, doc)
	if closing := beside.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(beside.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	return nil
}

func (c *command) apply(ctx context.Context, app *App, ask cli.Apply) (wire.Document, error) {
	until, err := timeLimit(ask.Until, time.Now())
	if err != nil {
		return nil, misuse(err.Error())
	}
	options := ApplyOptions{Target: Target{To: ask.To, Offline: ask.Offline}, Until: until, Confirm: c.asker(ask.Yes),
		Retarget: ask.Retarget, Sweep: ask.Sweep, Dev: ask.Dev, Wait: ask.Wait, Switch: ask.Switch}
	if ask.File != "" && ask.Wait {
		return nil, misuse("--wait goes over several stops, and a plan file is about the way to the next one", app.cmd("apply "+ask.File), app.cmd("apply"+toFlag(ask.To)+" --wait"))
	}
	if ask.File != "" {
		if options.Plan, err = readPlan(within(c.request.Global.Dir, ask.File)); err != nil {
			return nil, misuse(fmt.Sprintf("%s: %v", ask.File, err), app.cmd("plan --out "+ask.File))
		}
		options.Target = targetOf(options.Plan)
	}
	doc, err := app.Apply(ctx, options)
	var f *Failure
	if ask.File != "" && errors.As(err, &f) {
		for i := range f.Next {
			f.Next[i] = strings.Replace(f.Next[i], "--out FILE", "--out "+ask.File, 1)
		}
	}
	return doc, err
}

func readPlan(name string) (*wire.Plan, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return wire.DecodePlan(f)
}

// targetOf is what a plan was made for.
func targetOf(doc *wire.Plan) Target {
	target := Target{To: doc.Target.Step, Offline: doc.Target.Offline}
	if target.To == "" && !doc.Implicit {
		target.To = doc.Target.Release
	}
	return target
}

// asker asks the question of a changing command. Without a terminal there is
// nobody to ask: then --yes has to be given.
func (c *command) asker(yes bool) Confirm {
	if yes {
		return nil
	}
	return func(question string, doc *wire.Plan) (bool, error) {
		if !isTerminal(c.t.In) {
			return false, misuse("this changes stores, and there is no terminal to ask on", c.typed()+" --yes")
		}
		if doc != nil {
			if err := ui.Render(c.t.Err, doc, c.look()); err != nil {
				return false, err
			}
		}
		answer, err := ui.Confirm(c.t.In, c.t.Err, question)
		return answer == ui.Yes, err
	}
}

// typed is the command line as it was typed, but for one that may hold a
// secret: of that only the command.
func (c *command) typed() string {
	words := []string{c.cfg.Program}
	for _, word := range c.t.Args {
		if strings.Contains(word, "://") || c.request.Global.URL != "" {
			return c.cfg.Program + " " + c.request.Command
		}
		words = append(words, shellWord(word))
	}
	return strings.Join(words, " ")
}

// shellWord quotes a word where a shell would not take it as it is.
func shellWord(word string) string {
	if word == "" || strings.ContainsAny(word, " \t\n'\"$\\*?;&|<>()`") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// isNil tells a document that is not there, also one in a typed pointer.
func isNil(doc wire.Document) bool {
	return doc == nil || reflect.ValueOf(doc).IsNil()
}
