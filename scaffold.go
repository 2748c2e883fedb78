package stopover

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/wire"
)

// newProject writes the files of a project to start from. It never overwrites.
func (a *App) newProject(dir, kind string) (*wire.New, error) {
	doc := &wire.New{Head: wire.NewHead("new project"), Files: []string{}}
	if kind == "" {
		kind = a.cfg.Kinds[0].Name
	}
	known := false
	for _, k := range a.cfg.Kinds {
		known = known || k.Name == kind
	}
	if !known {
		return doc, misuse(fmt.Sprintf("this program opens no stores of the kind %q", kind), a.cmd("version"))
	}
	full, err := filepath.Abs(filepath.Join(a.cfg.Dir, dir))
	if err != nil {
		return doc, fmt.Errorf("find the folder %s: %w", dir, err)
	}
	if err := a.writeAll(doc, filepath.Join(a.cfg.Dir, dir), files.NewProject(filepath.Base(full), kind)); err != nil {
		return doc, err
	}
	doc.Next = []string{fmt.Sprintf("%s plan --dir %s", a.cfg.Program, dir), fmt.Sprintf("%s apply --dir %s", a.cfg.Program, dir)}
	return doc, nil
}

// newMigration writes the file of the next migration of a store.
func (a *App) newMigration(storeName, name string) (*wire.New, error) {
	doc := &wire.New{Head: wire.NewHead("new migration"), Files: []string{}}
	made, err := files.NewMigration(a.project, storeName, name, time.Now())
	if err != nil {
		return doc, a.explain("", err)
	}
	if err := a.writeAll(doc, a.cfg.Dir, made); err != nil {
		return doc, err
	}
	doc.Next = []string{a.cmd("lint"), a.cmd("plan --sql")}
	return doc, nil
}

// writeAll writes files that are not there yet; if one is, none is written.
func (a *App) writeAll(doc *wire.New, dir string, list []files.Scaffold) error {
	for _, f := range list {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if _, err := os.Lstat(name); err == nil {
			return misuse(fmt.Sprintf("%s is there already", name), a.cmd("lint"))
		}
	}
	for _, f := range list {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("make the folder of %s: %w", name, err)
		}
		if err := writeNew(name, f.Content); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		doc.Files = append(doc.Files, name)
	}
	return nil
}

func writeNew(name, content string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(0o644))
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}
