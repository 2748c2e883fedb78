// Command loop fills a new column of the table people without Stopover, in one
// of two ways, to be compared with:
//
//	loop plain URL COLUMNS WORKERS   what one writes by hand: batches of 1,000 rows along the
//	                                 key, a range of the keys for each worker
//	loop pgroll URL                  pgroll's way: a trigger that fills the column whenever a
//	                                 row is written, a column that marks the rows still to do,
//	                                 and batches of 1,000 that take the mark away
//
// COLUMNS is the key of the table, with commas. Neither records where it is,
// looks at a lease, or gives way to anything.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

const batch = 1000

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "loop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 4 && args[0] == "plain":
		workers, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		return plain(ctx, args[1], strings.Split(args[2], ","), workers)
	case len(args) == 2 && args[0] == "pgroll":
		return pgroll(ctx, args[1])
	}
	return errors.New("usage: loop plain URL COLUMNS WORKERS, or loop pgroll URL")
}

// plain cuts the keys into as many ranges as there are workers, and lets them
// fill one each.
func plain(ctx context.Context, url string, key []string, workers int) error {
	cuts, err := quantiles(ctx, url, key, workers)
	if err != nil {
		return err
	}
	errs := make([]error, workers)
	var group sync.WaitGroup
	for i := range workers {
		var after, until string
		if i > 0 {
			after = cuts[i-1]
		}
		if i < workers-1 {
			until = cuts[i]
		}
		group.Go(func() { errs[i] = fill(ctx, url, key, after, until) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// quantiles reads the keys at which the ranges are cut, as literals of a row.
func quantiles(ctx context.Context, url string, key []string, workers int) ([]string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	var cuts []string
	for i := 1; i < workers; i++ {
		var cut string
		err = conn.QueryRow(ctx, fmt.Sprintf("SELECT %s FROM people ORDER BY %s OFFSET (SELECT count(*) FROM people) * %d / %d LIMIT 1",
			literal(key), strings.Join(key, ", "), i, workers)).Scan(&cut)
		if err != nil {
			break
		}
		cuts = append(cuts, cut)
	}
	return cuts, errors.Join(err, conn.Close(ctx))
}

// literal is an expression that gives a row's key as text that SQL reads again.
func literal(key []string) string {
	parts := make([]string, len(key))
	for i, column := range key {
		parts[i] = "quote_literal(" + column + "::text) || '::' || pg_typeof(" + column + ")::text"
	}
	return "'(' || " + strings.Join(parts, " || ', ' || ") + " || ')'"
}

// fill goes through the rows behind after up to until, a thousand at a time: it
// asks for the last key of the next thousand, and updates up to there.
func fill(ctx context.Context, url string, key []string, after, until string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	columns := strings.Join(key, ", ")
	row := "(" + columns + ")"
	for {
		where := "true"
		if after != "" {
			where = row + " > " + after
		}
		if until != "" {
			where += " AND " + row + " <= " + until
		}
		var last string
		err := conn.QueryRow(ctx, fmt.Sprintf("SELECT %s FROM people WHERE %s ORDER BY %s OFFSET %d LIMIT 1",
			literal(key), where, columns, batch-1), pgx.QueryExecModeSimpleProtocol).Scan(&last)
		if err == nil {
			where += " AND " + row + " <= " + last
		} else if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if _, err := conn.Exec(ctx, "UPDATE people SET handle = lower(email) WHERE "+where, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		if last == "" {
			return nil
		}
		after = last
	}
}

// expand makes what pgroll makes of "add a column, filled from another".
const expand = `
ALTER TABLE people ADD COLUMN needs_fill boolean DEFAULT true;
CREATE FUNCTION people_fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.handle = lower(NEW.email);
	NEW.needs_fill = false;
	RETURN NEW;
END $$;
CREATE TRIGGER people_fill BEFORE INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION people_fill();`

// next takes the mark from the next thousand rows and so has the trigger fill
// them; it gives the last key.
const next = `
WITH these AS (
	SELECT id FROM people WHERE needs_fill AND id > $1 ORDER BY id LIMIT 1000 FOR NO KEY UPDATE
), filled AS (
	UPDATE people SET needs_fill = false FROM these WHERE people.id = these.id RETURNING people.id
)
SELECT max(id) FROM filled`

// pgroll goes through the table as pgroll does: one worker, a trigger for each
// row. What it does afterwards, in its complete, is left out.
func pgroll(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, expand, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	var last int64
	for {
		var until *int64
		if err := conn.QueryRow(ctx, next, last).Scan(&until); err != nil || until == nil {
			return err
		}
		last = *until
	}
}
