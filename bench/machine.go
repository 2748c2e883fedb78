package main

import (
	"bufio"
	"context"
	"database/sql"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// header says on what the figures were taken.
func (s *site) header() ([]string, error) {
	lines := []string{
		fmt.Sprintf("%s, %s/%s, %d cores, %s of memory, %s", time.Now().UTC().Format("2006-01-02 15:04 MST"),
			runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), fact("/proc/meminfo", "MemTotal"), runtime.Version()),
		"processor: " + fact("/proc/cpuinfo", "model name") + "; load when this was printed: " + loadAverage(),
		"each migration makes a table of one column; times are of whole processes; the figure is the median of",
		"ratios within a round, the contestants taking turns; memory and queries: the highest",
	}
	for durable, server := range s.servers {
		line, err := serverFacts(server.URL("postgres"))
		if err != nil {
			return nil, err
		}
		where := s.fast
		if durable {
			where = s.dir
		}
		lines = append(lines, line+", data in "+where)
	}
	if s.redis != "" {
		lines = append(lines, "Redis "+s.redis+", nothing persisted")
	}
	line, err := sqliteFacts()
	if err != nil {
		return nil, err
	}
	lines = append(lines, line+", files in "+s.fast)
	peers, err := s.peers()
	return append(lines, "compared with "+peers), err
}

func serverFacts(url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	var version, fsync, commit string
	err = conn.QueryRow(ctx, "SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')").Scan(&version, &fsync, &commit)
	return fmt.Sprintf("PostgreSQL %s, fsync %s, synchronous_commit %s", version, fsync, commit), errors.Join(err, conn.Close(ctx))
}

func sqliteFacts() (string, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return "", err
	}
	var version string
	err = db.QueryRow("SELECT sqlite_version()").Scan(&version)
	return "SQLite " + version + ", default pragmas", errors.Join(err, db.Close())
}

// peers names what is compared with, as it was built into the programs.
func (s *site) peers() (string, error) {
	versions := map[string]string{}
	for _, program := range []string{"goose", "tern", "floor"} {
		info, err := buildinfo.ReadFile(s.programs[program])
		if err != nil {
			return "", err
		}
		for _, module := range info.Deps {
			versions[module.Path] = module.Version
		}
	}
	return fmt.Sprintf("goose %s, tern %s; drivers pgx %s, modernc.org/sqlite %s", versions["github.com/pressly/goose/v3"],
		versions["github.com/jackc/tern/v2"], versions["github.com/jackc/pgx/v5"], versions["modernc.org/sqlite"]), nil
}

// fact gives the value of the first line "name: value" of a file of /proc.
func fact(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return "unknown"
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, value, found := strings.Cut(lines.Text(), ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
