package stopover

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/stopover-dev/stopover/internal/cli"
	"github.com/stopover-dev/stopover/internal/wire"
)

// runProgram carries out `run`: its exit code is the program's, and what it says
// itself goes to standard error, since the rest belongs to the program.
func (c *command) runProgram(ctx context.Context, app *App, ask cli.Run) int {
	signals := make(chan os.Signal, 8)
	defer signal.Stop(signals)
	started := false
	options := RunOptions{JoinOptions: JoinOptions{Component: ask.Component, Release: ask.Release, Instance: ask.Instance, TTL: ask.TTL},
		Wait: ask.Wait, Command: ask.Program, Env: os.Environ(), Stdin: c.t.In, Stdout: c.t.Out, Stderr: c.t.Err,
		Signals: forwarded(signals, isTerminal(c.t.In)), Grace: ask.Grace, Progress: c.waiting(),
		// Before, signals end the waiting as they end any process. What is ignored,
		// as after nohup, stays ignored by both: to ask for it would end that.
		Entered: func() {
			started = ctx.Err() == nil
			if passed := slices.DeleteFunc(passedOn(), signal.Ignored); len(passed) > 0 { // of none, Notify would make all
				signal.Notify(signals, passed...)
			}
		}}
	c.t.Out = c.t.Err
	exit, err := app.RunProgram(ctx, options)
	closing := app.Close()
	switch {
	case err != nil && ctx.Err() != nil && !started:
		return c.end(nil, &Failure{Exit: ExitInterrupted, Next: []string{c.typed()},
			Detail: wire.Error{Kind: wire.KindInterrupted, Message: "interrupted before the program was started", Safe: nothingChanged}})
	case err != nil:
		return c.end(&wire.Failure{Head: wire.NewHead(c.request.Command)}, app.explain("", err))
	case closing != nil:
		fmt.Fprintf(c.t.Err, "%s: close the stores: %v\n", c.cfg.Program, closing)
	}
	return exit
}

// waiting tells what is waited for when it changes, and now and then.
func (c *command) waiting() func(Waiting) {
	var told reminder
	return func(w Waiting) {
		if !c.request.Global.Quiet && told.due(w.Text) {
			fmt.Fprintf(c.t.Err, "%s: waits: %s\n", c.cfg.Program, w.Text)
		}
	}
}

// forwarded leaves out what the terminal sends to the program as well: the keys
// for interrupt and quit, and the end of the session, go to all of its
// foreground processes.
func forwarded(signals <-chan os.Signal, terminal bool) <-chan os.Signal {
	if !terminal {
		return signals
	}
	rest := make(chan os.Signal, cap(signals))
	go func() {
		for s := range signals {
			if s != syscall.SIGINT && s != syscall.SIGQUIT && s != syscall.SIGHUP {
				rest <- s
			}
		}
	}()
	return rest
}
