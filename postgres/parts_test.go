package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// play lets the test binary play the part of another process, which dies with
// its parent; false if it has none to play.
func play(part string) bool {
	url := os.Getenv("STOPOVER_TEST_URL")
	var err error
	switch {
	case part == "":
		return false
	case part == "alone", part == "whole":
		err = performOnce(url, os.Getenv("STOPOVER_TEST_SQL"))
	default:
		err = hold(url, part)
	}
	fmt.Println("ended:", err)
	return true
}

// other is another process that plays a part.
type other struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, part, url, sql string) *other {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STOPOVER_TEST_PART="+part, "STOPOVER_TEST_URL="+url, "STOPOVER_TEST_SQL="+sql)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		io.Copy(io.Discard, out)
		cmd.Wait()
	})
	return &other{cmd: cmd, lines: bufio.NewScanner(out)}
}

func (o *other) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := o.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// want waits for the next line that the process prints.
func (o *other) want(t *testing.T, line string) {
	t.Helper()
	if !o.lines.Scan() {
		t.Fatalf("the other process ended: %v", o.lines.Err())
	}
	if o.lines.Text() != line {
		t.Fatalf("the other process says %q, want %q", o.lines.Text(), line)
	}
}

// performOnce performs an action under the session name "other/1".
func performOnce(url, sql string) error {
	ctx := context.Background()
	s, err := postgres.Open(ctx, store.Settings{URL: url})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Do(ctx, store.Task{Action: action(store.Whole, sql), Session: "other/1"})
	return err
}

// hold adds rows to the table work, each under the guard of the epoch as it was
// read last. It prints a line after the first row of an epoch, and one when the
// guard turned it away.
func hold(url, guard string) error {
	ctx := context.Background()
	opened, err := postgres.Open(ctx, store.Settings{URL: url})
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	for {
		view, err := opened.Look(ctx, "epoch")
		if err != nil {
			return err
		}
		for n := 0; err == nil; n++ {
			if n == 1 {
				fmt.Println("holds")
			}
			err = holders[guard](ctx, opened, conn.PgConn(), view.Notes[0])
		}
		if lost, ok := errors.AsType[*store.ConflictError](err); !ok || !lost.Guard {
			return err
		}
		fmt.Println("fenced")
	}
}

// holders add one row in their ways. The first is ours; the others are ways
// that look right.
var holders = map[string]func(context.Context, store.Store, *pgconn.PgConn, store.Note) error{
	"stopover": func(ctx context.Context, s store.Store, _ *pgconn.PgConn, epoch store.Note) error {
		_, err := s.Do(ctx, store.Task{Action: action(store.Whole, workSQL(epoch)), Guard: []store.Note{epoch}})
		return err
	},
	"plain select at start": func(ctx context.Context, _ store.Store, conn *pgconn.PgConn, epoch store.Note) error {
		for _, sql := range []string{"BEGIN;" + guardSQL(epoch, ""), workSQL(epoch), "COMMIT"} {
			if err := send(ctx, conn, sql); err != nil {
				return err
			}
		}
		return nil
	},
	"key share last": func(ctx context.Context, _ store.Store, conn *pgconn.PgConn, epoch store.Note) error {
		return send(ctx, conn, "BEGIN;"+workSQL(epoch)+";"+guardSQL(epoch, "FOR KEY SHARE")+";COMMIT")
	},
}

func workSQL(epoch store.Note) string { return fmt.Sprintf("INSERT INTO work VALUES (%d)", epoch.Rev) }

func guardSQL(epoch store.Note, lock string) string {
	return fmt.Sprintf("SELECT (CASE WHEN count(*) = 1 THEN '1' ELSE 'guard lost' END)::int FROM (SELECT 1 FROM stopover_note WHERE key = 'epoch' AND rev = %d %s) g", epoch.Rev, lock)
}

func send(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	_, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil && strings.Contains(err.Error(), "guard lost") {
		conn.Exec(ctx, "ROLLBACK").ReadAll()
		return &store.ConflictError{Key: "epoch", Guard: true}
	}
	return err
}
