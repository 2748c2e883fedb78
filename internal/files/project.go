// Package files reads what the developers of an application write:
// stopover.yaml, .env and the files of migrations. It does not open stores,
// understand statements or decide what may run.
//
// The invariant: what a file says is taken as text and with its place. A
// number is never rounded, a URL is expanded only when it is asked for, and
// every complaint names file and line.
package files

import (
	"io/fs"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/plan"
)

// ConfigName is the name of the file that describes a project.
const ConfigName = "stopover.yaml"

// Project is an application as its files describe it.
type Project struct {
	File        string // stopover.yaml as shown to people; "" where there is none
	Dir         string // its folder on this machine, as shown to people
	Application string

	Stores     []Store     // in the order of the file
	Components []Component // the same
	Releases   []Release   // the same; Catalogue orders them
	Migrations []Migration // by store, then in the order of their names

	Soak           time.Duration     // least time between the last rollout and a contract; 0: none
	BeforeNoReturn string            // command run before a point of no return; "" none
	Roll           map[string]string // command that rolls a component
	Notify         string            // command that is told how a changing command ended; "" none
	Scratch        string            // URL of a server on which lint makes scratch stores; may contain ${..}

	given map[string]string // settings that the file sets, as written, by name
	fsys  fs.FS
}

// Store is one owned data store. URL, DirectURL and LeaseURL are as written, see
// Project.Expand.
type Store struct {
	Name       string
	Kind       string // "": told by the URL's scheme
	URL        string
	Schema     string
	Prefix     string
	DirectURL  string // around a pooler, for work that needs a session
	LeaseURL   string // by which instances keep their leases, where URL's login may only read
	Role       string // that owns what migrations make
	Migrations string // folder below the project's; "" none
	Ignore     []string
	Fences     map[string]FenceRule // by component
	Options    map[string]string    // keys that only the store's kind knows
	Line       int                  // in stopover.yaml; 0: no file
}

// FenceRule says by what the writers of a release are known to the store: one of
// the two is given, with {release} in it.
type FenceRule struct {
	Login string // of the store; what is no letter or digit in a release becomes _
	Name  string // beginning of the names of its sessions
}

// LoginOf is the login of a release.
func (f FenceRule) LoginOf(release string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, release)
	return strings.ReplaceAll(f.Login, releasePart, plain)
}

// NameOf is what the names of a release's sessions begin with.
func (f FenceRule) NameOf(release string) string {
	return strings.ReplaceAll(f.Name, releasePart, release)
}

// releasePart stands for the release in a FenceRule.
const releasePart = "{release}"

// Component is one deployable part of the application.
type Component struct {
	Name string
	Uses map[string]plan.Role // by store
	Line int
}

// Release is one entry of the list of releases, ids as written.
type Release struct {
	ID        string
	Withdrawn bool
	Peers     []Peer
	Line      string // side branch; "": the main line
	Base      string // release at which the branch was cut; "": the nearest below on the main line
	Contains  []string
	Place     Place
}

// Peer is a release's condition on another component.
type Peer struct {
	Component string
	AtLeast   string
	Place     Place
}

// Migration is a named unit of one store. Its name is its identity.
type Migration struct {
	Store    string
	Name     string
	File     string   // as shown to people; for one in Go where it is made
	After    []string // names that must stand before it, as written
	Line     int      // of the directive that says so; 0: none
	Sections []Section
}

// Section is one step of a migration, or the reversal of one.
type Section struct {
	Kind plan.Kind
	Undo bool

	Directive int    // line of its directive
	Line      int    // line of the first line of Text
	Text      string // as in the file
	Sum       string // over the statements, see sum.go

	Each        bool
	Offline     bool
	Writers     string // a release; "": unchanged
	Readers     string
	Needs       string
	Table       string
	Requires    []string      // STORE:MIGRATION[.STEP]; without STORE: the same store
	When        string        // a mapping as JSON in one line
	WhenLine    int           // in the file; 0: that of the directive
	LockTimeout time.Duration // 0: the store's default

	Mirrors []Mirror // of an expand
	// Derived: the text follows from the migration's mirrors, nobody wrote it.
	Derived bool
}

// Name gives the section as it is written in a directive: "undo-expand".
func (s *Section) Name() string {
	if s.Undo {
		return "undo-" + s.Kind.String()
	}
	return s.Kind.String()
}

// Section finds a section by kind; nil: the migration has none.
func (m *Migration) Section(kind plan.Kind, undo bool) *Section {
	for i := range m.Sections {
		if s := &m.Sections[i]; s.Kind == kind && s.Undo == undo {
			return s
		}
	}
	return nil
}

// Store finds a store by name.
func (p *Project) Store(name string) (*Store, bool) {
	for i := range p.Stores {
		if p.Stores[i].Name == name {
			return &p.Stores[i], true
		}
	}
	return nil, false
}

// Given gives the settings that stopover.yaml sets, as written, by name. They
// are the layer above the defaults, see Layers.
func (p *Project) Given() map[string]string { return p.given }
