package demo

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/stopover-dev/stopover"
)

// partVariable tells a child process of the demo which part it plays.
const partVariable = "STOPOVER_DEMO_PART"

// The parts.
const (
	partShop    = "shop"    // the application; arguments: folder, release
	partCommand = "command" // a stopover command, as a user types it
)

// Part plays the shop's part in a child process of the demo and gives the exit
// code. It reports false in every other process: that one is a command line as
// usual.
func Part(ctx context.Context, t stopover.Terminal) (exit int, played bool) {
	if part, _ := t.Lookup(partVariable); part != partShop {
		return 0, false
	}
	if len(t.Args) != 2 {
		fmt.Fprintln(t.Err, "the shop wants a folder and a release")
		return stopover.ExitUsage, true
	}
	// An interrupt at a terminal comes to every process that was started there.
	// The shop ends when the demo lets go of it.
	signal.Ignore(os.Interrupt)
	if err := trade(ctx, filepath.Join(t.Args[0], database), t.Args[1], t.In, t.Out); err != nil {
		fmt.Fprintln(t.Err, err)
		return stopover.ExitFailed, true
	}
	return stopover.ExitDone, true
}

// kept are the variables that child processes are given. Settings of Stopover
// are not among them: the demo is the same on every machine.
var kept = []string{"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "USERPROFILE", "LANG", "LC_ALL", "TZ", "GOCOVERDIR"}

// environment is that of a child process.
func environment(lookup func(string) (string, bool), part string) []string {
	list := []string{partVariable + "=" + part}
	for _, name := range kept {
		if value, set := lookup(name); set {
			list = append(list, name+"="+value)
		}
	}
	return list
}
