package postgres_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/store"
)

// rounds of the race between a holder that is stopped at a random moment and a
// taker.
const rounds = 1000

func TestStoppedHolderCommitsNothingAfterTakeover(t *testing.T) {
	if late, n := race(t, "stopover", false); late > 0 {
		t.Errorf("%d of %d takeovers were followed by a commit of the displaced holder", late, n)
	}
}

// The race has to be able to tell: guards that look right lose it.
func TestWrongGuardsLoseTheRace(t *testing.T) {
	for _, guard := range []string{"plain select at start", "key share last"} {
		t.Run(guard, func(t *testing.T) {
			late, n := race(t, guard, true)
			if late == 0 {
				t.Errorf("no violation in %d takeovers: the race proves nothing", n)
			}
			t.Logf("%d violations in %d takeovers", late, n)
		})
	}
}

// race gives the number of takeovers after which rows of the old epoch still
// appeared. first: stop at the first one.
func race(t *testing.T, guard string, first bool) (late, n int) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE work (epoch bigint)")
	swap(t, s, store.Note{Key: "epoch", Value: []byte("1")})
	taker := connect(t, url)
	holder := start(t, guard, url, "")
	for n = 1; n <= rounds; n++ {
		holder.want(t, "holds")
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		holder.signal(t, syscall.SIGSTOP)
		old, before := takeOver(t, taker)
		holder.signal(t, syscall.SIGCONT)
		holder.want(t, "fenced")
		if after := countWork(t, taker, old); after > before {
			late++
			if first {
				return late, n
			}
		}
	}
	return late, n - 1
}

// takeOver moves the epoch and counts, in the same transaction, what the old
// one has done.
func takeOver(t *testing.T, conn *pgx.Conn) (old int64, rows int) {
	t.Helper()
	ctx := t.Context()
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT rev FROM stopover_note WHERE key = 'epoch'").Scan(&old); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE stopover_note SET rev = nextval('stopover_rev') WHERE key = 'epoch'"); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT count(*) FROM work WHERE epoch = $1", old).Scan(&rows)
	})
	if err != nil {
		t.Fatal(err)
	}
	return old, rows
}

func countWork(t *testing.T, conn *pgx.Conn, epoch int64) (rows int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM work WHERE epoch = $1", epoch).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// The holder dies in the middle of a statement; its backend would go on for a
// minute, with its locks.
func TestDeadHolderLetsGoOfItsLocks(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE orders (id int)")
	holder := start(t, "whole", url, "ALTER TABLE orders ADD a int; SELECT pg_sleep(60)")
	await(t, s, "other/1")
	holder.signal(t, syscall.SIGKILL)
	_, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, "ALTER TABLE orders ADD a text"), Wait: 10 * time.Second})
	if err != nil {
		t.Fatal("the successor: ", err)
	}
}
