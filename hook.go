package stopover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// hookGrace is how long a user's command has to end when it is interrupted, and
// what it has left behind to let go of its output.
const hookGrace = 10 * time.Second

// hook runs a command of the user's in the project's folder, with further words
// in its environment. With the context it is interrupted, then killed. The error
// says how it ended; said is the end of what it printed.
func (a *App) hook(ctx context.Context, limit time.Duration, command string, words ...string) (said string, err error) {
	within, cancel := context.WithCancel(ctx)
	if limit > 0 {
		within, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	hook := exec.CommandContext(within, "/bin/sh", "-c", command)
	hook.Dir = a.cfg.Dir
	hook.Env = append(os.Environ(), words...)
	hook.WaitDelay = hookGrace
	hook.Cancel = inGroup(hook)
	output, err := hook.CombinedOutput()
	if err != nil && ctx.Err() == nil && errors.Is(within.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("it took longer than %s", limit)
	}
	return strings.TrimSpace(tail(string(output))), err
}

func exitText(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ProcessState.String()
	}
	return err.Error()
}

// tail gives the end of a hook's output.
func tail(output string) string {
	const most = 2000
	if len(output) > most {
		output = "..." + output[len(output)-most:]
	}
	return output
}
