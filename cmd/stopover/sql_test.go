package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// doSQL asks a store behind Stopover's back, as an application or an operator
// does, and prints the rows as "a|b": [!] sql [URL] STATEMENT. Several statements
// may stand in one text where they give no rows.
func doSQL(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: sql [URL] STATEMENT")
	}
	url := ts.Getenv("DATABASE_URL")
	if len(args) == 2 {
		url = args[0]
	}
	lines, err := query(ts, url, args[len(args)-1])
	if neg {
		if err == nil {
			ts.Fatalf("the store took it")
		}
		return
	}
	ts.Check(err)
	for _, line := range lines {
		fmt.Fprintln(ts.Stdout(), line)
	}
}

// structure writes what a store looks like, without the books, to a file, one
// line an object: structure FILE.
func structure(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: structure FILE")
	}
	catalogue := sqliteCatalogue
	if of(ts).kind == "postgres" {
		catalogue = postgresCatalogue
	}
	lines, err := query(ts, ts.Getenv("DATABASE_URL"), catalogue)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(lines, "\n")+"\n"), 0o644))
}

// ageLease makes a lease as old as if nobody had renewed it for a minute.
func ageLease(ts *testscript.TestScript, _ bool, _ []string) {
	statement := `UPDATE stopover_note SET at = at - 60000 WHERE key = 'lease'`
	if of(ts).kind == "postgres" {
		statement = `UPDATE stopover_note SET at = at - interval '1 minute' WHERE key = 'lease'`
	}
	_, err := query(ts, ts.Getenv("DATABASE_URL"), statement)
	ts.Check(err)
}

const sqliteCatalogue = `SELECT m.type, m.name, coalesce(c.name, ''), coalesce(c.type, ''), coalesce(c."notnull", ''), coalesce(c.dflt_value, ''), coalesce(c.pk, '')
FROM sqlite_schema m LEFT JOIN pragma_table_xinfo(m.name) c ON m.type = 'table'
WHERE m.tbl_name NOT LIKE 'stopover%' ORDER BY 1, 2, c.cid`

const postgresCatalogue = `SELECT line FROM (
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS line
	FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'stopover%'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'stopover%'
UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
	WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'stopover%'
) found ORDER BY line`

func query(ts *testscript.TestScript, url, statement string) ([]string, error) {
	driver := "pgx"
	if name, isFile := strings.CutPrefix(url, "sqlite:"); isFile {
		name, _, _ = strings.Cut(name, "?")
		driver, url = "sqlite", "file:"+ts.MkAbs(name)+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if !strings.HasPrefix(strings.ToUpper(statement), "SELECT") {
		_, err := db.ExecContext(ctx, statement)
		return nil, err
	}
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return texts(rows)
}

func texts(rows *sql.Rows) (lines []string, err error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, pointers := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return nil, err
		}
		words := make([]string, len(values))
		for i, v := range values {
			words[i] = v.String
			if !v.Valid {
				words[i] = "NULL"
			}
		}
		lines = append(lines, strings.Join(words, "|"))
	}
	return lines, rows.Err()
}
