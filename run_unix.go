//go:build unix

package stopover

import (
	"os"
	"os/exec"
	"syscall"
)

// passedOn are the signals that a program gets which is run as an instance.
func passedOn() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}
}

// inGroup puts a command into a group of its own, and gives what interrupts all
// of it: a shell passes nothing on to what it has started.
func inGroup(command *exec.Cmd) (interrupt func() error) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
}
