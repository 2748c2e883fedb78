package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"time"

	// The driver "sqlite".
	_ "modernc.org/sqlite"
)

// breath is how long the shop rests between two writes.
const breath = 3 * time.Millisecond

// shop is the application: a process that writes orders until its standard
// input ends, which it also does when the demo dies.
type shop struct {
	release release
	number  int // of its release; customers are divided among releases by it
	db      *sql.DB
	random  *rand.Rand
	out     *json.Encoder
}

// openShop opens the database as an application does that knows nothing of an
// upgrade under way.
func openShop(file string) (*sql.DB, error) {
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(file), RawQuery: url.Values{
		"_pragma": {"busy_timeout(20000)", "journal_mode(wal)", "synchronous(normal)"},
		"_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// trade is the whole life of a shop's process.
func trade(ctx context.Context, file, id string, in io.Reader, out io.Writer) (err error) {
	r, number, known := releaseOf(id)
	if !known {
		return fmt.Errorf("there is no release %q of the shop", id)
	}
	db, err := openShop(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	closing := make(chan struct{})
	go func() {
		defer close(closing)
		_, _ = io.Copy(io.Discard, in) // its end is what matters
	}()
	s := &shop{release: r, number: number, db: db, random: rand.New(rand.NewPCG(3, uint64(number))), out: json.NewEncoder(out)}
	rest := time.NewTicker(breath)
	defer rest.Stop()
	for {
		select {
		case <-closing:
			return nil
		case <-rest.C:
		}
		if err := s.sell(ctx); err != nil {
			return fmt.Errorf("release %s of the shop: %w", id, err)
		}
	}
}

// sell makes one write and acknowledges it after it was committed.
func (s *shop) sell(ctx context.Context) error {
	begun := time.Now()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	var w write
	switch n := s.random.IntN(10); {
	case n < 4:
		w, err = s.place(ctx, tx)
	case n < 9:
		w, err = s.amend(ctx, tx)
	default:
		w, err = s.move(ctx, tx)
	}
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	w.Took = time.Since(begun).Microseconds()
	return s.out.Encode(w)
}

// place takes a new order.
func (s *shop) place(ctx context.Context, tx *sql.Tx) (write, error) {
	w := write{What: placed, Cents: 5 + s.random.Int64N(50_000), Currency: currencies[s.random.IntN(len(currencies))]}
	var err error
	if w.Customer, err = s.pick(ctx, tx, "customers"); err != nil {
		return w, err
	}
	text, args := s.release.place(w, time.Now().UTC().Format(time.DateTime))
	result, err := tx.ExecContext(ctx, text, args...)
	if err != nil {
		return w, err
	}
	w.ID, err = result.LastInsertId()
	return w, err
}

// amend adds something to an order: it reads the amount and writes the sum.
func (s *shop) amend(ctx context.Context, tx *sql.Tx) (write, error) {
	w := write{What: amended, Cents: 1 + s.random.Int64N(2_000)}
	var err error
	if w.ID, err = s.pick(ctx, tx, "orders"); err != nil {
		return w, err
	}
	var cents int64
	var text, currency string
	row := tx.QueryRowContext(ctx, s.release.read, w.ID)
	if s.release.asText {
		if err := row.Scan(&text, &currency); err != nil {
			return w, fmt.Errorf("read order %d: %w", w.ID, err)
		}
		cents, currency, err = parseTotal(text)
	} else {
		err = row.Scan(&cents, &currency)
	}
	if err != nil {
		return w, fmt.Errorf("read order %d: %w", w.ID, err)
	}
	statement, args := s.release.amend(w.ID, cents+w.Cents, currency)
	_, err = tx.ExecContext(ctx, statement, args...)
	return w, err
}

// move gives a customer a new address. Two releases that are alive together
// never move the same customer: whose address counts would not be known.
func (s *shop) move(ctx context.Context, tx *sql.Tx) (write, error) {
	id, err := s.pick(ctx, tx, "customers")
	if err != nil {
		return write{}, err
	}
	group := int64(len(releases))
	id = max(id-id%group, 0) + int64(s.number)
	if id == 0 {
		id = group
	}
	w := write{What: moved, ID: id, Mail: fmt.Sprintf("c%d.%d@example.org", id, s.random.IntN(1_000_000))}
	result, err := tx.ExecContext(ctx, s.release.move, w.Mail, w.ID)
	if err != nil {
		return w, err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return s.amend(ctx, tx) // the last group of customers is not whole
	}
	return w, nil
}

// pick gives the id of any row.
func (s *shop) pick(ctx context.Context, tx *sql.Tx, table string) (int64, error) {
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT max(id) FROM "+table).Scan(&last); err != nil {
		return 0, fmt.Errorf("read the last id of %s: %w", table, err)
	}
	return 1 + s.random.Int64N(last), nil
}
