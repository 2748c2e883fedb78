package stopover

import (
	"os"
	"os/exec"
)

// passedOn are the signals that a program gets which is run as an instance: none
// can be sent here, the console tells it itself.
func passedOn() []os.Signal { return nil }

// inGroup gives what ends a command: here it cannot be interrupted.
func inGroup(command *exec.Cmd) (interrupt func() error) {
	return func() error { return command.Process.Kill() }
}
