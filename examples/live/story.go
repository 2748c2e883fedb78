package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// schema is where the story takes place; it is dropped at the end.
const schema = "stopover_live"

// story is one play.
type story struct {
	options
	out   io.Writer
	app   *stopover.App
	shop  *shop
	table *table
}

// play tells the whole story.
func play(ctx context.Context, o options, out io.Writer) (err error) {
	if o.url == "" {
		stop, err := o.ownServer()
		if err != nil {
			return err
		}
		defer func() { _ = stop() }() // its folder is in the temporary one
	}
	s := &story{options: o, out: out, table: &table{}}
	if err := s.seed(ctx); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.execute(context.WithoutCancel(ctx), "DROP SCHEMA "+schema+" CASCADE"))
	}()
	if s.app, err = s.open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.app.Close()) }()
	if s.shop, err = openShop(ctx, o.url, o.rows, o.rate, s.table); err != nil {
		return err
	}
	err = s.acts(ctx)
	err = errors.Join(err, s.shop.close())
	if err != nil {
		return err
	}
	s.table.print(out)
	return s.account(ctx)
}

// ownServer starts a server that ends with this program.
func (o *options) ownServer() (stop func() error, err error) {
	dir, err := os.MkdirTemp("", "stopover-live-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // its user passes through
		return nil, err
	}
	server, err := testserver.StartPostgres(dir)
	if err != nil {
		return nil, fmt.Errorf("start a PostgreSQL server: %w\nset DATABASE_URL to one of yours, or run scripts/setup, which installs one", err)
	}
	o.url = server.URL("postgres")
	return func() error { return errors.Join(server.Stop(), os.RemoveAll(dir)) }, nil
}

// seed makes the table as it was before, with its orders.
func (s *story) seed(ctx context.Context) error {
	if err := s.execute(ctx, "CREATE SCHEMA "+schema); err != nil {
		return fmt.Errorf("%w\nif an earlier run left it behind: DROP SCHEMA %s CASCADE", err, schema)
	}
	app, err := s.open()
	if err != nil {
		return err
	}
	_, err = app.Apply(ctx, stopover.ApplyOptions{Target: stopover.Target{To: "main:0001_orders"}})
	if err := errors.Join(err, app.Close()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d orders are written into a table of their own.\n", s.rows)
	return s.execute(ctx,
		fmt.Sprintf("INSERT INTO %s.orders SELECT id, '%s', repeat(md5(id::text), 6) FROM generate_series(1, %d) id", schema, before, s.rows),
		"VACUUM ANALYZE "+schema+".orders")
}

func (s *story) execute(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}

func (s *story) open() (*stopover.App, error) {
	return stopover.Open(stopover.Config{
		Kinds: []store.Kind{postgres.Kind()}, Files: files,
		Lookup: func(string) (string, bool) { return s.url, true },
		Events: s.hear,
	})
}

// hear follows the run: the application's phases are those of the migration.
func (s *story) hear(e stopover.Event) {
	switch {
	case s.shop == nil: // the table is made
	case e.Kind == "begun":
		s.table.begin(e.Step)
	case e.Kind == "progress" || e.Kind == "done":
		s.table.rows(e.Step, e.Rows)
	case e.Kind == "waiting" && e.Attempt <= 1, e.Kind == "paused", e.Kind == "warning":
		fmt.Fprintf(s.out, "  %s %s\n", e.Place(), e.Text)
	}
}

// acts are the story between the seed and the account.
func (s *story) acts(ctx context.Context) error {
	old := s.shop.release("1.0", "cur_code")
	if err := s.calmly(ctx, "old release alone"); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "A report reads the table for %s. The migration begins.\n", s.report)
	reported, err := s.holdTable(ctx)
	if err != nil {
		return err
	}
	if _, err := s.app.Apply(ctx, stopover.ApplyOptions{}); err != nil {
		return err
	}
	if err := <-reported; err != nil {
		return err
	}
	fmt.Fprintln(s.out, "The new release is rolled out, one write in two comes from it.")
	fresh := s.shop.release("2.0", "currency")
	if err := s.calmly(ctx, "both releases"); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "The old release is gone. The old column goes.")
	if err := old.end(); err != nil {
		return err
	}
	if _, err := s.app.Cleanup(ctx, stopover.CleanupOptions{}); err != nil {
		return err
	}
	if err := s.calmly(ctx, "new release alone"); err != nil {
		return err
	}
	s.table.end()
	return fresh.end()
}

// calmly lets the application run for a while.
func (s *story) calmly(ctx context.Context, phase string) error {
	s.table.begin(phase)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.calm):
		return s.shop.failed()
	}
}

// holdTable begins a transaction that reads the table and stays open: whoever
// wants the table for himself has to wait until it ends.
func (s *story) holdTable(ctx context.Context) (ended <-chan error, err error) {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "BEGIN; SELECT count(*) FROM "+schema+".orders WHERE id < 10"); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	done := make(chan error, 1)
	time.AfterFunc(s.report, func() { done <- conn.Close(context.WithoutCancel(ctx)) })
	return done, nil
}

// account compares what the application was told with what the table holds.
func (s *story) account(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, "SELECT id, coalesce(currency, '') FROM "+schema+".orders")
	if err != nil {
		return err
	}
	model, lost, seen := s.shop.model(), 0, 0
	for rows.Next() {
		var id int
		var currency string
		if err := rows.Scan(&id, &currency); err != nil {
			return err
		}
		seen++
		if want, written := model[id]; written && currency != want || !written && currency != before {
			lost++
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	lost += max(0, s.rows-seen)
	fmt.Fprintf(s.out, "\n%d writes acknowledged, %d rows compared, %d lost.\n", s.shop.writes(), seen, lost)
	if lost > 0 {
		return fmt.Errorf("%d rows are not what the application was told", lost)
	}
	return nil
}
