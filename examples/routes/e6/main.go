// Command e6 writes a large catalogue to plan on: 20 components, 10 stores, 500
// releases and 250 migrations of four steps each. In every fifth, the backfill
// refuses older writers.
//
//	go run ./examples/routes/e6 /tmp/large
//	stopover -C /tmp/large plan --assume assume.yaml
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	components = 20
	stores     = 10
	releases   = 500
	migrations = 250
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: e6 DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "e6:", err)
		os.Exit(1)
	}
}

// write makes the folder. It overwrites what an earlier run made.
func write(dir string) error {
	list := map[string]string{"stopover.yaml": catalogue(), "assume.yaml": assumption()}
	for m := range migrations {
		name := fmt.Sprintf("migrations/store%d/%04d_change.sql", m%stores, m+1)
		list[name] = migration(m, 2+m*(releases-8)/migrations)
	}
	for name, text := range list {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return fmt.Errorf("make the folder of %s: %w", name, err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func catalogue() string {
	var b strings.Builder
	b.WriteString("application: large\nstores:\n")
	for s := range stores {
		fmt.Fprintf(&b, "  store%d: {url: \"${STORE%d_URL}\", kind: sqlite, migrations: migrations/store%d}\n", s, s, s)
	}
	b.WriteString("components:\n")
	for c := range components {
		fmt.Fprintf(&b, "  part%02d: {store%d: rw, store%d: rw, store%d: ro}\n", c, c%stores, (c+1)%stores, (c+2)%stores)
	}
	b.WriteString("releases:\n")
	for r := range releases {
		fmt.Fprintf(&b, "  - \"1.%d\"\n", r)
	}
	b.WriteString("soak: 24h\n")
	return b.String()
}

func assumption() string {
	var positions, fleet []string
	for s := range stores {
		positions = append(positions, fmt.Sprintf("store%d: none", s))
	}
	for c := range components {
		fleet = append(fleet, fmt.Sprintf("part%02d: [\"1.0\"]", c))
	}
	return fmt.Sprintf("stores: {%s}\nfleet: {%s}\ntarget: \"1.%d\"\n", strings.Join(positions, ", "), strings.Join(fleet, ", "), releases-1)
}

// migration is brought in by release at; the one after it reads the new form.
func migration(number, at int) string {
	writers := ""
	if number%5 == 0 {
		writers = fmt.Sprintf(" writers=1.%d", at)
	}
	return fmt.Sprintf(`-- stopover: expand needs=1.%[2]d
CREATE TABLE t%[1]d (id integer PRIMARY KEY, old text, new text);
-- stopover: backfill table=t%[1]d needs=1.%[3]d%[4]s
UPDATE t%[1]d SET new = old WHERE new IS NULL AND old IS NOT NULL;
-- stopover: verify
SELECT id FROM t%[1]d WHERE new IS NULL AND old IS NOT NULL;
-- stopover: contract writers=1.%[3]d readers=1.%[3]d
ALTER TABLE t%[1]d DROP COLUMN old;
`, number+1, at, at+1, writers)
}
