package files

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
)

// Load reads a project. fsys is the project's folder; name is the path of its
// stopover.yaml on this machine, as people should see it: "shop/stopover.yaml".
// What is wrong in the files comes back as *Problems, all of it at once; a
// stopover.yaml that is not there as a *Problems that is fs.ErrNotExist.
func Load(fsys fs.FS, name string) (*Project, error) {
	p := newProject(fsys, filepath.Dir(name))
	p.File = filepath.ToSlash(name)
	data, err := fs.ReadFile(fsys, path.Base(p.File))
	if err != nil {
		return nil, unreadable(p, err)
	}
	problems := readConfig(p, data)
	if p.Application == "" {
		p.Application = "app"
	}
	problems = append(problems, checkFolders(p)...)
	problems = append(problems, p.loadMigrations()...)
	if len(problems) > 0 {
		return nil, &Problems{List: sortProblems(problems)}
	}
	return p, nil
}

// Implicit makes the project of a folder without stopover.yaml: one store
// "main" with the given URL, and its migrations in a folder below fsys, which
// is "migrations" if none is given. dir is the folder that fsys is on this
// machine, as people should see it.
func Implicit(fsys fs.FS, dir, url, migrations string) (*Project, error) {
	p := newProject(fsys, dir)
	p.Application = "app"
	if migrations == "" {
		migrations = "migrations"
	}
	migrations = path.Clean(filepath.ToSlash(migrations))
	if info, err := fs.Stat(fsys, migrations); err != nil || !info.IsDir() {
		return nil, one(Problem{
			Message: fmt.Sprintf("no %s and no folder %s in %s", ConfigName, migrations, showDir(p.Dir)),
			Next:    "go to the project's folder, or name its file with --config, or begin with `stopover new project`",
		})
	}
	p.Stores = []Store{{Name: "main", URL: url, Migrations: migrations}}
	if problems := p.loadMigrations(); len(problems) > 0 {
		return nil, &Problems{List: sortProblems(problems)}
	}
	return p, nil
}

func newProject(fsys fs.FS, dir string) *Project {
	return &Project{Dir: filepath.ToSlash(dir), fsys: fsys, given: map[string]string{}}
}

// missing is the error of a project that is not there.
type missing struct{ Problems }

func (m *missing) Unwrap() []error { return []error{&m.Problems, fs.ErrNotExist} }

func unreadable(p *Project, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return one(Problem{Place: Place{File: p.File}, Message: "cannot be read: " + reason(err)})
	}
	return &missing{Problems{List: []Problem{{
		Message: fmt.Sprintf("no %s in %s", path.Base(p.File), showDir(p.Dir)),
		Next:    "go to the project's folder, or name its file with --config, or begin with `stopover new project`",
	}}}}
}

// reason gives what the system says of a file, without the file's name.
func reason(err error) string {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err.Error()
	}
	return err.Error()
}

func showDir(dir string) string {
	if dir == "" || dir == "." {
		return "this folder"
	}
	return dir
}

// checkFolders refuses folders of migrations that lie within each other: the
// files of the inner one would belong to both stores.
func checkFolders(p *Project) []Problem {
	var problems []Problem
	for _, outer := range p.Stores {
		for _, inner := range p.Stores {
			if outer.Migrations == "" || inner.Migrations == "" || !within(inner.Migrations, outer.Migrations) {
				continue
			}
			problems = append(problems, Problem{
				Place:   Place{File: p.File, Line: inner.Line},
				Message: fmt.Sprintf("the migrations of store %s (%s) lie within those of store %s (%s)", inner.Name, inner.Migrations, outer.Name, outer.Migrations),
				Next:    "give each store a folder of its own, side by side",
			})
		}
	}
	return problems
}

// within reports that a folder is properly below another.
func within(inner, outer string) bool {
	if outer == "." {
		return inner != "."
	}
	return len(inner) > len(outer) && inner[:len(outer)] == outer && inner[len(outer)] == '/'
}
