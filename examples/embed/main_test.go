package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is the shop itself where this variable is set, so that the
// whole program is played, with its arguments and exit codes.
const playShop = "SHOP_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(playShop) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func shop(t *testing.T, db string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), playShop+"=1", "SHOP_DB=sqlite:"+db, "STOPOVER_FORMAT=", "NO_COLOR=1")
	cmd.Dir = t.TempDir() // nothing is read from the working directory
	return cmd
}

// finish runs a command to its end.
func finish(t *testing.T, cmd *exec.Cmd, exit int, says string) {
	t.Helper()
	text, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != exit {
		t.Fatalf("%v: exit %d (%v), want %d:\n%s", cmd.Args[1:], got, err, exit, text)
	}
	if !bytes.Contains(text, []byte(says)) {
		t.Fatalf("%v does not say %q:\n%s", cmd.Args[1:], says, text)
	}
}

func TestTheShopStartsOnlyWhereItsDatabaseIsReady(t *testing.T) {
	db := filepath.Join(t.TempDir(), "shop.db")
	finish(t, shop(t, db), 2, "usage: shop serve")
	finish(t, shop(t, db, "serve"), 1, "the database is pending; next: shop migrate plan")
	finish(t, shop(t, db, "migrate", "apply"), 2, "next: shop migrate apply --yes")
	finish(t, shop(t, db, "migrate", "apply", "--to", "main:0001_orders", "--yes"), 0, "1 step done")
	finish(t, shop(t, db, "serve"), 1, "the database is pending")
	finish(t, shop(t, db, "migrate", "apply", "--yes"), 0, "3 steps done")
	finish(t, shop(t, db, "migrate", "status"), 0, "at 0002_currency: nothing to do")
	greeting(t, shop(t, db, "serve"))
}

// greeting starts the service, asks it once, and ends it.
func greeting(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the service says nothing: %v", err)
	}
	address := strings.TrimSpace(strings.TrimPrefix(line, "shop serves "))
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || string(text) != "hello from the shop\n" {
		t.Errorf("it answers %q, %v", text, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it does not end in order: %v", err)
	}
}
