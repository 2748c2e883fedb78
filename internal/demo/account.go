package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/wire"
)

// seed gives the shop its past, as release 1.0 wrote it.
func (p *play) seed(ctx context.Context) (err error) {
	db, err := openShop(filepath.Join(p.folder, database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	var rows [][]any
	for id := range int64(len(p.model.customers)) {
		rows = append(rows, []any{id + 1, fmt.Sprintf("Customer %d", id+1), p.model.customers[id+1]})
	}
	if err := insert(ctx, tx, "customers (id, name, mail)", rows); err != nil {
		return err
	}
	rows = rows[:0]
	day := time.Date(2026, time.January, 1, 8, 0, 0, 0, time.UTC)
	for id := range int64(p.orders) {
		o := p.model.orders[id+1]
		rows = append(rows, []any{id + 1, o.customer, day.Add(time.Duration(id) * time.Minute).Format(time.DateTime), total(o.cents, o.currency)})
	}
	if err := insert(ctx, tx, "orders (id, customer, placed, total)", rows); err != nil {
		return err
	}
	return tx.Commit()
}

// insert writes rows, two hundred with a statement.
func insert(ctx context.Context, tx *sql.Tx, into string, rows [][]any) error {
	for some := range slices.Chunk(rows, 200) {
		group := "(?" + strings.Repeat(", ?", len(some[0])-1) + ")"
		text := "INSERT INTO " + into + " VALUES " + group + strings.Repeat(", "+group, len(some)-1)
		if _, err := tx.ExecContext(ctx, text, slices.Concat(some...)...); err != nil {
			return fmt.Errorf("insert into %s: %w", into, err)
		}
	}
	return nil
}

// account closes the shop and compares the store with the model.
func (p *play) account(ctx context.Context, newest *running, doc *wire.Demo) (err error) {
	if err := newest.stop(); err != nil {
		return err
	}
	p.stage.act("The account")
	p.stage.tell("What the shop was told is committed, added up outside the store, against what the store holds.")
	p.stage.say("")
	db, err := openShop(filepath.Join(p.folder, database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if p.between != nil {
		if err := p.between(ctx, db); err != nil {
			return err
		}
	}
	if err := p.compare(ctx, db, doc); err != nil {
		return err
	}
	return verdict(doc)
}

// verdict fails if anything that was compared is different.
func verdict(doc *wire.Demo) error {
	for _, check := range doc.Digests {
		if check.Want != check.Got {
			return &stopover.Failure{Exit: stopover.ExitFailed, Next: []string{"stopover demo --folder shop"}, Detail: wire.Error{Kind: wire.KindFailed,
				Message: fmt.Sprintf("the account is off: %s should be %s and is %s", check.What, check.Want, check.Got)}}
		}
	}
	return nil
}

// compare fills in the document.
func (p *play) compare(ctx context.Context, db *sql.DB, doc *wire.Demo) error {
	orders, err := readOrders(ctx, db)
	if err != nil {
		return err
	}
	customers, err := readCustomers(ctx, db)
	if err != nil {
		return err
	}
	columns, health := "", ""
	err = db.QueryRowContext(ctx, `SELECT (SELECT group_concat(name, ' ') FROM pragma_table_info('orders')) || ' | ' ||
		(SELECT group_concat(name, ' ') FROM pragma_table_info('customers'))`).Scan(&columns)
	if err == nil {
		err = db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&health)
	}
	if err != nil {
		return fmt.Errorf("look at the tables: %w", err)
	}
	steps, done, err := p.ledger(ctx)
	if err != nil {
		return err
	}
	m := p.model
	check := func(what string, want, got any) {
		doc.Digests = append(doc.Digests, wire.DemoCheck{What: what, Want: fmt.Sprint(want), Got: fmt.Sprint(got)})
	}
	check("orders", len(m.orders), len(orders))
	check("sum of all orders", takings(m.orders), takings(orders))
	check("digest of all orders", ordersDigest(m.orders), ordersDigest(orders))
	check("customers", len(m.customers), len(customers))
	check("digest of all customers", customersDigest(m.customers), customersDigest(customers))
	check("columns", "id customer placed cents currency | id name email", columns)
	check("steps done, of all in the files", steps, done)
	check("SQLite's integrity check", "ok", health)
	doc.Orders = int64(len(orders))
	doc.Writes, _ = m.written(false)
	doc.Lost = differing(m.orders, orders) + differing(m.customers, customers)
	return nil
}

func readOrders(ctx context.Context, db *sql.DB) (map[int64]order, error) {
	rows, err := db.QueryContext(ctx, `SELECT id, customer, coalesce(cents, 0), coalesce(currency, '') FROM orders`)
	if err != nil {
		return nil, fmt.Errorf("read the orders: %w", err)
	}
	defer rows.Close()
	orders := map[int64]order{}
	for rows.Next() {
		var id int64
		var o order
		if err := rows.Scan(&id, &o.customer, &o.cents, &o.currency); err != nil {
			return nil, fmt.Errorf("read the orders: %w", err)
		}
		orders[id] = o
	}
	return orders, rows.Err()
}

func readCustomers(ctx context.Context, db *sql.DB) (map[int64]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT id, coalesce(email, '') FROM customers`)
	if err != nil {
		return nil, fmt.Errorf("read the customers: %w", err)
	}
	defer rows.Close()
	customers := map[int64]string{}
	for rows.Next() {
		var id int64
		var mail string
		if err := rows.Scan(&id, &mail); err != nil {
			return nil, fmt.Errorf("read the customers: %w", err)
		}
		customers[id] = mail
	}
	return customers, rows.Err()
}

// ledger asks the command list how many steps there are, and how many of them
// are done.
func (p *play) ledger(ctx context.Context) (steps, done int, err error) {
	list := exec.CommandContext(ctx, p.program, "list", "--format", "json")
	list.Dir, list.Env = p.folder, environment(p.terminal.Lookup, partCommand)
	out, err := list.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("stopover list: %w", err)
	}
	var doc wire.List
	if err := json.Unmarshal(out, &doc); err != nil {
		return 0, 0, fmt.Errorf("stopover list: %w", err)
	}
	for _, s := range doc.Stores {
		for _, step := range s.Steps {
			steps++
			if step.State == wire.StepDone {
				done++
			}
		}
	}
	return steps, done, nil
}

// thousands writes a number with commas.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
