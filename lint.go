package stopover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/run"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// LintOptions say what to check beyond the texts.
type LintOptions struct {
	// Scratch is the URL of a server on which scratch stores may be made, for
	// kinds that need one. "": `scratch:` in stopover.yaml, or only kinds that
	// need none.
	Scratch string
}

// Lint checks the catalogue and every migration, and runs the files of each
// store on a scratch store, in the order of a fresh one: everything else first,
// contracts last. It opens none of the application's stores.
func (a *App) Lint(ctx context.Context, ask LintOptions) (*wire.Lint, error) {
	doc := &wire.Lint{Head: wire.NewHead("lint"), Stores: len(a.stores), Migrations: len(a.project.Migrations),
		Scratch: []string{}, Problems: []wire.Problem{}}
	cat, _, problems := a.project.Catalogue()
	for _, p := range problems {
		severity := wire.Fault
		if p.Note {
			severity = wire.Note
		}
		doc.Problems = append(doc.Problems, wire.Problem{File: p.File, Line: p.Line, Severity: severity, Message: p.Message, Hint: p.Next})
	}
	for _, step := range cat.Steps {
		if s := a.steps[step.ID]; s != nil && a.store(step.ID.Store) != nil {
			doc.Problems = append(doc.Problems, a.lintStep(cat, step, s)...)
		}
	}
	if !hasFault(doc.Problems) {
		for _, p := range a.stores {
			if err := a.lintOnScratch(ctx, doc, cat, p, ask); err != nil {
				return doc, err
			}
		}
	}
	slices.SortStableFunc(doc.Problems, func(x, y wire.Problem) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
	if hasFault(doc.Problems) {
		doc.Exit = ExitUsage
	}
	return doc, nil
}

func hasFault(problems []wire.Problem) bool {
	return slices.ContainsFunc(problems, func(p wire.Problem) bool { return p.Severity == wire.Fault })
}

// lintStep understands the step's statements, and holds what they do against
// what is declared.
func (a *App) lintStep(cat plan.Catalogue, step plan.Step, s *step) []wire.Problem {
	parsed, err := a.parse(s)
	if err != nil {
		return []wire.Problem{syntax(s, err)}
	}
	var list []wire.Problem
	if s.undo != nil {
		if _, err := a.undoWork(s); err != nil {
			list = append(list, syntax(s, err))
		}
	}
	if s.section.When != "" {
		if _, err := a.parseWhen(s); err != nil {
			list = append(list, syntax(s, err))
		}
	}
	for _, fact := range parsed.Facts {
		if step.ID.Kind != plan.Contract || !contradicts(fact) {
			list = append(list, judged(cat, step, s, fact))
		}
	}
	return append(list, a.unproven(step, s)...)
}

// unproven complains of a contract that nothing proves to be safe.
func (a *App) unproven(step plan.Step, s *step) []wire.Problem {
	backfill := plan.StepID{Store: step.ID.Store, Migration: step.ID.Migration, Kind: plan.Backfill}
	if step.ID.Kind != plan.Contract || a.steps[backfill] == nil {
		return nil
	}
	if proof, err := a.proof(s); err != nil || proof != nil {
		return nil
	}
	verify := plan.StepID{Store: step.ID.Store, Migration: step.ID.Migration, Kind: plan.Verify}
	if parsed, err := a.parse(s); err == nil && sealOf(parsed.Action) != nil && a.steps[verify] != nil {
		return nil
	}
	return []wire.Problem{{File: s.migration.File, Line: s.section.Directive, Severity: wire.Fault, Store: step.ID.Store,
		Message: "the contract follows a backfill that nothing verifies",
		Hint:    "add a verify section: a query that returns the rows that are not right yet"}}
}

// judged gives a fact its weight. What takes away what old code may still use
// belongs into a contract, where floors and a verification stand before it.
func judged(cat plan.Catalogue, step plan.Step, s *step, fact store.Fact) wire.Problem {
	p := wire.Problem{File: s.migration.File, Line: fact.Line, Store: s.id.Store, Severity: wire.Warning, Message: fact.Message}
	switch {
	case contradicts(fact) && !cat.Implicit && !step.Offline && step.Writers == plan.NoRelease:
		p.Severity = wire.Fault
		p.Hint = "move it to the contract section, or declare the oldest release that can live with it (writers=, readers=)"
	case contradicts(fact):
		p.Hint = "in a contract section it would wait until nothing uses it"
	}
	return p
}

// contradicts tells whether a fact speaks against old code: a contract is where
// that belongs.
func contradicts(fact store.Fact) bool {
	return fact.Kind == store.Destroys || fact.Kind == store.BreaksInsert
}

func syntax(s *step, err error) wire.Problem {
	var wrong *store.SyntaxError
	if errors.As(err, &wrong) {
		return wire.Problem{File: wrong.File, Line: wrong.Line, Severity: wire.Fault, Store: s.id.Store, Message: wrong.Message}
	}
	return wire.Problem{File: s.migration.File, Line: s.section.Directive, Severity: wire.Fault, Store: s.id.Store, Message: err.Error()}
}

// lintOnScratch runs all files of a store on one that is made for it.
func (a *App) lintOnScratch(ctx context.Context, doc *wire.Lint, cat plan.Catalogue, p *place, ask LintOptions) error {
	if p.kind.Scratch == nil {
		return nil
	}
	url, err := a.scratchURL(p, ask)
	if err != nil {
		return a.explain(p.name, err)
	}
	options := map[string]string{}
	if schema := p.decl.Schema; schema != "" && !strings.Contains(schema, "${") {
		options["schema"] = schema // statements may name it
	}
	scratch, err := p.kind.Scratch(ctx, store.Settings{Name: p.name, URL: url, Options: options})
	if errors.Is(err, store.ErrNoScratch) {
		doc.Problems = append(doc.Problems, wire.Problem{Severity: wire.Note, Store: p.name,
			Message: fmt.Sprintf("the files of store %s were read, but not run: no server was named for a scratch store", p.name),
			Hint:    "lint --scratch URL, or scratch: in stopover.yaml"})
		return nil
	}
	if err != nil {
		f := a.explain(p.name, fmt.Errorf("make a scratch store: %w", err))
		f.Detail.Safe, f.Next = nothingChanged, []string{a.cmd("lint")}
		return f
	}
	defer func() { _ = scratch.Close() }()
	if err := a.replay(ctx, cat, p, scratch); err != nil {
		f := a.explain(p.name, err)
		if f.Exit == ExitInterrupted || f.Detail.Kind == wire.KindUnreachable {
			return f
		}
		doc.Problems = append(doc.Problems, wire.Problem{File: f.Detail.File, Line: f.Detail.Line, Severity: wire.Fault, Store: p.name,
			Message: "on a scratch store: " + f.Detail.Message, Hint: f.Detail.Hint})
		return nil
	}
	doc.Scratch = append(doc.Scratch, p.name)
	return nil
}

func (a *App) scratchURL(p *place, ask LintOptions) (string, error) {
	url := ask.Scratch
	if url == "" && a.project.Scratch != "" {
		var err error
		if url, err = a.project.ExpandText("scratch", a.project.Scratch, files.Lookup(a.lookup)); err != nil {
			return "", err
		}
	}
	// Stores of several kinds may be there: the server is of one of them.
	if scheme, _, found := strings.Cut(url, "://"); found && !slices.Contains(p.kind.Schemes, scheme) {
		return "", nil
	}
	return url, nil
}

// replay performs every step of a store on a scratch one, contracts last.
func (a *App) replay(ctx context.Context, cat plan.Catalogue, p *place, scratch store.Store) error {
	if err := scratch.Prepare(ctx); err != nil {
		return err
	}
	lease, err := book.Acquire(ctx, scratch, a.askFor("lint", p.name))
	if err != nil {
		return err
	}
	defer lease.Release()
	books, err := book.Read(ctx, scratch)
	if err != nil {
		return err
	}
	runner := &run.Runner{Store: scratch, Name: p.name, Lease: lease, Books: books, Sample: 1}
	var works, contracts []run.Work
	for _, step := range cat.Steps {
		if step.ID.Store != p.name {
			continue
		}
		work, err := a.work(a.steps[step.ID])
		if err != nil {
			return err
		}
		if step.ID.Kind == plan.Contract {
			contracts = append(contracts, work)
		} else {
			works = append(works, work)
		}
	}
	_, err = runner.PerformAll(lease.Context(), append(works, contracts...))
	return err
}
