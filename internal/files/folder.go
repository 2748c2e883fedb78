package files

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// loadMigrations reads the files of all stores.
func (p *Project) loadMigrations() []Problem {
	var problems []Problem
	for i := range p.Stores {
		s := &p.Stores[i]
		if s.Migrations == "" {
			continue
		}
		found, wrong := p.loadFolder(s)
		p.Migrations = append(p.Migrations, found...)
		problems = append(problems, wrong...)
	}
	return problems
}

// loadFolder reads the migrations of one store, ordered by name.
func (p *Project) loadFolder(s *Store) ([]Migration, []Problem) {
	w := folderWalk{p: p, store: s.Name}
	w.walk(s.Migrations)
	if len(w.problems) > 0 {
		return nil, w.problems
	}
	found := w.found
	slices.SortFunc(found, func(a, b entry) int {
		if c := CompareNames(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.path, b.path)
	})
	migrations := make([]Migration, len(found))
	for i, e := range found {
		migrations[i] = Migration{Store: s.Name, Name: e.name, File: shown(p.Dir, e.path)}
		if i > 0 && found[i-1].name == e.name {
			w.problem(e.path, "rename one: the name is what the ledger knows a migration by", "a second migration "+e.name+", the first is "+shown(p.Dir, found[i-1].path))
		}
	}
	w.problems = append(w.problems, p.read(found, migrations)...)
	return migrations, w.problems
}

// entry is a file of a migration before it is read.
type entry struct{ path, name string }

// folderWalk collects the files below a folder.
type folderWalk struct {
	p        *Project
	store    string
	found    []entry
	problems []Problem
}

func (w *folderWalk) problem(file, next, message string) {
	w.problems = append(w.problems, Problem{Place: Place{File: shown(w.p.Dir, file)}, Message: message, Next: next})
}

func (w *folderWalk) walk(dir string) {
	entries, err := fs.ReadDir(w.p.fsys, dir)
	if err != nil {
		w.problem(dir, "", "the folder cannot be read: "+reason(err))
		return
	}
	for _, e := range entries {
		name := e.Name()
		switch full := path.Join(dir, name); {
		case name[0] == '.':
		case e.IsDir():
			w.walk(full)
		case strings.HasPrefix(strings.ToUpper(name), "README") || strings.EqualFold(path.Ext(name), ".md"):
		default:
			w.file(full, name)
		}
	}
}

// file takes one file, or says why it cannot be a migration.
func (w *folderWalk) file(full, name string) {
	ext := path.Ext(name)
	bare := strings.TrimSuffix(name, ext)
	switch {
	case ext == ".yml":
		w.problem(full, "rename it to "+bare+".yaml", "no file of a migration")
	case ext != ".sql" && ext != ".yaml":
		w.problem(full, "move it elsewhere, or begin its name with a dot", "no file of a migration: those end in .sql or .yaml")
	default:
		if fault := checkName(bare); fault != "" {
			w.problem(full, "rename the file", fault)
			return
		}
		w.found = append(w.found, entry{path: full, name: bare})
	}
}

// read reads the files into the migrations of the same index. One after the
// other: readers side by side would wait for each other in the kernel, at the
// table of open files and at the folder.
func (p *Project) read(found []entry, into []Migration) []Problem {
	reader := textReader{fsys: p.fsys}
	var problems []Problem
	for i := range found {
		problems = append(problems, readOne(&reader, found[i], &into[i])...)
	}
	return problems
}

func readOne(reader *textReader, e entry, m *Migration) []Problem {
	text, err := reader.text(e.path)
	if err != nil {
		return []Problem{{Place: Place{File: m.File}, Message: "cannot be read: " + reason(err)}}
	}
	if strings.HasSuffix(e.path, ".yaml") {
		return parseYAML(m, []byte(text))
	}
	return parseSQL(m, text)
}
