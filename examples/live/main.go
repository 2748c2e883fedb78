// Command live renames a column of a table of a million rows while an
// application writes to it: first the old release alone, then both, then the
// new one alone. It shows what the application noticed, and compares what it was
// told with what the table holds.
//
//	go run ./examples/live                             on a private PostgreSQL server
//	DATABASE_URL=postgres://... go run ./examples/live on yours, in a schema of its own
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

//go:embed stopover.yaml migrations
var files embed.FS

// options say how large the story is.
type options struct {
	url    string
	rows   int           // of the table before the story
	rate   int           // writes a second
	calm   time.Duration // how long the releases run without a migration
	report time.Duration // how long somebody's report holds the table
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv("DATABASE_URL"), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, url string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("live", flag.ContinueOnError)
	flags.SetOutput(errs)
	o := options{url: url}
	flags.IntVar(&o.rows, "rows", 1_000_000, "`number` of orders before the story begins")
	flags.IntVar(&o.rate, "rate", 500, "writes a `second`")
	flags.DurationVar(&o.calm, "calm", 3*time.Second, "how `long` each release runs without a migration")
	flags.DurationVar(&o.report, "report", 3*time.Second, "how `long` a report holds the table when the migration begins")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil || flags.NArg() > 0 || o.rows < 1 || o.rate < 1 {
		fmt.Fprintln(errs, "live: see -help; rows and rate are at least 1")
		return 2
	}
	if err := play(ctx, o, out); err != nil {
		fmt.Fprintln(errs, "live:", err)
		return 1
	}
	return 0
}
