package stopover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

// RunOptions say which program is run as an instance, and how.
type RunOptions struct {
	JoinOptions // Lost is not used: it is what ends the program
	// Wait waits at the gate until what the release needs is done.
	Wait    bool
	Command []string // the program and its arguments
	Dir     string   // "": the working directory
	// Env is the program's environment. STOPOVER_COMPONENT, STOPOVER_RELEASE and
	// STOPOVER_INSTANCE are added, and PGAPPNAME where it is not there.
	Env      []string
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Progress func(Waiting) // see ReadyOptions
	// Entered is called when the lease is held, before the program is started: from
	// then on signals are the program's. nil: nobody is told.
	Entered func()
	// Signals are passed on to the program. nil: none are.
	Signals <-chan os.Signal
	// Grace is how long the program has to end after SIGTERM when its lease is
	// lost, before it is killed. 0: ten seconds.
	Grace time.Duration
}

// RunProgram is the gate and the lease around a program that does not know
// Stopover: it starts it where the release may start, holds a lease while it
// runs, and gives its exit code, 128 and the signal's number if a signal ended
// it. An error means that it did not run, or was ended because its lease was
// lost. The context ends the waiting at the gate; a program that runs is told to
// end by a signal.
//
// On Linux the program dies with this process. Elsewhere it goes on without a
// lease if this process is killed.
func (a *App) RunProgram(ctx context.Context, ask RunOptions) (exit int, err error) {
	if len(ask.Command) == 0 {
		return 0, misuse("there is no program to run", a.cmd("run --component api --release 1.6 -- ./api"))
	}
	path, err := exec.LookPath(ask.Command[0])
	if err != nil {
		return 0, misuse(fmt.Sprintf("the program cannot be run: %v", err)) // before it waits for hours
	}
	if ask.JoinOptions, err = a.joinable(ask.JoinOptions); err != nil {
		return 0, err
	}
	i, err := a.joinWhenReady(ctx, ask)
	if err != nil {
		return 0, err
	}
	defer i.Leave(ctx)
	if ask.Entered != nil {
		ask.Entered()
	}
	if ctx.Err() != nil { // between the gate and the program: nobody else would hear of it
		return 0, fmt.Errorf("run %s: %w", ask.Command[0], context.Cause(ctx))
	}
	program := &exec.Cmd{Path: path, Args: ask.Command, Dir: ask.Dir, Env: i.environment(ask.Env),
		Stdin: ask.Stdin, Stdout: ask.Stdout, Stderr: ask.Stderr, SysProcAttr: diesWithUs()}
	return a.attend(program, i, ask)
}

// joinWhenReady joins, after waiting for the stores if that was asked for. A
// step may begin between the answer and the lease: then it waits again.
func (a *App) joinWhenReady(ctx context.Context, ask RunOptions) (*Instance, error) {
	ask.Lost = nil
	waits := a.tellWaiting(ask.Progress)
	for {
		if ask.Wait {
			if _, err := a.Ready(ctx, ReadyOptions{Component: ask.Component, Release: ask.Release, Mode: ReadyWait, Progress: ask.Progress}); err != nil {
				return nil, err
			}
		}
		i, err := a.Join(ctx, ask.JoinOptions)
		var f *Failure
		if err == nil || !ask.Wait || !errors.As(err, &f) || f.Detail.Kind != wire.KindRefused || f.Exit != ExitRefused || ctx.Err() != nil {
			return i, err
		}
		waits(Waiting{Text: f.Error()})
		if err := pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}

// environment is the program's: it can tell what it runs as, and its sessions on
// PostgreSQL are known by their name if it uses libpq's variables.
func (i *Instance) environment(base []string) []string {
	env := append(base[:len(base):len(base)], "STOPOVER_COMPONENT="+i.ask.Component, "STOPOVER_RELEASE="+i.ask.Release, "STOPOVER_INSTANCE="+i.ask.Instance)
	for _, word := range base {
		if strings.HasPrefix(word, "PGAPPNAME=") {
			return env
		}
	}
	return append(env, "PGAPPNAME="+i.ask.Sessions)
}

// attend starts the program and is there until it has ended. All of it is in one
// thread: on Linux a program that dies with its parent dies with the thread that
// started it.
func (a *App) attend(program *exec.Cmd, i *Instance, ask RunOptions) (exit int, err error) {
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := program.Start()
		started <- err
		if err == nil {
			ended <- program.Wait()
		}
	}()
	if err := <-started; err != nil {
		return 0, &Failure{Exit: ExitFailed, Err: err, Detail: wire.Error{Kind: wire.KindFailed, Message: "the program could not be started: " + err.Error(), Safe: nothingChanged}}
	}
	lost, killed := i.Lost(), (<-chan time.Time)(nil)
	for {
		select {
		case err := <-ended:
			if why := i.Err(); why != nil && killed != nil {
				return 0, a.endedForLease(i, why)
			}
			return howEnded(program, err)
		case s := <-ask.Signals:
			_ = program.Process.Signal(s) // one that has just ended has no use for it
		case <-lost:
			lost = nil // told once
			_ = program.Process.Signal(syscall.SIGTERM)
			grace := ask.Grace
			if grace <= 0 {
				grace = hookGrace
			}
			killed = time.After(grace)
		case <-killed:
			_ = program.Process.Kill()
		}
	}
}

// endedForLease is how a program ends that is not reckoned with any more.
func (a *App) endedForLease(i *Instance, why error) *Failure {
	f := refuse(fmt.Sprintf("%s %s was ended: %v", i.ask.Component, i.ask.Release, why), a.cmd("fleet"))
	f.Exit = ExitFailed
	f.Detail.Safe = "without a lease nothing reckons with it, so it may not write any more"
	return f
}

// howEnded is the exit code of a program that has ended.
func howEnded(program *exec.Cmd, err error) (int, error) {
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return 0, &Failure{Exit: ExitFailed, Err: err, Detail: wire.Error{Kind: wire.KindFailed, Message: "the program's end could not be seen: " + err.Error()}}
	}
	if status, known := program.ProcessState.Sys().(syscall.WaitStatus); known && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return program.ProcessState.ExitCode(), nil
}
