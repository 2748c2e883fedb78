//go:build unix

package stopover

import (
	"os"
	"syscall"
)

// passedOn are the signals that a program gets which is run as an instance.
func passedOn() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}
}
