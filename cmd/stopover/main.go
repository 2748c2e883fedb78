// Command stopover upgrades the data stores of an application. See the package
// github.com/stopover-dev/stopover for the library that it is the first user of.
package main

import (
	"context"
	"os"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/demo"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/redis"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

// silent takes what the client of Redis would write to the terminal by itself:
// what goes wrong is said once, by Stopover.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func main() {
	goredis.SetLogger(silent{})
	ctx := context.Background()
	t := stopover.Terminal{Args: os.Args[1:], Lookup: os.LookupEnv, In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	if exit, played := demo.Part(ctx, t); played {
		os.Exit(exit)
	}
	os.Exit(stopover.Main(ctx, stopover.Config{
		Kinds: []store.Kind{sqlite.Kind(), postgres.Kind(), redis.Kind()},
		Demo:  demo.Play,
	}))
}
