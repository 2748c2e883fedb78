package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// project is one set of tiny migrations, in the forms that the programs read:
// each makes a table of one column.
type project struct {
	stopover string // a folder with stopover.yaml and migrations/main
	goose    string // a folder of files with goose's annotations
	plain    string // a folder of files with the statement alone: tern, and the floor
}

// project writes a set of n migrations, or gives the one that is there.
func (s *site) project(n int) (project, error) {
	root := filepath.Join(s.dir, fmt.Sprintf("project-%d", n))
	p := project{stopover: root, goose: filepath.Join(root, "goose"), plain: filepath.Join(root, "plain")}
	if _, err := os.Stat(root); err == nil {
		return p, nil
	}
	main := filepath.Join(root, "migrations", "main")
	for _, dir := range []string{main, p.goose, p.plain} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return p, err
		}
	}
	config := "application: many\nstores:\n  main: {url: \"${DATABASE_URL}\", migrations: migrations/main}\n"
	if err := os.WriteFile(filepath.Join(root, "stopover.yaml"), []byte(config), 0o644); err != nil {
		return p, err
	}
	for i := 1; i <= n; i++ {
		name := fmt.Sprintf("%05d_t.sql", i)
		statement := fmt.Sprintf("CREATE TABLE t%d (a int);\n", i)
		for dir, text := range map[string]string{
			main:    "-- stopover: expand\n" + statement,
			p.goose: "-- +goose Up\n" + statement,
			p.plain: statement,
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}
