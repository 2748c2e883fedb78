package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// project holds the shop's stopover.yaml, and by release the migrations that
// came with it.
//
//go:embed project
var project embed.FS

const (
	database   = "shop.db"
	migrations = "migrations/main"
)

// begin writes what a project begins with: stopover.yaml and an empty folder
// for migrations.
func begin(folder string) error {
	if err := os.MkdirAll(filepath.Join(folder, filepath.FromSlash(migrations)), 0o755); err != nil {
		return err
	}
	return unpack("project/stopover.yaml", filepath.Join(folder, "stopover.yaml"))
}

// ship puts a release's migrations beside those that are there, as a checkout
// of the release would.
func ship(folder, release string) error {
	files, err := fs.Glob(project, "project/"+release+"/*.sql")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("release %s of the shop has no migrations", release)
	}
	for _, name := range files {
		if err := unpack(name, filepath.Join(folder, filepath.FromSlash(migrations), filepath.Base(name))); err != nil {
			return err
		}
	}
	return nil
}

func unpack(from, to string) error {
	content, err := project.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}
