package stopover_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

// shopFiles stands for what an application embeds:
//
//	//go:embed stopover.yaml migrations
//	var shopFiles embed.FS
var shopFiles = fstest.MapFS{
	"stopover.yaml": {Data: []byte(`
application: shop
stores:
  main: {url: "sqlite:shop.db"}
`)},
	"migrations/main/0001_orders.sql": {Data: []byte(`-- stopover: expand
CREATE TABLE orders (id integer PRIMARY KEY, cur_code text NOT NULL);
INSERT INTO orders (cur_code) VALUES ('EUR'), ('USD'), ('EUR');
`)},
	"migrations/main/0002_currency.sql": {Data: []byte(`-- stopover: expand
ALTER TABLE orders ADD COLUMN currency text;

-- stopover: backfill
UPDATE orders SET currency = cur_code WHERE currency IS NULL;

-- stopover: verify
SELECT id FROM orders WHERE currency IS NULL;
`)},
}

// shopIn is the configuration of the examples: the shop's files, and its
// database in a folder.
func shopIn(folder string) stopover.Config {
	return stopover.Config{
		Kinds:   []store.Kind{sqlite.Kind()},
		Files:   shopFiles,
		Dir:     folder,
		Release: "1.6",
	}
}

// temporary makes a folder that is gone at the end of an example.
func temporary() (folder string, remove func()) {
	folder, err := os.MkdirTemp("", "stopover-example-")
	if err != nil {
		log.Fatal(err)
	}
	return folder, func() { _ = os.RemoveAll(folder) }
}

// An application that upgrades its own database when it starts. Several
// replicas may do this at once: one works, the others wait for it.
func Example() {
	folder, remove := temporary()
	defer remove()
	ctx := context.Background()

	app, err := stopover.Open(shopIn(folder))
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()
	report, err := app.Apply(ctx, stopover.ApplyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, did := range report.Did {
		fmt.Printf("%s %s.%s\n", did.Store, did.Migration, did.Step)
	}

	again, err := app.Apply(ctx, stopover.ApplyOptions{})
	fmt.Println("again:", len(again.Did), err)
	// Output:
	// main 0001_orders.expand
	// main 0002_currency.expand
	// main 0002_currency.backfill
	// main 0002_currency.verify
	// again: 0 <nil>
}

// The gate at the start of a program that does not upgrade its stores itself:
// it starts only where everything is there that this release needs.
func ExampleApp_Check() {
	folder, remove := temporary()
	defer remove()
	ctx := context.Background()
	app, err := stopover.Open(shopIn(folder))
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()

	mayStart := func() {
		gate, err := app.Check(ctx, stopover.CheckOptions{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(gate.State, gate.Stores[0].Pending)
	}
	mayStart()
	if _, err := app.Apply(ctx, stopover.ApplyOptions{Target: stopover.Target{To: "main:0002_currency.expand"}}); err != nil {
		log.Fatal(err)
	}
	mayStart()
	if _, err := app.Apply(ctx, stopover.ApplyOptions{}); err != nil {
		log.Fatal(err)
	}
	mayStart()
	// Output:
	// pending [main:0001_orders.expand]
	// pending [main:0002_currency.backfill]
	// ready []
}

// A migration in Go stands among those from files. Its expand is one function
// in one transaction; its backfill is called again and again, and goes on from
// its cursor when a run was interrupted.
func ExampleMigration() {
	folder, remove := temporary()
	defer remove()
	ctx := context.Background()

	expand := sqlite.Tx("add orders.label", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `ALTER TABLE orders ADD COLUMN label text`)
		return err
	})
	label := sqlite.Stretch("label each order", func(ctx context.Context, tx *sql.Tx, cursor []byte, size int) ([]byte, bool, int64, error) {
		after, _ := strconv.Atoi(string(cursor)) // nil at first: 0
		result, err := tx.ExecContext(ctx, `UPDATE orders SET label = 'order ' || id WHERE id > ? AND id <= ?`, after, after+size)
		if err != nil {
			return nil, false, 0, err
		}
		rows, err := result.RowsAffected()
		if err != nil {
			return nil, false, 0, err
		}
		var last int
		err = tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM orders`).Scan(&last)
		return []byte(strconv.Itoa(after + size)), after+size >= last, rows, err
	})

	cfg := shopIn(folder)
	cfg.Migrations = []stopover.Migration{{
		Store: "main", Name: "0003_label",
		Steps: []stopover.Step{
			{Kind: stopover.Expand, Version: "1", Do: expand},
			{Kind: stopover.Backfill, Version: "1", Do: label},
		},
	}}
	app, err := stopover.Open(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()
	report, err := app.Apply(ctx, stopover.ApplyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, did := range report.Did[len(report.Did)-2:] {
		fmt.Printf("%s.%s, %d rows\n", did.Migration, did.Step, max(did.Rows, 0))
	}
	// Output:
	// 0003_label.expand, 0 rows
	// 0003_label.backfill, 3 rows
}

// A plan is data: leg by leg, what runs and why.
func ExampleApp_Plan() {
	folder, remove := temporary()
	defer remove()
	app, err := stopover.Open(shopIn(folder))
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()
	made, err := app.Plan(context.Background(), stopover.PlanOptions{Target: stopover.Target{To: "main:0002_currency.backfill"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, leg := range made.Legs {
		for _, action := range leg.Actions {
			fmt.Println(action.Kind, action.Store, action.Migration, action.Step)
		}
	}
	// Output:
	// step main 0001_orders expand
	// step main 0002_currency expand
	// step main 0002_currency backfill
}

// The whole command line can hang below an application's own: what follows
// "shop migrate" is handed on. Here it prints a plan, as people read it.
func ExampleRun() {
	folder, remove := temporary()
	defer remove()
	cfg := shopIn(folder)
	cfg.Program = "shop migrate"
	exit := stopover.Run(context.Background(), cfg, stopover.Terminal{
		Args:   []string{"plan"},
		Lookup: os.LookupEnv,
		In:     os.Stdin, Out: os.Stdout, Err: os.Stderr,
	})
	fmt.Println("exit", exit)
	// Output:
	// shop: 4 steps, no estimates
	//   main  0001_orders.expand
	//   main  0002_currency.expand, backfill, verify
	// next: shop migrate apply
	// exit 0
}

// An application can show what happens in its own way: each event is told as
// it happens, here on its log.
func ExampleConfig_events() {
	folder, remove := temporary()
	defer remove()
	cfg := shopIn(folder)
	cfg.Events = func(e stopover.Event) {
		if e.Kind == "done" {
			fmt.Println("done:", e.Place())
		}
	}
	app, err := stopover.Open(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()
	only := stopover.Target{To: "main:0001_orders"}
	if _, err := app.Apply(context.Background(), stopover.ApplyOptions{Target: only}); err != nil {
		log.Fatal(err)
	}
	rest := stopover.Target{To: "main:0002_currency.backfill"}
	if _, err := app.Apply(context.Background(), stopover.ApplyOptions{Target: rest}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// done: main 0001_orders.expand
	// done: main 0002_currency.expand
	// done: main 0002_currency.backfill
}

// A store can be lent: the application opens its database itself and keeps it.
func ExampleConfig_stores() {
	folder, remove := temporary()
	defer remove()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "shop.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	app, err := stopover.Open(stopover.Config{
		Kinds:  []store.Kind{sqlite.Kind()},
		Files:  shopFiles,
		Stores: map[string]store.Store{"main": sqlite.New(db)},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := app.Apply(context.Background(), stopover.ApplyOptions{}); err != nil {
		log.Fatal(err)
	}
	if err := app.Close(); err != nil { // the handle stays open
		log.Fatal(err)
	}
	var orders int
	if err := db.QueryRow(`SELECT count(*) FROM orders WHERE currency IS NOT NULL`).Scan(&orders); err != nil {
		log.Fatal(err)
	}
	fmt.Println(orders, "orders")
	// Output:
	// 3 orders
}

// Every error is a *Failure: what happened, where, what is safe, and what to
// type next. Its exit code is that of the command.
func ExampleFailure() {
	folder, remove := temporary()
	defer remove()
	cfg := shopIn(folder)
	files := fstest.MapFS{"migrations/main/0003_wrong.sql": {Data: []byte("-- stopover: expand\nCREATE TABLE notes (id integer PRIMARY KEY);\nINSERT INTO note VALUES (1);\n")}}
	for name, file := range shopFiles {
		files[name] = file
	}
	cfg.Files = files
	app, err := stopover.Open(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()
	_, err = app.Apply(context.Background(), stopover.ApplyOptions{})
	var failure *stopover.Failure
	if errors.As(err, &failure) {
		fmt.Println("exit", failure.Exit)
		fmt.Println(failure)
		fmt.Printf("line %d: %s\n", failure.Detail.Line, failure.Detail.SQL)
		fmt.Println("next:", strings.Join(failure.Next, ", "))
	}
	// Output:
	// exit 1
	// main 0003_wrong.expand: no such table: note
	// line 3: INSERT INTO note VALUES (1)
	// next: stopover apply
}
