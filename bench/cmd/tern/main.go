// Command tern runs tern's migrate package with nothing around it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/tern/v2/migrate"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: tern URL FOLDER")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "tern:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, folder string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	migrator, err := migrate.NewMigrator(ctx, conn, "public.schema_version")
	if err == nil {
		err = migrator.LoadMigrations(os.DirFS(folder))
	}
	if err == nil {
		err = migrator.Migrate(ctx)
	}
	return errors.Join(err, conn.Close(ctx))
}
