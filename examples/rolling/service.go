package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover"
)

// sessions is how many sessions there are.
const sessions = 500

// service is one instance of a component, at one release.
type service struct {
	component string
	release   release
	name      string
	first     int64 // its orders are numbered from here on
	placed    int64
	columns   []string
	db        *pgx.Conn
	cache     *goredis.Client
	random    *rand.Rand
	log       *bufio.Writer
	retried   int
}

// entry is a write that was acknowledged, or, in the last line of a log, what
// had to be tried again.
type entry struct {
	Order    int64  `json:"order,omitempty"`
	Currency string `json:"currency,omitempty"`
	Address  string `json:"address,omitempty"`
	Session  int    `json:"session,omitempty"`
	Reads    int    `json:"reads,omitempty"`
	Retried  int    `json:"retried,omitempty"`
}

// serve runs a service until it is told to end. Its gate is Join.
func serve(ctx context.Context, component, number, name, dir string, first int64, every time.Duration) (err error) {
	r, err := parseRelease(number)
	if err != nil {
		return err
	}
	cfg := config()
	cfg.Release = number
	app, err := stopover.Open(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.Close()) }()
	instance, err := app.Join(ctx, stopover.JoinOptions{Component: component, Instance: name, TTL: 5 * time.Second})
	if err != nil {
		return err
	}
	defer instance.Leave(context.WithoutCancel(ctx))
	s := &service{component: component, release: r, name: name, first: first, columns: r.writes(), random: rand.New(rand.NewPCG(uint64(first), 0))}
	if err := s.connect(ctx, instance.SessionName()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.db.Close(context.WithoutCancel(ctx)), s.cache.Close()) }()
	file, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return err
	}
	s.log = bufio.NewWriter(file)
	defer func() {
		err = errors.Join(err, s.tell(entry{Retried: s.retried}), s.log.Flush(), file.Close())
	}()
	if err := os.WriteFile(filepath.Join(dir, name+".ready"), nil, 0o600); err != nil {
		return err
	}
	for next := time.Now(); ctx.Err() == nil; next = next.Add(every) {
		select {
		case <-ctx.Done():
			return nil
		case <-instance.Lost():
			return instance.Err()
		case <-time.After(time.Until(next)):
		}
		if err := s.once(context.WithoutCancel(ctx)); err != nil { // what was begun is ended
			return fmt.Errorf("%s %s: %w", component, r, err)
		}
	}
	return nil
}

func (s *service) connect(ctx context.Context, name string) error {
	config, err := pgx.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = name
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // statements outlive no change of a table
	if s.db, err = pgx.ConnectConfig(ctx, config); err != nil {
		return err
	}
	options, err := goredis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		return err
	}
	options.MaxRetries = -1 // an increment is not sent twice
	options.ClientName = name
	s.cache = goredis.NewClient(options)
	return nil
}

// once does one thing that the component does.
func (s *service) once(ctx context.Context) error {
	switch {
	case s.component == "web":
		return s.read(ctx)
	case s.component == "worker" || s.random.IntN(2) == 0:
		return s.count(ctx)
	case s.placed == 0 || s.random.IntN(2) == 0:
		return s.place(ctx)
	}
	return s.change(ctx)
}

// count counts a hit of a session.
func (s *service) count(ctx context.Context) error {
	session := s.random.IntN(sessions) + 1
	if err := s.cache.Eval(ctx, s.release.counts(), []string{fmt.Sprintf("%ssession:%d", prefix, session)}).Err(); err != nil {
		return err
	}
	return s.tell(entry{Session: session})
}

// place inserts a new order.
func (s *service) place(ctx context.Context) error {
	e := entry{Order: s.first + s.placed + 1, Currency: currencies[s.random.IntN(len(currencies))]}
	street, town := fmt.Sprintf("Mill Lane %d", e.Order), "Ghent"
	e.Address = street + ", " + town
	values := map[string]any{"id": e.Order, "cur_code": e.Currency, "currency": e.Currency, "street": street, "town": town, "address": e.Address}
	err := s.insist(ctx, func() (string, []any) {
		var marks []string
		var args []any
		for i, column := range s.columns {
			marks = append(marks, fmt.Sprintf("$%d", i+1))
			args = append(args, values[column])
		}
		return fmt.Sprintf("INSERT INTO %s.orders (%s) VALUES (%s)", schema, strings.Join(s.columns, ", "), strings.Join(marks, ", ")), args
	})
	if err != nil {
		return err
	}
	s.placed++
	return s.tell(e)
}

var currencies = []string{"EUR", "USD", "CHF", "JPY"}

// change changes the currency of an order that this instance has placed.
func (s *service) change(ctx context.Context) error {
	e := entry{Order: s.first + 1 + s.random.Int64N(s.placed), Currency: currencies[s.random.IntN(len(currencies))]}
	err := s.insist(ctx, func() (string, []any) {
		var set []string
		for _, column := range s.columns {
			if column == "cur_code" || column == "currency" {
				set = append(set, column+" = $1")
			}
		}
		return fmt.Sprintf("UPDATE %s.orders SET %s WHERE id = $2", schema, strings.Join(set, ", ")), []any{e.Currency, e.Order}
	})
	if err != nil {
		return err
	}
	return s.tell(e)
}

// insist performs a statement, which is tried again if the server took it back
// for a reason that a retry cures, or because a column has gone that the release
// may do without.
func (s *service) insist(ctx context.Context, make func() (string, []any)) error {
	for tries := 0; ; tries++ {
		text, args := make()
		tag, err := s.db.Exec(ctx, text, args...)
		var refused *pgconn.PgError
		switch {
		case err == nil && tag.RowsAffected() != 1:
			return fmt.Errorf("%s: %d rows", text, tag.RowsAffected())
		case err == nil:
			return nil
		case !errors.As(err, &refused) || tries == 20:
			return err
		case refused.Code == "42703":
			if !s.forget(refused.Message) {
				return err
			}
		case refused.Code != "40P01" && refused.Code != "40001" && refused.Code != "55P03":
			return err
		}
		s.retried++
	}
}

// forget leaves a column out from now on.
func (s *service) forget(message string) bool {
	for i, column := range s.columns {
		if strings.Contains(message, `"`+column+`"`) && s.release.goes(column) {
			s.columns = append(s.columns[:i:i], s.columns[i+1:]...)
			return true
		}
	}
	return false
}

// read reads one of the orders that were there from the beginning, and fails if
// it is not whole in the form that this release knows.
func (s *service) read(ctx context.Context) error {
	id := s.random.Int64N(oldOrders) + 1
	var currency, address *string
	if err := s.db.QueryRow(ctx, s.release.reads(), id).Scan(&currency, &address); err != nil {
		return fmt.Errorf("read order %d: %w", id, err)
	}
	if currency == nil || address == nil || *currency != "EUR" || *address != oldAddress(id) {
		return fmt.Errorf("order %d is not what it was", id)
	}
	return s.tell(entry{Reads: 1})
}

func (s *service) tell(e entry) error {
	return json.NewEncoder(s.log).Encode(e)
}
