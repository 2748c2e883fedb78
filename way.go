package stopover

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// Target is what to plan for.
type Target struct {
	// To is a release, or STORE:MIGRATION[.STEP]. "": the newest release, or
	// everything where no releases are declared.
	To      string
	Offline bool // permit steps that want all writers stopped
	// Fleet is what runs, by component, for which the caller vouches. What holds a
	// live lease counts beside it. A component that is not named here, and of which
	// neither leases nor an attestation tell, is taken to run the oldest listed
	// release.
	Fleet map[string][]string
}

// way is a plan with all that it was made of.
type way struct {
	target Target
	cat    plan.Catalogue
	index  *files.Index
	state  plan.State
	goal   plan.Goal
	plan   plan.Plan
	sights []*sight
	notes  []string
	seen   []string // releases that the books name as running

	cutOver   bool // apply --switch: the instances to switch to wait in their gates
	sweep     bool // apply --sweep: what was verified is asked again
	shutOut   bool // cleanup: logins of older releases are shut out before a contract
	emptyOnly bool // init: stores that are in use are left as they are
}

// way computes the plan from what was seen of the stores.
func (a *App) way(ctx context.Context, sights []*sight, target Target) (*way, error) {
	w := &way{target: target, sights: sights}
	w.seen = w.seenReleases()
	if err := a.catalogue(w); err != nil {
		return nil, err
	}
	w.state = a.ledgers(sights)
	w.floors()
	if err := a.fleet(w); err != nil {
		return nil, err
	}
	if err := a.aim(w); err != nil {
		return nil, err
	}
	if err := a.predicates(ctx, w); err != nil {
		return nil, err
	}
	made, err := plan.Make(w.cat, w.state, w.goal)
	if err != nil {
		return nil, a.explainPlan(err)
	}
	w.plan = made
	return w, nil
}

// catalogue resolves what is declared, with the releases that the target and the
// fleet name.
func (a *App) catalogue(w *way) error {
	extra := slices.Clone(w.seen)
	if w.target.To != "" && !strings.Contains(w.target.To, ":") {
		extra = append(extra, w.target.To)
	}
	for _, releases := range w.target.Fleet {
		extra = append(extra, releases...)
	}
	for _, s := range w.sights {
		for _, line := range s.strangers() {
			extra = append(extra, floorsOf(line)...)
		}
		if s.books == nil {
			continue
		}
		if counts, _ := s.books.Proposed(); counts != nil {
			extra = append(extra, floorsOf(counts.Line())...)
		}
	}
	gates := w.gates(extra)
	extra = append(extra, gates...)
	slices.Sort(extra)
	cat, index, problems := a.project.Catalogue(slices.Compact(extra)...)
	var faults []files.Problem
	for _, p := range problems {
		if !p.Note && (p.Extra == "" || !slices.Contains(gates, p.Extra)) {
			faults = append(faults, p)
		}
	}
	if len(faults) > 0 {
		return &files.Problems{List: faults}
	}
	w.cat, w.index = cat, index
	return nil
}

// ledgers gives what is done and begun, of the steps that the catalogue knows.
func (a *App) ledgers(sights []*sight) plan.State {
	lines := 0
	for _, s := range sights {
		if s.books != nil {
			lines += len(s.books.Lines)
		}
	}
	state := plan.State{Done: make(map[plan.StepID]bool, lines), Begun: map[plan.StepID]bool{}, Fleet: map[string][]int{}}
	for _, s := range sights {
		if s.books == nil {
			continue
		}
		for _, line := range s.books.Lines {
			id := line.ID(s.name)
			if a.steps[id] == nil {
				continue
			}
			if line.IsDone() {
				state.Done[id] = true
			} else if line.IsBegun() {
				state.Begun[id] = true
			}
		}
	}
	return state
}

// floors adds those that steps without a file have put in force.
func (w *way) floors() {
	for _, s := range w.sights {
		for _, line := range s.strangers() {
			for role, id := range map[plan.Role]string{plan.ReadWrite: line.Writers, plan.ReadOnly: line.Readers} {
				if at, known := w.index.At(id); id != "" && known && !w.cat.Implicit {
					w.state.Floors = append(w.state.Floors, plan.Floor{Store: s.name, Role: role, Release: at, Because: line.ID(s.name).String()})
				}
			}
		}
	}
	w.sortFloors()
}

func (w *way) sortFloors() {
	slices.SortFunc(w.state.Floors, func(x, y plan.Floor) int {
		return cmp.Or(strings.Compare(x.Store, y.Store), strings.Compare(x.Because, y.Because), cmp.Compare(x.Role, y.Role))
	})
}

func floorsOf(line book.Line) []string {
	var ids []string
	for _, id := range []string{line.Writers, line.Readers} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// untouched tells whether a store is empty or being made: no old release can be
// using it.
func (s *sight) untouched() bool {
	switch {
	case s.books == nil:
		return false
	case s.stamped():
		return s.fresh()
	}
	return s.survey != nil && s.survey.Empty
}

// aim reads the target.
func (a *App) aim(w *way) error {
	to := w.target.To
	w.goal = plan.Goal{Release: plan.NoRelease, Offline: w.target.Offline}
	if strings.Contains(to, ":") {
		id, err := a.named(w, to)
		if err != nil {
			return err
		}
		w.goal.Step = id
		return nil
	}
	if to == "" || w.cat.Implicit {
		if to != "" && to != "head" {
			return misuse(fmt.Sprintf("there is no release %q: stopover.yaml lists none", to), a.cmd("plan"), a.cmd("plan --to "+a.exampleAnywhere()))
		}
		w.goal.Release = newestRelease(w.cat)
		return nil
	}
	at, known := w.index.At(to)
	if !known {
		return misuse(fmt.Sprintf("there is no release %q; the newest are %s", to, strings.Join(w.index.Newest(5), ", ")), a.cmd("plan"))
	}
	w.goal.Release = at
	if w.cat.Releases[at].Unlisted {
		w.notes = append(w.notes, fmt.Sprintf("release %s is not listed: it is taken to need what the nearest listed one below it needs", to))
	}
	return nil
}

// named finds the migration or step that a target names.
func (a *App) named(w *way, target string) (plan.StepID, error) {
	id, err := w.index.Step(target)
	if err == nil {
		return id, nil
	}
	f := explainOther(err)
	f.Exit, f.Next = ExitUsage, []string{a.cmd("list")}
	return id, f
}

func (a *App) exampleAnywhere() string {
	if len(a.stores) == 0 {
		return "STORE:MIGRATION"
	}
	return a.exampleTarget(a.stores[0].name)
}

// newestRelease is the newest that is listed and not withdrawn.
func newestRelease(cat plan.Catalogue) int {
	for i := len(cat.Releases) - 1; i >= 0; i-- {
		if r := cat.Releases[i]; !r.Withdrawn && !r.Unlisted {
			return i
		}
	}
	return len(cat.Releases) - 1
}

func findSight(sights []*sight, name string) *sight {
	for _, s := range sights {
		if s.name == name {
			return s
		}
	}
	return nil
}

// explainPlan explains why no plan could even be tried.
func (a *App) explainPlan(err error) *Failure {
	var state *plan.StateError
	if errors.As(err, &state) {
		return refuse(state.Because, a.cmd("status"))
	}
	var goal *plan.GoalError
	if errors.As(err, &goal) {
		return refuse(goal.Because, a.cmd("status"), a.cmd("list"))
	}
	return &Failure{Exit: ExitUsage, Next: []string{a.cmd("lint")}, Err: err,
		Detail: wire.Error{Kind: wire.KindCatalogue, Message: err.Error(), Safe: nothingChanged}}
}

// document writes the plan as it is shown and saved.
func (a *App) document(ctx context.Context, w *way, withSQL bool) (*wire.Plan, error) {
	known := wire.Known{Begun: w.state.Begun, Program: a.cfg.Program + a.cfg.flags(),
		Estimates: map[plan.StepID]wire.Estimate{}, Statements: map[plan.StepID][]wire.SQLPart{}}
	for i, id := range w.plan.StepIDs() {
		s := a.steps[id]
		if s == nil {
			continue
		}
		if err := a.foresee(ctx, w, s, i, known, withSQL); err != nil {
			return nil, err
		}
	}
	doc := wire.FromPlan(w.cat, w.plan, known)
	for _, skip := range w.skipped("") {
		doc.Notes = append(doc.Notes, "not applicable: "+skip)
	}
	doc.Notes = append(append(doc.Notes, w.notes...), a.fenceNotes(w)...)
	doc.Inputs = a.inputs(w, doc.Inputs.Fleet)
	return doc, nil
}

// foresee adds the estimate of a step, the plan's at-th, and, if they are wanted,
// its statements.
func (a *App) foresee(ctx context.Context, w *way, s *step, at int, known wire.Known, withSQL bool) error {
	backfill := s.id.Kind == plan.Backfill
	estimator := a.estimator(w, s, at)
	if !withSQL && estimator == nil {
		return nil
	}
	parsed, err := a.parse(s)
	if err != nil && !withSQL && !backfill {
		return nil //nolint:nilerr // a forecast is a courtesy; lint and the run itself name the fault
	}
	if err != nil {
		return err
	}
	if estimator != nil {
		if e, err := estimator.Estimate(ctx, parsed.Action); err == nil && (backfill || e.Note != "") {
			known.Estimates[s.id] = wire.Estimate{Seconds: e.Took.Seconds(), Rows: e.Rows, Bytes: e.Bytes, Log: e.Log, Memory: e.Memory, Note: e.Note}
		}
	}
	if withSQL {
		for _, statement := range parsed.Action.Statements() {
			known.Statements[s.id] = append(known.Statements[s.id], wire.SQLPart{
				File: s.migration.File, Line: statement.Line, Alone: statement.Alone, Text: statement.Text})
		}
	}
	return nil
}

// foreseenSteps is how many steps of a plan are looked into for an estimate,
// besides backfills: each costs a trip.
const foreseenSteps = 100

// estimator is what foresees the cost of a step; nil: nothing need be foreseen. A
// store that is being made has no rows yet.
func (a *App) estimator(w *way, s *step, at int) store.Estimator {
	seen := findSight(w.sights, s.id.Store)
	if seen == nil || seen.st == nil {
		return nil
	}
	if s.id.Kind != plan.Backfill && (s.id.Kind == plan.Verify || seen.untouched() || at >= foreseenSteps) {
		return nil
	}
	estimator, _ := store.As[store.Estimator](seen.st)
	return estimator
}

// inputs are what the plan was made of, so that apply can tell whether it still
// fits.
func (a *App) inputs(w *way, fleet []wire.Running) wire.Inputs {
	in := wire.Inputs{Catalogue: sumOf(w.cat.Components, w.cat.Releases, w.cat.Soak), Fleet: fleet,
		Stores: []wire.InputStore{}, Steps: []wire.InputStep{}}
	for _, s := range w.sights {
		position, _ := plan.Position(w.cat, w.state, s.name)
		shown := wire.InputStore{Name: s.name, Position: position, Place: placeOf(s.st)}
		if s.books != nil {
			shown.Sum = ledgerSum(s.books)
		}
		in.Stores = append(in.Stores, shown)
	}
	for _, id := range w.plan.StepIDs() {
		if s := a.steps[id]; s != nil {
			in.Steps = append(in.Steps, wire.InputStep{Step: id.Ref(), Sum: sumOf(s.section.Sum, s.section.Writers, s.section.Readers,
				s.section.Needs, s.section.Requires, s.section.Each, s.section.Offline, s.section.When)})
		}
	}
	return in.Seal()
}

// ledgerSum is over whose books they are and what they say is done or begun.
func ledgerSum(books *book.State) string {
	lines := make([]string, 0, len(books.Lines)+1)
	for key, line := range books.Lines {
		lines = append(lines, fmt.Sprintf("%s.%s %t %t %s %d", key.Migration, key.Kind, line.IsDone(), line.IsBegun(), line.Sum, len(line.Finished)))
	}
	slices.Sort(lines)
	// Books that were only made say no more than none: whoever carries a plan out
	// on an empty store makes them first.
	if books.Stamp != nil && len(lines) > 0 {
		lines = append(lines, books.Stamp.ID)
	}
	return sumOf(lines)
}

func sumOf(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		panic(fmt.Sprintf("stopover: encode inputs: %v", err)) // plain values only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// timeLimit reads --until: a time of day, a duration, or a moment.
func timeLimit(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	if moment, err := time.Parse(time.RFC3339, text); err == nil {
		return moment, nil
	}
	if clock, err := time.Parse("15:04", text); err == nil {
		limit := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, now.Location())
		if !limit.After(now) {
			limit = limit.AddDate(0, 0, 1)
		}
		return limit, nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 06:00, 2h or 2026-11-20T06:00:00Z", text)
}
