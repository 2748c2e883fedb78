package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

// A step in Go gets the transaction in which it is recorded.
func ExampleTx() {
	folder, err := os.MkdirTemp("", "example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	db, err := sql.Open("sqlite", filepath.Join(folder, "shop.db"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()

	ctx := context.Background()
	shop := sqlite.New(db)
	if err := shop.Prepare(ctx); err != nil {
		fmt.Println(err)
		return
	}
	step := sqlite.Tx("make the table of orders", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE orders (id INTEGER PRIMARY KEY)`)
		return err
	})
	_, err = shop.Do(ctx, store.Task{Action: step, Record: func(store.Progress) []store.Note {
		return []store.Note{{Key: "ledger/0001_orders/expand", Value: []byte(`{"by":"ana"}`)}}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	view, err := shop.Look(ctx, "ledger/")
	fmt.Println(view.Notes[0].Key, err)
	// Output: ledger/0001_orders/expand <nil>
}
