package stopover

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

// What the command of notify: is told.
const (
	notedDone   = "done"   // something was done, and nothing more may be done now
	notedStop   = "stop"   // a stop is reached: somebody has to roll out
	notedFailed = "failed" // everything else: failed, refused, undecided, interrupted
)

// notifyLimit is how long the command of notify: may take.
const notifyLimit = 30 * time.Second

// ended completes the report of a changing command, and tells the command of
// notify: how it ended.
func (a *App) ended(ctx context.Context, report *wire.Report, begun time.Time, err error) {
	report.Seconds = time.Since(begun).Seconds()
	a.tellEnd(ctx, report, err)
}

func (a *App) tellEnd(ctx context.Context, report *wire.Report, err error) {
	if a.project.Notify == "" {
		return
	}
	if words := a.notice(report, err); words != nil {
		a.notify(ctx, words)
	}
}

// notice is the environment that says how a command ended; nil: nobody needs to
// know, since nothing was there to do, or it was typed wrongly.
func (a *App) notice(report *wire.Report, err error) []string {
	event, exit, message, next := notedDone, report.Exit, plural(int64(len(report.Did)), "action")+" done", report.Next
	switch {
	case err != nil:
		f := a.explain("", err)
		event, exit, message = notedFailed, f.Exit, f.Detail.Error()
		if len(f.Next) > 0 {
			next = f.Next
		}
	case exit == ExitStop:
		event, message = notedStop, "a stop is reached: roll out, then run again"
	case exit != ExitDone:
		event, message = notedFailed, "not everything that was asked could be done"
	case len(report.Did) == 0:
		return nil
	}
	if exit == ExitUsage {
		return nil
	}
	return []string{
		"STOPOVER_EVENT=" + event,
		"STOPOVER_EXIT=" + strconv.Itoa(exit),
		"STOPOVER_COMMAND=" + report.Command,
		"STOPOVER_APPLICATION=" + report.Application,
		"STOPOVER_TO=" + report.To,
		"STOPOVER_MESSAGE=" + message,
		"STOPOVER_NEXT=" + strings.Join(next, "\n"),
	}
}

// notify calls the command. What it does changes nothing of the outcome: that
// stands in the stores already, and is on the screen. A process that dies here
// has done its work and told nobody.
func (a *App) notify(ctx context.Context, words []string) {
	said, err := a.hook(context.WithoutCancel(ctx), notifyLimit, a.project.Notify, words...)
	if err == nil {
		return
	}
	text := fmt.Sprintf("notify (%s): %s", a.project.Notify, exitText(err))
	if said != "" {
		text += ": " + said
	}
	a.cfg.tell(Event{Kind: wire.EventWarning, Text: text})
}
