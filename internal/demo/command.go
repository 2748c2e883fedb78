package demo

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

// most is how many lines of a command's output are shown.
const most = 14

// command is a stopover command in a process of its own.
type command struct {
	typed   string
	process *exec.Cmd
	screen  *screen
	begun   time.Time
}

// run runs a command as it is typed, and asks that it exits as it should.
func (p *play) run(ctx context.Context, words string, exit int) error {
	c, err := p.begin(ctx, words)
	if err != nil {
		return err
	}
	got, err := p.finish(ctx, c)
	if err != nil {
		return err
	}
	if got != exit {
		return fmt.Errorf("%s: exit code %d, and %d was due:\n%s", c.typed, got, exit, c.screen.text.String())
	}
	return nil
}

// begin starts a command. Its output is shown as it comes.
func (p *play) begin(ctx context.Context, words string) (*command, error) {
	c := &command{typed: "stopover " + words, screen: &screen{stage: p.stage, most: most}, begun: time.Now()}
	p.stage.typed(c.typed)
	args := strings.Fields(words)
	if p.stage.color {
		args = append(args, "--color", "always")
	}
	c.process = exec.CommandContext(ctx, p.program, args...)
	c.process.Dir, c.process.Env = p.folder, environment(p.terminal.Lookup, partCommand)
	c.process.Stdout, c.process.Stderr = c.screen, c.screen // one writer: the lines stay in order
	if err := c.process.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.typed, err)
	}
	return c, nil
}

// finish waits for a command's end. A command that was killed has the exit
// code that a shell shows.
func (p *play) finish(ctx context.Context, c *command) (exit int, err error) {
	err = c.process.Wait()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return 0, fmt.Errorf("%s: %w", c.typed, err)
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	exit = c.process.ProcessState.ExitCode()
	if exit < 0 {
		exit = killedExit
	}
	p.stage.done(c.typed, exit, c.screen.end(), time.Since(c.begun).Seconds())
	return exit, nil
}

// killedExit is 128 and the number of SIGKILL.
const killedExit = 137

// runKilled runs a command and kills its process when the backfill that it
// performs is at least so many percent done. The store's own books tell: they
// are read as any other command would read them. at is where they stood then;
// 0: the command was done before.
func (p *play) runKilled(ctx context.Context, words string, percent float64) (pid int, at float64, err error) {
	app, err := stopover.Open(stopover.Config{Dir: p.folder, Kinds: []store.Kind{sqlite.Kind()}})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, app.Close()) }()
	c, err := p.begin(ctx, words)
	if err != nil {
		return 0, 0, err
	}
	gone := make(chan struct{})
	var exit int
	var ended error
	go func() {
		defer close(gone)
		exit, ended = p.finish(ctx, c)
	}()
	at = awaitPercent(ctx, app, percent, gone)
	if at > 0 {
		_ = c.process.Process.Kill() // SIGKILL; harmless where it has just ended
	}
	<-gone
	switch {
	case ended != nil:
		return 0, 0, ended
	case exit == stopover.ExitDone:
		return 0, 0, nil
	case exit != killedExit:
		return 0, 0, fmt.Errorf("%s: exit code %d:\n%s", c.typed, exit, c.screen.text.String())
	}
	return c.process.Process.Pid, at, nil
}

// awaitPercent waits until the store's cursor stands far enough and tells where
// it stands; 0: the command has ended before.
func awaitPercent(ctx context.Context, app *stopover.App, percent float64, gone <-chan struct{}) float64 {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		doc, err := app.Status(ctx)
		if err == nil && len(doc.Stores) == 1 {
			if begun := doc.Stores[0].Begun; begun != nil && begun.Percent >= percent {
				return begun.Percent
			}
		}
		select {
		case <-ctx.Done():
			return 0
		case <-gone:
			return 0
		case <-tick.C:
		}
	}
}
