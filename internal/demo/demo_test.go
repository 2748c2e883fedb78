package demo

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

// TestMain plays the parts: the demo starts this test program as the shop, and
// as stopover.
func TestMain(m *testing.M) {
	t := stopover.Terminal{Args: os.Args[1:], Lookup: os.LookupEnv, In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	if exit, played := Part(context.Background(), t); played {
		os.Exit(exit)
	}
	if _, isChild := os.LookupEnv(partVariable); isChild {
		os.Exit(stopover.Main(context.Background(), stopover.Config{Kinds: []store.Kind{sqlite.Kind()}}))
	}
	os.Exit(m.Run())
}

// theatre is where a test plays the demo.
type theatre struct {
	ask      stopover.DemoOptions
	terminal stopover.Terminal
	shown    *shown
}

// shown is what the watcher sees; a test may wait for a text in it.
type shown struct {
	mu   sync.Mutex
	text bytes.Buffer
	wake chan struct{}
}

func (s *shown) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return s.text.Write(data)
}

func (s *shown) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the watcher has seen a text.
func (s *shown) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !strings.Contains(s.String(), text) {
		select {
		case <-s.wake:
		case <-deadline:
			t.Errorf("%q was not shown:\n%s", text, s)
			return
		}
	}
}

func newTheatre(t *testing.T) theatre {
	seen := &shown{wake: make(chan struct{}, 1)}
	return theatre{
		ask:      stopover.DemoOptions{Orders: 8_000, Folder: t.TempDir()},
		terminal: stopover.Terminal{Lookup: os.LookupEnv, Out: seen, Err: seen},
		shown:    seen,
	}
}

// orphans lists the processes that were given the folder, or run in it.
func orphans(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, _ := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
		in, _ := os.Readlink("/proc/" + entry.Name() + "/cwd")
		if strings.Contains(string(line), folder) || in == folder {
			found = append(found, entry.Name()+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestTheDemoLosesNothing(t *testing.T) {
	t.Parallel()
	th := newTheatre(t)
	doc, err := Play(t.Context(), th.ask, th.terminal)
	if err != nil {
		t.Fatalf("%v\n%s", err, th.shown)
	}
	if doc.Kills != 1 || doc.Lost != 0 || doc.Writes < 100 {
		t.Errorf("%d kills, %d lost, %d writes", doc.Kills, doc.Lost, doc.Writes)
	}
	if len(doc.Digests) < 5 {
		t.Errorf("only %d things were compared", len(doc.Digests))
	}
	for _, check := range doc.Digests {
		if check.Want != check.Got || check.Want == "" {
			t.Errorf("%s: want %q, got %q", check.What, check.Want, check.Got)
		}
	}
	if doc.Orders <= int64(th.ask.Orders) {
		t.Errorf("%d orders in the end: the shop wrote none", doc.Orders)
	}
	exits := map[string]int{}
	for _, act := range doc.Acts {
		exits[act.Command] = act.Exit
		if act.Output == "" {
			t.Errorf("%s said nothing", act.Command)
		}
	}
	for command, exit := range map[string]int{"stopover verify": 5, "stopover cleanup": 3, "stopover cleanup --yes": 0, "stopover check": 0} {
		if got, played := exits[command]; !played || got != exit {
			t.Errorf("%s: exit %d (played: %t), want %d", command, got, played, exit)
		}
	}
	for _, text := range []string{"kill -9", "goes on at", "opened again", "$ stopover cleanup --yes"} {
		if !strings.Contains(th.shown.String(), text) {
			t.Errorf("%q was not shown", text)
		}
	}
	if left := orphans(t, th.ask.Folder); len(left) > 0 {
		t.Errorf("still running: %v", left)
	}
}

// A write that is lost, doubled or changed must not be overlooked.
func TestTheDemoFailsWhenTheAccountIsOff(t *testing.T) {
	t.Parallel()
	spoil := map[string]string{
		"lost":    `DELETE FROM orders WHERE id = (SELECT max(id) FROM orders)`,
		"doubled": `INSERT INTO orders (customer, placed, cents, currency) SELECT customer, placed, cents, currency FROM orders WHERE id = 7`,
		"amount":  `UPDATE orders SET cents = cents - 1 WHERE id = 11`,
		"swapped": `UPDATE orders SET customer = customer + 1 WHERE id = 12`,
		"address": `UPDATE customers SET email = 'nobody@example.com' WHERE id = 3`,
	}
	for name, statement := range spoil {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, p := closedShop(t)
			change(t, db, statement)
			doc := &wire.Demo{Head: wire.NewHead("demo")}
			if err := p.compare(t.Context(), db, doc); err != nil {
				t.Fatal(err)
			}
			if doc.Lost != 1 {
				t.Errorf("%d lost, want 1", doc.Lost)
			}
			var failed *stopover.Failure
			if err := verdict(doc); !errors.As(err, &failed) || failed.Exit != stopover.ExitFailed {
				t.Errorf("the demo ends with %v, want exit code 1", err)
			}
		})
	}
	t.Run("as it is", func(t *testing.T) {
		db, p := closedShop(t)
		doc := &wire.Demo{Head: wire.NewHead("demo")}
		if err := errors.Join(p.compare(t.Context(), db, doc), verdict(doc)); err != nil {
			t.Error(err)
		}
	})
}

// closedShop is the state in which the account is taken, made without an
// upgrade: the newest release's project on an empty store, and its past.
func closedShop(t *testing.T) (*sql.DB, *play) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &play{program: program, folder: t.TempDir(), terminal: stopover.Terminal{Lookup: os.LookupEnv}, stage: &stage{}, model: past(100)}
	if err := begin(p.folder); err != nil {
		t.Fatal(err)
	}
	for _, release := range []string{"1.0", "1.1", "1.2", "1.2.1"} {
		if err := ship(p.folder, release); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.run(t.Context(), "init --yes", stopover.ExitDone); err != nil {
		t.Fatal(err)
	}
	db, err := openShop(filepath.Join(p.folder, database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	change(t, db, "BEGIN")
	for id, o := range p.model.orders {
		change(t, db, `INSERT INTO orders (id, customer, placed, cents, currency) VALUES (?, ?, '', ?, ?)`, id, o.customer, o.cents, o.currency)
	}
	for id, mail := range p.model.customers {
		change(t, db, `INSERT INTO customers (id, name, email) VALUES (?, '', ?)`, id, mail)
	}
	change(t, db, "COMMIT")
	return db, p
}

func change(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// A write that goes missing while the shop trades ends the account with exit
// code 1.
func TestALostWriteEndsTheDemoWithAnError(t *testing.T) {
	t.Parallel()
	_, p := closedShop(t)
	p.between = func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, `UPDATE orders SET cents = cents - 1 WHERE id = (SELECT max(id) FROM orders)`)
		return err
	}
	newest, err := p.start(t.Context(), "1.2")
	if err != nil {
		t.Fatal(err)
	}
	doc := &wire.Demo{Head: wire.NewHead("demo")}
	err = p.account(t.Context(), newest, doc)
	var failed *stopover.Failure
	if !errors.As(err, &failed) || failed.Exit != stopover.ExitFailed || doc.Lost != 1 {
		t.Errorf("the demo ends with %v and %d lost, want exit code 1 and 1 lost", err, doc.Lost)
	}
	if left := orphans(t, p.folder); len(left) > 0 {
		t.Errorf("still running: %v", left)
	}
}

// An interrupt while a command waits and the shop writes leaves no process and
// no folder.
func TestAnInterruptLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	th := newTheatre(t)
	th.ask.Folder = ""
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var doc *wire.Demo
	go func() {
		var err error
		doc, err = Play(ctx, th.ask, th.terminal)
		ended <- err
	}()
	th.shown.await(t, "waiting for the lease")
	interrupt()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the demo ends with %v, want %v", err, context.Canceled)
	}
	if left := orphans(t, doc.Folder); len(left) > 0 {
		t.Errorf("still running: %v", left)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

// Whatever state the play is in, its end ends every process.
func TestTheEndEndsTheShops(t *testing.T) {
	_, p := closedShop(t)
	for _, release := range []string{"1.1", "1.2"} {
		if _, err := p.start(t.Context(), release); release == "1.2" && err != nil {
			t.Fatal(err)
		} else if release == "1.1" && err == nil {
			t.Error("1.1 writes to a store whose old form is gone")
		}
	}
	if running := orphans(t, p.folder); len(running) != 1 {
		t.Errorf("running: %v, want only 1.2", running)
	}
	p.end()
	if left := orphans(t, p.folder); len(left) > 0 {
		t.Errorf("still running: %v", left)
	}
}

func TestWhereTheDemoIsNotPlayed(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(full+"/mine.txt", []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]stopover.DemoOptions{
		"a folder that is not empty": {Orders: fewest, Folder: full},
		"too few orders":             {Orders: fewest - 1, Folder: t.TempDir()},
	} {
		var failed *stopover.Failure
		if _, err := Play(t.Context(), ask, newTheatre(t).terminal); !errors.As(err, &failed) || failed.Exit != stopover.ExitUsage {
			t.Errorf("%s: %v, want exit code 2", name, err)
		}
	}
	if left, err := os.ReadDir(full); err != nil || len(left) != 1 {
		t.Errorf("the folder that is not empty holds %v, %v", left, err)
	}
}
