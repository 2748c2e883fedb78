// Command shop is a tiny service that embeds Stopover: `shop migrate ...` is
// the whole command line of Stopover over the migrations that the program
// carries, and `shop serve` starts only where its database is ready.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

//go:embed stopover.yaml migrations
var files embed.FS

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	if len(args) > 0 && args[0] == "migrate" {
		return migrate(args[1:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) != 1 || args[0] != "serve" {
		fmt.Fprintln(os.Stderr, "usage: shop serve | shop migrate COMMAND")
		return 2
	}
	if err := serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		return 1
	}
	return 0
}

// config is the same for both: the files in the program, variables from the
// environment.
func config() stopover.Config {
	return stopover.Config{
		Kinds:   []store.Kind{sqlite.Kind()},
		Files:   files,
		Lookup:  os.LookupEnv,
		Program: "shop migrate",
	}
}

// migrate is the command line of Stopover below the shop's own.
func migrate(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second interrupt ends the process
	return stopover.Run(ctx, config(), stopover.Terminal{
		Args: args, Lookup: os.LookupEnv, In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	})
}

// gate refuses to start on a database that is not what this program needs.
func gate(ctx context.Context) error {
	app, err := stopover.Open(config())
	if err != nil {
		return err
	}
	defer app.Close()
	answer, err := app.Check(ctx, stopover.CheckOptions{})
	if err != nil {
		return err
	}
	if answer.State != "ready" {
		return fmt.Errorf("the database is %s; next: %s", answer.State, answer.Next[0])
	}
	return nil
}

func serve(ctx context.Context) error {
	if err := gate(ctx); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Printf("shop serves http://%s\n", listener.Addr())
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "hello from the shop")
	})}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
