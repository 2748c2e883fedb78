package stopover

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/importer"
	"github.com/stopover-dev/stopover/internal/wire"
)

// importTable makes a catalogue of a table of schema versions and releases.
// migrations is the folder that the versions are of; "": not given.
func (a *App) importTable(table, migrations, out string) (*wire.Import, error) {
	doc := &wire.Import{Head: wire.NewHead("import table"), From: filepath.ToSlash(table), Unknown: []string{}}
	data, err := a.source(table)
	if err != nil {
		return doc, err
	}
	var sources []importer.Source
	if migrations != "" {
		if sources, err = a.sources(migrations); err != nil {
			return doc, err
		}
	}
	made, err := importer.Table(doc.From, data, sources)
	if err != nil {
		return doc, unreadable(err)
	}
	return doc, a.imported(doc, made, out)
}

// importGitLab makes a catalogue of a list of required stops.
func (a *App) importGitLab(list, out string) (*wire.Import, error) {
	doc := &wire.Import{Head: wire.NewHead("import gitlab"), From: filepath.ToSlash(list), Unknown: []string{}}
	data, err := a.source(list)
	if err != nil {
		return doc, err
	}
	made, err := importer.GitLab(doc.From, data)
	if err != nil {
		return doc, unreadable(err)
	}
	return doc, a.imported(doc, made, out)
}

// imported completes the document, and writes the files where a name is given.
func (a *App) imported(doc *wire.Import, made *importer.Catalogue, out string) error {
	doc.Releases, doc.Migrations, doc.Unknown = len(made.Releases), len(made.Migrations), append(doc.Unknown, made.Unknown...)
	if out == "" {
		doc.Text = made.Text()
		doc.Next = []string{a.cmd(doc.Command + " " + doc.From + " --out " + files.ConfigName)}
		return nil
	}
	var list []files.Scaffold
	for _, f := range made.Files(filepath.Base(out)) {
		list = append(list, files.Scaffold{Name: f.Name, Content: f.Text})
	}
	written := &wire.New{}
	if err := a.writeAll(written, within(a.cfg.Dir, filepath.Dir(out)), list); err != nil {
		return err
	}
	doc.Out, doc.Files = filepath.ToSlash(out), written.Files
	found := &App{cfg: a.cfg.in("", out)}
	doc.Next = []string{found.cmd("lint"), found.cmd("plan --assume FILE")}
	return nil
}

// source reads a file that is to be imported.
func (a *App) source(name string) ([]byte, error) {
	data, err := os.ReadFile(within(a.cfg.Dir, name))
	var of *fs.PathError
	if errors.As(err, &of) {
		return nil, misuse(fmt.Sprintf("%s cannot be read: %v", name, of.Err))
	}
	return data, err
}

// sources reads a folder of SQL migrations, each of one file: NAME.sql, or
// NAME.up.sql beside a NAME.down.sql, which is left aside.
func (a *App) sources(dir string) ([]importer.Source, error) {
	entries, err := os.ReadDir(within(a.cfg.Dir, dir))
	if err != nil {
		return nil, misuse(fmt.Sprintf("the folder of migrations %s cannot be read", dir))
	}
	var list []importer.Source
	for _, entry := range entries {
		name, isSQL := strings.CutSuffix(entry.Name(), ".sql")
		if !isSQL || entry.IsDir() || strings.HasSuffix(name, ".down") {
			continue
		}
		data, err := a.source(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		if strings.Contains("\n"+string(data), "\n-- stopover:") {
			return nil, misuse(fmt.Sprintf("%s/%s has steps of its own already: this is no folder to import", dir, entry.Name()), a.cmd("lint"))
		}
		list = append(list, importer.Source{Name: strings.TrimSuffix(name, ".up"), Text: string(data)})
	}
	if len(list) == 0 {
		return nil, misuse(fmt.Sprintf("there is no .sql file in %s", dir))
	}
	return list, nil
}

// unreadable is the failure of a text that is not what was announced.
func unreadable(err error) error {
	var problem *importer.Problem
	if !errors.As(err, &problem) {
		return err
	}
	f := misuse(problem.Message)
	f.Err, f.Detail.File, f.Detail.Line, f.Detail.Hint = err, problem.File, problem.Line, problem.Next
	return f
}
