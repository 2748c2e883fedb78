// Command bench measures what the project claims about speed and memory, and
// prints where it stands. A claim about time is a ratio: Stopover's run against
// the same statements sent by the barest program, or against goose's run, in
// rounds that take turns, so that a slow moment of the machine hits all alike.
//
// It is a module of its own: the tools that it compares with are no
// dependencies of the product.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// options are the flags.
type options struct {
	only   *regexp.Regexp
	rounds int
	quick  bool
	strict bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := bench(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func bench(ctx context.Context, args []string) int {
	o, err := parse(args)
	if err != nil {
		return 2
	}
	met, err := measureAll(ctx, o)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	case !met && o.strict:
		return 1
	}
	return 0
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "measure the parts whose names match this regular `expression`")
	flags.IntVar(&o.rounds, "rounds", 0, "`number` of rounds of whole runs (0: what suits each part)")
	flags.BoolVar(&o.quick, "quick", false, "fifths of the sizes and 3 rounds: to see that it works, not to quote")
	flags.BoolVar(&o.strict, "strict", false, "exit with 1 if a claim is not met")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		fmt.Fprintln(os.Stderr, "bench: -only:", err)
	}
	return o, err
}

// part is a group of rows that are measured together.
type part struct {
	name    string
	measure func(context.Context, *site) ([]row, error)
}

func parts() []part {
	return []part{
		{"postgres-1000", postgresRun{migrations: 1000, rounds: 9}.measure},
		{"postgres-5000", postgresRun{migrations: 5000, rounds: 5}.measure},
		{"postgres-fsync", postgresRun{migrations: 1000, rounds: 3, durable: true}.measure},
		{"sqlite-1000", sqliteRun{migrations: 1000, rounds: 9}.measure},
		{"idle-postgres-1000", idle{kind: onPostgres, migrations: 1000, rounds: 25}.measure},
		{"idle-postgres-5000", idle{kind: onPostgres, migrations: 5000, rounds: 25}.measure},
		{"idle-sqlite-1000", idle{kind: onSQLite, migrations: 1000, rounds: 25}.measure},
		{"idle-sqlite-5000", idle{kind: onSQLite, migrations: 5000, rounds: 25}.measure},
		{"check", measureCheck},
		{"fleet", measureFleet},
		{"backfill-bigint", measureBackfill},
		{"backfill-uuid", otherKey{"uuid", uuidPeople, "id"}.measure},
		{"backfill-composite", otherKey{"composite", compositePeople, "tenant,n"}.measure},
		{"ddl-behind-reader", measureDDL},
		{"planner", measurePlanner},
		{"redis-copy", redisCopy{}.measure},
		{"redis-copy-cluster", redisCopy{cluster: true}.measure},
		{"redis-live", redisLive{}.measure},
		{"redis-live-cluster", redisLive{cluster: true}.measure},
		{"redis-compare", redisCompare{}.measure},
		{"redis-compare-cluster", redisCompare{cluster: true}.measure},
		{"redis-rewrite", redisRewrite{}.measure},
		{"redis-rewrite-cluster", redisRewrite{cluster: true}.measure},
		{"redis-memory", redisMemory},
	}
}

// measureAll prints the table and tells whether all claims are met.
func measureAll(ctx context.Context, o options) (met bool, err error) {
	s, err := openSite(ctx, o)
	if err != nil {
		return false, err
	}
	defer func() {
		if closing := s.close(); err == nil {
			err = closing
		}
	}()
	var rows []row
	for _, p := range parts() {
		if !o.only.MatchString(p.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s\n", p.name)
		some, err := p.measure(ctx, s)
		if err != nil {
			return false, fmt.Errorf("measure %s: %w", p.name, err)
		}
		rows = append(rows, some...)
	}
	header, err := s.header()
	if err != nil {
		return false, err
	}
	return printTable(os.Stdout, header, rows)
}
