// Command goose runs goose's Provider with nothing around it: no flags, no
// output, the one driver that is needed.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: goose pgx|sqlite URL|FILE FOLDER up|status")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "goose:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, driver, url, folder, what string) error {
	db, err := sql.Open(driver, url)
	if err != nil {
		return err
	}
	dialect := goose.DialectPostgres
	if driver == "sqlite" {
		dialect = goose.DialectSQLite3
	}
	provider, err := goose.NewProvider(dialect, db, os.DirFS(folder))
	if err != nil {
		return errors.Join(err, db.Close())
	}
	if what == "status" {
		_, err = provider.Status(ctx)
	} else {
		_, err = provider.Up(ctx)
	}
	return errors.Join(err, provider.Close())
}
