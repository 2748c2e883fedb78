package testserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
)

// findPostgres finds the folder with initdb and postgres of a major version.
// 0: STOPOVER_POSTGRES_BIN, else the newest below /usr/lib/postgresql, else the
// search path.
func findPostgres(major int) (string, error) {
	if major != 0 {
		return findMajor(major)
	}
	if dir := os.Getenv("STOPOVER_POSTGRES_BIN"); dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			return "", fmt.Errorf("STOPOVER_POSTGRES_BIN: %w", err)
		}
		return dir, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		sort.Slice(found, func(a, b int) bool {
			if len(found[a]) != len(found[b]) {
				return len(found[a]) < len(found[b]) // 9.6 before 15
			}
			return found[a] < found[b]
		})
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("PostgreSQL is not installed (no initdb in /usr/lib/postgresql/*/bin or the search path): run `make setup`, or set STOPOVER_POSTGRES_BIN")
	}
	return filepath.Dir(path), nil
}

// findMajor finds one version: where the distribution puts it, else where
// scripts/setup does.
func findMajor(major int) (string, error) {
	places := []string{fmt.Sprintf("/usr/lib/postgresql/%d/bin", major)}
	if root, err := projectRoot(); err == nil {
		places = append(places, filepath.Join(root, ".cache", fmt.Sprintf("postgres-%d", major), "bin"))
	}
	for _, place := range places {
		if _, err := os.Stat(filepath.Join(place, "initdb")); err == nil {
			return place, nil
		}
	}
	return "", fmt.Errorf("PostgreSQL %d is not installed (no initdb in %q): run `make setup`", major, places)
}

// projectRoot is the folder above the working directory that has the Makefile:
// tests run in the folder of their package.
func projectRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "scripts", "setup")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the project's folder was not found")
		}
		dir = parent
	}
}

// Owner gives the user and group that servers run as.
func Owner() (uid, gid int) {
	if owner := unprivileged(); owner != nil {
		return int(owner.Uid), int(owner.Gid)
	}
	return os.Getuid(), os.Getgid()
}
