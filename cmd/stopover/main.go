// Command stopover upgrades the data stores of an application. See the package
// github.com/stopover-dev/stopover for the library that it is the first user of.
package main

import (
	"context"
	"os"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

func main() {
	os.Exit(stopover.Main(context.Background(), stopover.Config{
		Kinds: []store.Kind{sqlite.Kind(), postgres.Kind()},
	}))
}
