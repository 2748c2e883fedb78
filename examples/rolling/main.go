// Command rolling plays an upgrade of a small shop from 1.4 to 1.9, with three
// services on PostgreSQL and Redis, under load: five instances write and read
// throughout, are replaced release by release, and keep a log of every write that
// was acknowledged. One command drives all of it, `migrate apply --to 1.9
// --wait`: it runs the steps, calls the roll-out at each stop and goes on when it
// sees that it has happened. At the end the logs are compared with the stores.
//
//	go run ./examples/rolling
//	go run ./examples/rolling -kill   # the upgrade dies on its way, and goes on
//
// It starts private servers; with DATABASE_URL and REDIS_URL it uses yours, in a
// schema and a key prefix of its own.
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

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/redis"
	"github.com/stopover-dev/stopover/store"
)

//go:embed stopover.yaml migrations
var files embed.FS

// Where the shop is.
const (
	schema = "stopover_rolling"
	prefix = "stopover-rolling:"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the story, or one of the parts that the story starts as processes.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var err error
	switch {
	case len(args) > 0 && args[0] == "migrate":
		return stopover.Run(ctx, config(), stopover.Terminal{Args: args[1:], Lookup: os.LookupEnv, In: os.Stdin, Out: out, Err: errs})
	case len(args) > 0 && args[0] == "serve":
		err = serveArgs(ctx, args[1:], errs)
	case len(args) == 1 && args[0] == "roll":
		err = askForRollout(ctx)
	default:
		err = storyArgs(ctx, args, out, errs)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case err != nil:
		fmt.Fprintln(errs, "rolling:", err)
		return 1
	}
	return 0
}

var errUsage = errors.New("wrong arguments")

// config is what all parts share: the files in the program, and the steps in Go.
func config() stopover.Config {
	return stopover.Config{
		Kinds: []store.Kind{postgres.Kind(), redis.Kind()}, Files: files, Migrations: cacheMigrations(),
		Lookup: os.LookupEnv, Program: "rolling migrate",
	}
}

func serveArgs(ctx context.Context, args []string, errs io.Writer) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(errs)
	component := flags.String("component", "", "api, worker or web")
	number := flags.String("release", "", "1.3 to 1.9")
	name := flags.String("instance", "", "its name")
	dir := flags.String("logs", "", "where its log is written")
	first := flags.Int64("first", 0, "the number before its first order")
	every := flags.Duration("every", 10*time.Millisecond, "pause between two requests")
	if err := flags.Parse(args); err != nil {
		return errors.Join(errUsage, err)
	}
	return serve(ctx, *component, *number, *name, *dir, *first, *every)
}

func storyArgs(ctx context.Context, args []string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("rolling", flag.ContinueOnError)
	flags.SetOutput(errs)
	every := flags.Duration("every", 8*time.Millisecond, "pause between two requests of an instance")
	kill := flags.Bool("kill", false, "kill the upgrade on its way (SIGKILL), and go on with the same command")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil || flags.NArg() > 0 || *every <= 0 {
		return errUsage
	}
	return play(ctx, *every, *kill, out, errs)
}
