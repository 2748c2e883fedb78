// Package stopover takes the data stores that an application owns from any
// released version of the application to any later one, live or offline. It is
// what cmd/stopover runs, for applications that embed it.
//
// It joins what does not know each other: package plan decides in which order
// things may go, package store performs actions, and internal/book records
// them. The invariant: what is done was allowed by the plan rules, asked again
// just before, and is in the store's ledger if and only if it is in its data.
//
// An App is opened with a Config; its methods are the commands. Each gives the
// document that the command prints, also when it fails part of the way, and a
// *Failure that says what happened, what is safe and what to type next.
package stopover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"sync"

	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// App is an application with its catalogue, its migrations and its stores. The
// stores are connected to when they are first needed. Its methods may be
// called from several goroutines.
type App struct {
	cfg     Config
	project *files.Project
	stores  []*place // by name
	steps   map[plan.StepID]*step
	lookup  func(string) (string, bool) // the environment, then .env
}

// place is a store of the catalogue, opened when it is first needed.
type place struct {
	name string
	decl files.Store
	kind store.Kind
	lent store.Store // opened by the application; nil: by us

	leases    *place // the same store by the login of lease_url; nil: there is none
	forLeases bool   // this is that one

	mu   sync.Mutex
	open store.Store
}

// Open reads the catalogue and the migrations. It connects to nothing.
func Open(cfg Config) (*App, error) {
	cfg, err := cfg.ready()
	if err != nil {
		return nil, err
	}
	a := &App{cfg: cfg}
	if a.project, err = a.load(); err != nil {
		return nil, a.explain("", err)
	}
	if err := a.addGo(); err != nil {
		return nil, a.explain("", err)
	}
	if err := a.place(); err != nil {
		return nil, a.explain("", err)
	}
	a.index()
	return a, nil
}

// Close closes the stores that were opened, but not those that the application
// lent.
func (a *App) Close() error {
	var errs []error
	for _, p := range a.stores {
		errs = append(errs, p.close())
		if p.leases != nil {
			errs = append(errs, p.leases.close())
		}
	}
	return errors.Join(errs...)
}

func (p *place) close() (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open != nil && p.lent == nil {
		err = p.open.Close()
	}
	p.open = nil
	return err
}

// place finds the kind of every store.
func (a *App) place() error {
	for _, decl := range a.project.Stores {
		if a.cfg.Only != "" && decl.Name != a.cfg.Only {
			continue
		}
		p := &place{name: decl.Name, decl: decl, lent: a.cfg.Stores[decl.Name]}
		kind, err := a.kindOf(decl)
		if err != nil && (p.lent == nil || len(a.cfg.Kinds) != 1) {
			return err
		}
		if err != nil {
			kind = a.cfg.Kinds[0] // a store that is lent needs no URL to tell
		}
		p.kind = kind
		if decl.LeaseURL != "" {
			p.leases = &place{name: p.name, decl: decl, kind: kind, forLeases: true}
		}
		a.stores = append(a.stores, p)
	}
	slices.SortFunc(a.stores, func(x, y *place) int { return files.CompareNames(x.name, y.name) })
	if a.cfg.Only != "" && len(a.stores) == 0 {
		return misuse(fmt.Sprintf("there is no store %q in the catalogue", a.cfg.Only), a.cmd("status"))
	}
	return a.apart()
}

// apart refuses two stores of one server of which one has the keys of the other:
// they would be one, with the books of one. It goes by what the files say; the same
// server under two names it cannot see.
func (a *App) apart() error {
	for i, one := range a.project.Stores {
		for _, other := range a.project.Stores[:i] {
			if one.URL != other.URL || one.Prefix == "" || other.Prefix == "" ||
				!strings.HasPrefix(one.Prefix, other.Prefix) && !strings.HasPrefix(other.Prefix, one.Prefix) {
				continue
			}
			f := misuse(fmt.Sprintf("it has keys of the store %s, whose url is the same: of the prefixes %q and %q one begins with the other",
				other.Name, one.Prefix, other.Prefix), a.cmd("status")).in(one.Name)
			f.Detail.Kind, f.Detail.File, f.Detail.Line = wire.KindCatalogue, a.project.File, one.Line
			f.Detail.Hint = "give each a prefix of its own"
			return f
		}
	}
	return nil
}

func (a *App) store(name string) *place {
	for _, p := range a.stores {
		if p.name == name {
			return p
		}
	}
	return nil
}

// connect opens a store, once.
func (a *App) connect(ctx context.Context, p *place) (store.Store, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open != nil {
		return p.open, nil
	}
	if p.lent != nil {
		p.open = p.lent
		return p.open, nil
	}
	settings, err := a.settings(p)
	if err != nil {
		return nil, err
	}
	opened, err := p.kind.Open(ctx, settings)
	var gone *store.UnreachableError
	switch {
	case errors.As(err, &gone):
		return nil, err
	case err != nil: // it does not connect yet: what it refuses are the settings
		return nil, a.unusable(p, err)
	}
	p.open = opened
	return p.open, nil
}

// unusable is the failure of a store whose settings its kind refuses.
func (a *App) unusable(p *place, err error) *Failure {
	f := misuse(strings.TrimPrefix(err.Error(), "store "+p.name+": "), a.cmd("status")).in(p.name)
	f.Err, f.Detail.Kind, f.Detail.File, f.Detail.Line = err, wire.KindCatalogue, a.project.File, p.decl.Line
	return f
}

// operator is who does it, for the ledger.
func (a *App) operator() string {
	if a.cfg.Operator != "" {
		return a.cfg.Operator
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

func host() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// Kind gives the kind of a store of the catalogue.
func (a *App) Kind(storeName string) (store.Kind, bool) {
	if p := a.store(storeName); p != nil {
		return p.kind, true
	}
	return store.Kind{}, false
}

// StoreNames lists the stores of the catalogue in order.
func (a *App) StoreNames() []string { return a.storeNames() }
