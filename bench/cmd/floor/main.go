// Command floor runs the files of a folder, in order, as barely as it can be
// done one by one: each file's statement by itself, committed by itself, in one
// round trip, and nothing recorded.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: floor postgres|sqlite URL|FILE FOLDER")
		os.Exit(2)
	}
	run := onPostgres
	if os.Args[1] == "sqlite" {
		run = onSQLite
	}
	if err := run(context.Background(), os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func onPostgres(ctx context.Context, url, folder string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	err = each(folder, func(text string) error {
		_, err := conn.PgConn().Exec(ctx, text).ReadAll()
		return err
	})
	return errors.Join(err, conn.Close(ctx))
}

func onSQLite(ctx context.Context, file, folder string) error {
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	err = each(folder, func(text string) error {
		_, err := conn.ExecContext(ctx, text)
		return err
	})
	return errors.Join(err, conn.Close(), db.Close())
}

func each(folder string, do func(text string) error) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		if err := do(string(text)); err != nil {
			return fmt.Errorf("%s: %w", entry.Name(), err)
		}
	}
	return nil
}
