package stopover

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/store"
)

// load reads the project, from its stopover.yaml or, where a URL was given and
// there is none, from its folder of migrations alone.
func (a *App) load() (*files.Project, error) {
	name := a.cfg.File
	if name == "" {
		name = files.ConfigName
	}
	shown := filepath.ToSlash(filepath.Join(a.cfg.Dir, name))
	var project *files.Project
	var err error
	if a.cfg.URL != "" {
		project, err = files.Implicit(a.cfg.Files, a.cfg.Dir, a.cfg.URL, a.cfg.MigrationsDir)
	} else {
		project, err = files.Load(a.cfg.Files, shown)
	}
	if err != nil {
		return nil, err
	}
	dotenv, err := files.DotEnv(a.cfg.Files)
	if err != nil {
		return nil, err
	}
	a.lookup = files.Layers{Env: a.cfg.Lookup, DotEnv: dotenv}.Variable
	return project, nil
}

// addGo puts the migrations in Go among those from files.
func (a *App) addGo() error {
	for _, m := range a.cfg.Migrations {
		if _, known := a.project.Store(m.Store); !known {
			return &ConfigError{fmt.Sprintf("the migration %s in Go is for the store %q, which %s does not name", m.Name, m.Store, a.project.File)}
		}
		decl := files.Migration{Store: m.Store, Name: m.Name, File: "Go migration " + m.Name, After: m.After}
		for _, s := range m.Steps {
			decl.Sections = append(decl.Sections, files.Section{Kind: s.Kind, Undo: s.Undo, Sum: "go:" + s.Version,
				Offline: s.Offline, Writers: s.Writers, Readers: s.Readers, Needs: s.Needs, Requires: s.Requires})
		}
		slices.SortStableFunc(decl.Sections, func(x, y files.Section) int { return int(x.Kind) - int(y.Kind) })
		for i := range a.project.Migrations {
			if other := &a.project.Migrations[i]; other.Store == m.Store && other.Name == m.Name {
				return &ConfigError{fmt.Sprintf("two migrations of store %s have the name %s: %s and one in Go", m.Store, m.Name, other.File)}
			}
		}
		a.project.Migrations = append(a.project.Migrations, decl)
	}
	slices.SortStableFunc(a.project.Migrations, func(x, y files.Migration) int {
		if x.Store != y.Store {
			return strings.Compare(x.Store, y.Store)
		}
		return files.CompareNames(x.Name, y.Name)
	})
	return nil
}

// kindOf finds the kind of a store: the one that is named, else the one that
// its URL's scheme tells. A URL that is a variable is expanded for that.
func (a *App) kindOf(decl files.Store) (store.Kind, error) {
	if decl.Kind != "" {
		for _, kind := range a.cfg.Kinds {
			if kind.Name == decl.Kind {
				return kind, nil
			}
		}
		return store.Kind{}, a.misfit(decl, fmt.Sprintf("unknown kind %q", decl.Kind))
	}
	raw := decl.URL
	if strings.Contains(raw, "${") {
		// Commands that open no store work without the variables: then the kind of
		// such a store is the one whose scheme the text names, or the first.
		expanded, err := a.project.Expand(decl.Name, a.lookup)
		if err != nil {
			return a.guess(raw), nil
		}
		raw = expanded.URL
	}
	scheme, isURL := schemeOf(raw)
	for _, kind := range a.cfg.Kinds {
		if slices.Contains(kind.Schemes, scheme) {
			return kind, nil
		}
	}
	if !isURL && raw != "" {
		return store.Kind{}, a.misfit(decl, "its url has no scheme")
	}
	return store.Kind{}, a.misfit(decl, fmt.Sprintf("nothing here opens %s:// URLs", scheme))
}

// guess names the likeliest kind of a store whose URL is not known.
func (a *App) guess(raw string) store.Kind {
	for _, kind := range a.cfg.Kinds {
		for _, scheme := range kind.Schemes {
			if strings.HasPrefix(raw, scheme+":") {
				return kind
			}
		}
	}
	if len(a.cfg.Kinds) == 0 {
		return store.Kind{}
	}
	return a.cfg.Kinds[0]
}

// misfit is the error of a store that nothing can open. It shows no URL.
func (a *App) misfit(decl files.Store, what string) error {
	var known []string
	for _, kind := range a.cfg.Kinds {
		known = append(known, fmt.Sprintf("%s (%s:)", kind.Name, strings.Join(kind.Schemes, ":, ")))
	}
	return &files.Problems{List: []files.Problem{{
		Place:   files.Place{File: a.project.File, Line: decl.Line},
		Message: fmt.Sprintf("store %s: %s", decl.Name, what),
		Next:    "this program opens " + strings.Join(known, ", "),
	}}}
}

// schemeOf gives a URL's scheme, also where the rest cannot be parsed.
func schemeOf(raw string) (string, bool) {
	if parsed, err := url.Parse(raw); err == nil && parsed.Scheme != "" {
		return strings.ToLower(parsed.Scheme), true
	}
	scheme, _, found := strings.Cut(raw, ":")
	if !found || strings.ContainsAny(scheme, "/\\. ") {
		return "", false
	}
	return strings.ToLower(scheme), true
}

// settings puts a store's variables in. They hold secrets and go to the kind
// only.
func (a *App) settings(p *place) (store.Settings, error) {
	expanded, err := a.project.Expand(p.name, a.lookup)
	if err != nil {
		return store.Settings{}, err
	}
	if p.forLeases {
		if expanded.URL, err = a.project.ExpandText("store "+p.name+": lease_url", p.decl.LeaseURL, a.lookup); err != nil {
			return store.Settings{}, err
		}
		delete(expanded.Options, "direct_url")
		delete(expanded.Options, "role")
	}
	return store.Settings{Name: p.name, URL: expanded.URL, Options: expanded.Options, Dir: a.cfg.Dir}, nil
}
