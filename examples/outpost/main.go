// Command outpost-migrate does what Outpost's own migration tool for Redis does,
// with its commands, flags and variables, over Stopover: beside an Outpost that is
// at work until the cutover, and without losing what that tool loses. Everything
// else that Stopover can do is there as well: outpost-migrate status, --help.
package main

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/redis"
	"github.com/stopover-dev/stopover/store"
)

//go:embed stopover.yaml migrations
var files embed.FS

const program = "outpost-migrate"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second interrupt ends the process
	os.Exit(run(ctx, stopover.Terminal{Args: os.Args[1:], Lookup: os.LookupEnv, In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

func run(ctx context.Context, t stopover.Terminal) int {
	settings, args, err := read(t.Args, t.Lookup)
	if err != nil {
		fmt.Fprintf(t.Err, "%s: %v\n", program, err)
		return stopover.ExitUsage
	}
	if settings.verbose {
		fmt.Fprintln(t.Err, settings)
	}
	goredis.SetLogger(silent{}) // what goes wrong is said once, by Stopover
	m := migrator{settings: settings, client: settings.client(), t: t}
	defer m.client.Close()
	code, err := m.command(ctx, args)
	if err != nil {
		fmt.Fprintf(t.Err, "%s: %v\n", program, err)
		return max(code, stopover.ExitFailed)
	}
	return code
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// migrator carries out one command.
type migrator struct {
	settings settings
	client   goredis.UniversalClient // for what is Outpost's own: its lock and its records
	t        stopover.Terminal
}

// command does what Outpost's tool has its own ways for, and leaves the rest to
// Stopover.
func (m *migrator) command(ctx context.Context, args []string) (int, error) {
	name, rest := "", args
	if len(args) > 0 {
		name, rest = args[0], args[1:]
	}
	switch name {
	case "plan", "list", "verify", "status", "check", "cleanup":
		if state, err := m.state(ctx); err != nil || state == "unstamped" {
			return stopover.ExitUndecided, cmp.Or(err, fmt.Errorf("nobody has taken over what is below %s yet\nnext: %s init", m.settings.below("tenant:"), program))
		}
	}
	switch name {
	case "init":
		return m.initialize(ctx, rest)
	case "apply":
		return m.change(ctx, append([]string{"apply", "--offline"}, rest...))
	case "cleanup":
		return m.cleanup(ctx, rest)
	case "unlock":
		return m.unlock(ctx, rest)
	}
	return m.stopover(ctx, args), nil
}

// stopover is Stopover's own command line.
func (m *migrator) stopover(ctx context.Context, args []string) int {
	t := m.t
	t.Args = args
	return stopover.Run(ctx, m.config(), t)
}

// stopOutpost calls the command that stops the old Outpost when everything is
// copied and the old names are about to lose their place. Until then it is at work,
// and what it writes is followed. If the command fails nothing is cut over.
func (m *migrator) stopOutpost(ctx context.Context, giveUp context.CancelCauseFunc) func(stopover.Event) {
	return func(e stopover.Event) {
		if m.settings.stop == "" || e.Step != stopover.Cutover.String() || e.Kind != "begun" && e.Kind != "resumed" {
			return
		}
		fmt.Fprintf(m.t.Err, "stops Outpost: %s\n", m.settings.stop)
		stop := exec.CommandContext(ctx, "/bin/sh", "-c", m.settings.stop)
		stop.Stdout, stop.Stderr = m.t.Err, m.t.Err
		if err := stop.Run(); err != nil {
			giveUp(fmt.Errorf("nothing was cut over, because Outpost was not stopped: %w", err))
		}
	}
}

func (m *migrator) config() stopover.Config {
	return stopover.Config{Kinds: []store.Kind{redis.Kind()}, Files: files, Migrations: []stopover.Migration{m.names()},
		Program: program, Lookup: func(name string) (string, bool) {
			if value, ok := m.settings.variable(name); ok {
				return value, true
			}
			return m.t.Lookup(name)
		}}
}

// initialize takes over what is there. An empty store gets all migrations at
// once. With --current it tells by its exit code whether any are pending.
func (m *migrator) initialize(ctx context.Context, rest []string) (int, error) {
	current := slices.Contains(rest, "--current")
	state, err := m.state(ctx)
	if err != nil {
		return 0, err
	}
	code := 0
	if state == "unstamped" || state == "empty" {
		code, err = m.change(ctx, append([]string{"init", "--yes"}, without(rest, "--current", "--yes")...))
	}
	if err != nil || code != 0 {
		return code, err
	}
	if !current {
		return m.stopover(ctx, []string{"status"}), nil
	}
	if code = m.stopover(ctx, []string{"check"}); code == stopover.ExitRefused {
		code = 1 // what scripts for Outpost's tool expect
	}
	return code, nil
}

// change performs a command that changes the store, under Outpost's lock. A store
// that nobody has taken over yet is adopted before it.
func (m *migrator) change(ctx context.Context, args []string) (code int, err error) {
	lock, err := m.lock(ctx)
	if errors.As(err, new(heldError)) {
		return stopover.ExitRefused, err
	}
	if err != nil {
		return stopover.ExitFailed, err
	}
	defer func() {
		if closing := lock.release(); err == nil {
			err = closing
		}
	}()
	state, err := m.state(lock.ctx)
	if err != nil {
		return 0, err
	}
	adopted := state == "unstamped"
	if adopted {
		if err := m.adopt(lock.ctx); err != nil {
			return stopover.ExitUndecided, err
		}
	}
	if !adopted || args[0] != "init" { // what init is about is done then
		cfg, t := m.config(), m.t
		cfg.Events, t.Args = m.stopOutpost(lock.ctx, lock.stop), args
		code = stopover.Run(lock.ctx, cfg, t)
	}
	if lock.ctx.Err() != nil {
		return code, nil // why is told when it is released
	}
	return code, m.record(lock.ctx)
}

// cleanup verifies first, unless it is forced. What it deletes is proven key by
// key in any case.
func (m *migrator) cleanup(ctx context.Context, rest []string) (int, error) {
	if !slices.Contains(rest, "--force") {
		if code := m.stopover(ctx, []string{"verify"}); code != 0 {
			fmt.Fprintf(m.t.Err, "next: %s cleanup --force   (without this verify; each key that is deleted is proven by itself)\n", program)
			return code, nil
		}
	}
	return m.change(ctx, append([]string{"cleanup"}, without(rest, "--force")...))
}

// unlock clears the lock of Outpost's tool, then Stopover's if its holder is dead.
func (m *migrator) unlock(ctx context.Context, rest []string) (int, error) {
	held, err := m.holders(ctx)
	if err != nil {
		return 0, err
	}
	for _, lock := range held {
		fmt.Fprintf(m.t.Out, "%s\n", lock)
	}
	if len(held) > 0 && !slices.Contains(rest, "--yes") && !agreed(m.t.In, m.t.Err) {
		return stopover.ExitUsage, fmt.Errorf("nothing was cleared; next: %s unlock --yes", program)
	}
	for _, lock := range held {
		if err := lock.clear(ctx, m.client); err != nil {
			return 0, err
		}
		fmt.Fprintf(m.t.Out, "%s is cleared\n", lock.key)
	}
	if state, err := m.state(ctx); err != nil || state == "unstamped" || state == "empty" {
		return 0, err
	}
	return m.stopover(ctx, append([]string{"unlock"}, rest...)), nil
}

// agreed asks whether a lock may be cleared.
func agreed(in io.Reader, out io.Writer) bool {
	fmt.Fprint(out, "A migration that is still running would not notice. Clear it? [y/N] ")
	var answer string
	_, err := fmt.Fscanln(in, &answer)
	return err == nil && (answer == "y" || answer == "yes")
}

func without(args []string, words ...string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return slices.Contains(words, arg) })
}
