package files

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/spelling"
)

//go:embed templates
var templates embed.FS

// Scaffold is a file to be written.
type Scaffold struct {
	Name    string // below the project's folder, with slashes
	Content string
}

// NewProject gives the files of a project to start from. kind is the kind of
// its first store: "sqlite" or another, whose URL then comes from the variable
// DATABASE_URL.
func NewProject(application, kind string) []Scaffold {
	url := "${DATABASE_URL}"
	if kind == "sqlite" {
		url = "sqlite:" + application + ".db"
	}
	fill := strings.NewReplacer("APPLICATION", strconv.Quote(application), "KIND", kind, "URL", strconv.Quote(url))
	return []Scaffold{
		{Name: ConfigName, Content: fill.Replace(template("stopover.yaml"))},
		{Name: "migrations/main/README.md", Content: template("README.md")},
		{Name: "migrations/main/0001_begin.sql", Content: template("begin.sql")},
	}
}

// NewMigration gives the file of the next migration of a store. name says what
// it does: "add currency" becomes 0043_add_currency. Its number is the highest
// one plus one, in the same width; where the newest number is a time, it is
// now, or one more than the newest if that is later. The error is a *Problems.
func NewMigration(p *Project, store, name string, now time.Time) ([]Scaffold, error) {
	s, found := p.Store(store)
	if !found {
		var known []string
		for _, s := range p.Stores {
			known = append(known, s.Name)
		}
		return nil, one(Problem{Message: "no store " + quote(store) + spelling.Meant(store, known)})
	}
	word := strings.Join(strings.Fields(name), "_")
	if word == "" {
		return nil, one(Problem{Message: "a migration wants a name", Next: "say what it does: add_currency"})
	}
	bare := nextNumber(p.names(store), now) + "_" + word
	if fault := checkName(bare); fault != "" {
		return nil, one(Problem{Message: quote(name) + ": " + fault})
	}
	folder := s.Migrations
	if folder == "" {
		folder = path.Join("migrations", store)
	}
	extension, content := ".sql", template("migration.sql")
	if p.writesYAML(s) {
		extension, content = ".yaml", template("migration.yaml")
	}
	return []Scaffold{{Name: path.Join(folder, bare+extension), Content: content}}, nil
}

func template(name string) string {
	data, err := templates.ReadFile("templates/" + name)
	if err != nil {
		panic(err) // part of the program
	}
	return string(data)
}

// names gives the names of a store's migrations in order.
func (p *Project) names(store string) []string {
	var names []string
	for i := range p.Migrations {
		if p.Migrations[i].Store == store {
			names = append(names, p.Migrations[i].Name)
		}
	}
	slices.SortFunc(names, CompareNames)
	return names
}

// writesYAML tells whether a store's migrations are written as YAML: as the
// newest one is, or, without one, as its kind has it.
func (p *Project) writesYAML(s *Store) bool {
	for i := len(p.Migrations) - 1; i >= 0; i-- {
		if m := &p.Migrations[i]; m.Store == s.Name && (strings.HasSuffix(m.File, ".sql") || strings.HasSuffix(m.File, ".yaml")) {
			return strings.HasSuffix(m.File, ".yaml")
		}
	}
	kind := s.Kind
	if kind == "" {
		kind, _, _ = strings.Cut(s.URL, ":")
	}
	return strings.HasPrefix(kind, "redis") || strings.HasPrefix(kind, "mongo") || kind == "${REDIS_URL}" || s.Prefix != ""
}

// nextNumber gives the number of the next migration.
func nextNumber(names []string, now time.Time) string {
	if len(names) == 0 {
		return "0001"
	}
	newest := digits(names[len(names)-1])
	after, err := strconv.ParseUint(newest, 10, 63)
	if err != nil {
		return "1" + strings.Repeat("0", len(newest)) // longer than any that counts
	}
	after++
	if stamp, isTime := stampLike(newest, now); isTime {
		after = max(after, stamp)
	}
	return fmt.Sprintf("%0*d", len(newest), after)
}

// stampLike writes the time as the newest number is written, if that is a
// time: 20260501120000, 202605011200, 20260501, or seconds since 1970.
func stampLike(newest string, now time.Time) (uint64, bool) {
	var text string
	now = now.UTC()
	for _, layout := range []string{"20060102150405", "200601021504", "20060102"} {
		if t, err := time.Parse(layout, newest); err == nil && len(newest) == len(layout) && t.Year() >= 1970 {
			text = now.Format(layout)
		}
	}
	if text == "" && len(newest) == 10 && newest[0] != '0' {
		text = strconv.FormatInt(now.Unix(), 10)
	}
	stamp, err := strconv.ParseUint(text, 10, 63)
	return stamp, err == nil
}
