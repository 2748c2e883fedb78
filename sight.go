package stopover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// sight is what was seen of one store at one moment, held against the
// catalogue.
type sight struct {
	*place
	st     store.Store
	books  *book.State
	survey *store.Survey // asked only where the books do not tell enough
	err    error         // nothing else was seen

	missing []book.Line   // done or begun, without a file
	newer   []book.Line   // the same, from a newer release
	edited  []plan.StepID // done, with another checksum
	late    []plan.StepID // pending, though a later migration has begun
}

// look reads the books of all stores, one trip each, side by side.
func (a *App) look(ctx context.Context) []*sight {
	sights := make([]*sight, len(a.stores))
	var wait sync.WaitGroup
	for i, p := range a.stores {
		wait.Go(func() { sights[i] = a.lookAt(ctx, p) })
	}
	wait.Wait()
	return sights
}

func (a *App) lookAt(ctx context.Context, p *place) *sight {
	s := &sight{place: p}
	if s.st, s.err = a.connect(ctx, p); s.err != nil {
		return s
	}
	if s.books, s.err = book.Read(ctx, s.st); s.err != nil {
		return s
	}
	a.judge(s)
	return s
}

// surveyed asks the store to describe itself, once.
func (s *sight) surveyed(ctx context.Context) (store.Survey, error) {
	if s.survey == nil {
		survey, err := s.st.Survey(ctx)
		if err != nil {
			return survey, err
		}
		s.survey = &survey
	}
	return *s.survey, nil
}

// stamped tells whether the store is already ours.
func (s *sight) stamped() bool { return s.books.Stamp != nil }

// fresh tells whether the store was empty when Stopover came to it and its first
// run has not ended.
func (s *sight) fresh() bool { return s.stamped() && s.books.Stamp.Fresh }

// strangers are the lines of steps that no file has.
func (s *sight) strangers() []book.Line { return slices.Concat(s.missing, s.newer) }

// judge holds the ledger against the catalogue.
func (a *App) judge(s *sight) {
	newest := a.newestName(s.name)
	last := ""
	for key, line := range s.books.Lines {
		id := line.ID(s.name)
		known := a.steps[id]
		switch {
		case line.Reversed.IsZero() && known == nil && newest != "" && files.CompareNames(line.Migration, newest) > 0:
			s.newer = append(s.newer, line)
		case line.Reversed.IsZero() && known == nil:
			s.missing = append(s.missing, line)
		case known != nil && line.IsDone() && line.Sum != "" && line.Sum != known.section.Sum:
			s.edited = append(s.edited, id)
		}
		if known != nil && key.Kind != plan.Contract && line.Reversed.IsZero() && (last == "" || files.CompareNames(line.Migration, last) > 0) {
			last = line.Migration
		}
	}
	if last != "" {
		s.late = a.overtaken(s, last)
	}
	slices.SortFunc(s.missing, compareLines)
	slices.SortFunc(s.newer, compareLines)
	slices.SortFunc(s.edited, compareIDs)
}

// overtaken lists the migrations of which nothing was done though a later one,
// last, has begun.
func (a *App) overtaken(s *sight, last string) []plan.StepID {
	var late []plan.StepID
	for i := range a.project.Migrations {
		m := &a.project.Migrations[i]
		if m.Store != s.name || files.CompareNames(m.Name, last) >= 0 || !startsAnew(m) {
			continue
		}
		touched := false
		for j := range m.Sections {
			line, found := s.books.Lines[book.Step{Migration: m.Name, Kind: m.Sections[j].Kind}]
			touched = touched || found && line.Reversed.IsZero()
		}
		if !touched {
			late = append(late, plan.StepID{Store: s.name, Migration: m.Name, Kind: m.Sections[0].Kind})
		}
	}
	return late
}

// startsAnew tells whether a migration has its turn in the order of names: a
// contract stands apart from it, and what asks a predicate first may come later.
func startsAnew(m *files.Migration) bool {
	for i := range m.Sections {
		if s := &m.Sections[i]; !s.Undo && s.Kind != plan.Contract {
			return s.When == ""
		}
	}
	return false
}

func (a *App) newestName(storeName string) string {
	newest := ""
	for i := range a.project.Migrations {
		if m := &a.project.Migrations[i]; m.Store == storeName && (newest == "" || files.CompareNames(m.Name, newest) > 0) {
			newest = m.Name
		}
	}
	return newest
}

func compareLines(x, y book.Line) int {
	return compareIDs(x.ID(""), y.ID(""))
}

func compareIDs(x, y plan.StepID) int {
	if c := files.CompareNames(x.Migration, y.Migration); c != 0 {
		return c
	}
	return int(x.Kind) - int(y.Kind)
}

// trouble is why a store must not be changed at all; nil: nothing stands
// against it. Everything that does is named before anything runs.
func (a *App) trouble(s *sight) *Failure {
	switch {
	case s.err != nil:
		return a.unseen(s)
	case a.foreign(s):
		return a.foreignTo(s)
	case len(s.newer) > 0:
		return a.newerThan(s)
	case len(s.missing) > 0:
		f := refuse(fmt.Sprintf("the ledger has %s without a file", plural(int64(len(s.missing)), "step")), a.cmd("list"))
		f.Detail.Kind, f.Detail.Store = "edited", s.name
		for _, line := range s.missing {
			f.Detail.Evidence = append(f.Detail.Evidence, fmt.Sprintf("%s, done %s by %s", line.ID(s.name), day(line.Done), line.Operator))
		}
		f.Detail.Hint = "put the file back, or run the catalogue that has it"
		return f
	case len(s.edited) > 0:
		f := refuse(fmt.Sprintf("%s changed after being applied", plural(int64(len(s.edited)), "step")), a.cmd("list"))
		f.Detail.Kind, f.Detail.Store = "edited", s.name
		for _, id := range s.edited {
			f.Detail.Evidence = append(f.Detail.Evidence, a.placeOf(id)+": "+id.String())
		}
		f.Detail.Hint = "put the files back as they were, and write what should change as a new migration"
		return f
	case len(s.late) > 0:
		f := refuse(fmt.Sprintf("%s older than what is applied already, and not applied", plural(int64(len(s.late)), "migration")), a.cmd("list"))
		f.Detail.Store = s.name
		for _, id := range s.late {
			f.Detail.Evidence = append(f.Detail.Evidence, a.placeOf(id)+": "+id.Store+" "+id.Migration)
		}
		f.Detail.Hint = "give it a number behind the newest applied one: it has run nowhere here"
		return f
	}
	return nil
}

// unnamed is what an application goes by whose catalogue gives it no name.
const unnamed = "app"

// foreign tells whether the store was stamped by another application. Where
// either has no name of its own, nobody can tell.
func (a *App) foreign(s *sight) bool {
	if !s.stamped() {
		return false
	}
	owner, we := s.books.Stamp.Application, a.project.Application
	return owner != we && owner != "" && owner != unnamed && we != "" && we != unnamed
}

// foreignTo is why a store of another application is left alone: the ledger of
// one tells nothing about the migrations of the other, though names may agree.
func (a *App) foreignTo(s *sight) *Failure {
	f := refuse(fmt.Sprintf("the store belongs to the application %q, and %s is that of %q",
		s.books.Stamp.Application, a.project.File, a.project.Application), a.cmd("status"))
	f.Detail.Hint = fmt.Sprintf("look at the url; if it is the right store, write `application: %s`, by which it was stamped", s.books.Stamp.Application)
	return f.in(s.name)
}

func (a *App) newerThan(s *sight) *Failure {
	f := &Failure{Exit: ExitNewer, Next: []string{a.cmd("check"), a.cmd("status")}}
	f.Detail.Kind, f.Detail.Store = "newer", s.name
	f.Detail.Message = fmt.Sprintf("the store is newer than this catalogue: %s that it does not know", plural(int64(len(s.newer)), "step"))
	for _, line := range s.newer {
		f.Detail.Evidence = append(f.Detail.Evidence, fmt.Sprintf("%s, %s by %s%s", line.ID(s.name), day(line.Begun), line.Operator, ofRelease(line.Release)))
	}
	f.Detail.Safe = nothingChanged
	f.Detail.Hint = "use the catalogue of the release that did it"
	return f
}

func ofRelease(release string) string {
	if release == "" {
		return ""
	}
	return " with release " + release
}

// placeOf names the file and line of a step.
func (a *App) placeOf(id plan.StepID) string {
	s := a.steps[id]
	if s == nil {
		return id.String()
	}
	if s.section.Directive == 0 {
		return s.migration.File
	}
	return fmt.Sprintf("%s:%d", s.migration.File, s.section.Directive)
}

// unadopted is why a store that is not ours and not empty is left alone.
func (a *App) unadopted(s *sight, survey store.Survey) *Failure {
	f := undecided("the store has data and no books: whether it is at some release already, only you can tell", survey.Evidence,
		a.cmd("adopt --at "+a.exampleTarget(s.name)+" --store "+s.name), a.cmd("init --store "+s.name))
	f.Detail.Hint = "adopt records where it stands and runs nothing; init is for a store that is empty: drop what is there first if it may go"
	return f.in(s.name)
}

func (a *App) exampleTarget(storeName string) string {
	if newest := a.newestName(storeName); newest != "" {
		return storeName + ":" + newest
	}
	return storeName + ":NAME"
}

// unseen is why a store could not even be looked at. Nothing has been done to it
// by then.
func (a *App) unseen(s *sight) *Failure {
	f := a.explain(s.name, s.err)
	if f.Detail.Kind != wire.KindUnreachable && f.Detail.Kind != wire.KindRights {
		return f
	}
	f.Detail.Safe = nothingChanged
	if f.Detail.Kind == wire.KindUnreachable {
		f.Next = nil
		f.Detail.Hint = "look at the url of the store, and whether it is up"
		if s.decl.Line > 0 {
			f.Detail.Hint = fmt.Sprintf("look at the url in %s:%d, and whether the store is up", a.project.File, s.decl.Line)
		}
	}
	return f
}

// firstUnseen is the failure of the first store that could not be looked at;
// nil: all could.
func (a *App) firstUnseen(sights []*sight) error {
	for _, s := range sights {
		if s.err == nil {
			continue
		}
		f := a.unseen(s)
		if f.Detail.Kind != wire.KindUnreachable || a.cfg.Only != "" {
			return f
		}
		for _, other := range sights {
			if other.err == nil { // what does not need the one that is down can go on
				f.Next = append(f.Next, a.cmd("plan")+" --store "+other.name)
			}
		}
		return f
	}
	return nil
}

var errNoStores = errors.New("the catalogue names no store")
