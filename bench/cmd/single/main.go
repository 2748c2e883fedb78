// Command single is `stopover apply --yes` on PostgreSQL with the migrations
// sent one by one: each with its record in a message and a transaction of its
// own, as they are where a store cannot take several at once.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// single hides the store's ability to take several tasks at once, and its
// others with it: a run without faults needs none of them.
type single struct{ store.Store }

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "single:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	kind := postgres.Kind()
	open := kind.Open
	kind.Open = func(ctx context.Context, settings store.Settings) (store.Store, error) {
		opened, err := open(ctx, settings)
		return single{opened}, err
	}
	app, err := stopover.Open(stopover.Config{Kinds: []store.Kind{kind}, Lookup: os.LookupEnv})
	if err != nil {
		return err
	}
	if _, err := app.Apply(ctx, stopover.ApplyOptions{}); err != nil {
		return err
	}
	return app.Close()
}
