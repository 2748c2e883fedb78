package stopover

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

// How a stop is waited at.
const (
	askFleetEvery  = time.Second
	tellFleetEvery = 30 * time.Second // where nothing has changed
)

// walk is apply --wait: it goes from stop to stop, and at each calls the
// commands of roll: and waits until leases or attestations show that what has to
// be rolled out there runs. The report is of the whole walk. Whoever dies on it
// has noted the route: the same command goes on, from another machine too.
func (a *App) walk(ctx context.Context, ask ApplyOptions) (*wire.Report, error) {
	did := []wire.Deed{}
	for {
		report, err := a.upgrade(ctx, "apply", ask)
		did = append(did, report.Did...)
		report.Did = did
		if err != nil || report.Exit != ExitStop || !a.waitable(report.Rolls) {
			return report, err
		}
		a.tellEnd(ctx, report, nil) // whoever rolls out has to hear of it now
		rolls, err := a.rollOut(ctx, ask)
		if report.Did = append(did, rolls...); err != nil {
			return report, err
		}
		did = report.Did
		ask.Confirm, ask.Retarget, ask.Sweep = nil, false, false // they were about the first leg
		if ask.Switch = switches(report.Rolls); ask.Switch {
			if again, err := a.switchOver(ctx, ask); err != nil || !again {
				return report, err
			}
			continue
		}
		rolled, err := a.awaitRollout(ctx, ask)
		if err != nil || !rolled {
			return report, err
		}
	}
}

// waitable tells whether what a stop asks for can be seen to have happened. That
// instances wait in their gates, before a switch, leaves no trace: there the
// command of roll: has to have started them.
func (a *App) waitable(rolls []wire.Action) bool {
	for _, action := range rolls {
		if action.Kind == wire.ActSwitch && a.project.Roll[action.Component] == "" {
			return false
		}
	}
	return true
}

func switches(rolls []wire.Action) bool {
	return slices.ContainsFunc(rolls, func(a wire.Action) bool { return a.Kind == wire.ActSwitch })
}

// switchOver tells whether the switch that comes next can be done by apply.
func (a *App) switchOver(ctx context.Context, ask ApplyOptions) (bool, error) {
	w, err := a.way(ctx, a.look(ctx), ask.Target)
	if err != nil {
		return false, a.explain("", err)
	}
	return a.whyNoSwitch(w) == "", nil
}

// awaitRollout waits until the way does not begin with a rollout any more; false:
// the time given by --until came first. It changes nothing and holds no lease:
// others may work on the stores meanwhile.
func (a *App) awaitRollout(ctx context.Context, ask ApplyOptions) (rolled bool, err error) {
	var told reminder
	for {
		w, err := a.way(ctx, a.look(ctx), ask.Target)
		switch {
		case err != nil && !unreachable(a.explain("", err)):
			return false, err
		case err == nil && (!w.rolls() || len(a.allowedNow(w)) > 0):
			return true, nil
		}
		text := "a store cannot be asked what runs"
		if err == nil {
			text = a.missingRolls(w)
		}
		if told.due(text) {
			a.cfg.tell(Event{Kind: wire.EventWaiting, Text: "waits for the rollout: " + text})
		}
		if !ask.Until.IsZero() && time.Now().After(ask.Until) {
			return false, nil
		}
		if err := pause(ctx, askFleetEvery); err != nil {
			return false, err
		}
	}
}

// reminder keeps somebody who waits from saying the same again and again.
type reminder struct {
	said string
	at   time.Time
}

// due tells whether a text is to be said: it is another one, or was said long
// ago. Then it counts as said.
func (r *reminder) due(text string) bool {
	if text == r.said && time.Since(r.at) < tellFleetEvery {
		return false
	}
	r.said, r.at = text, time.Now()
	return true
}

// missingRolls says what has to be rolled out now, and who still runs what.
func (a *App) missingRolls(w *way) string {
	var all []string
	for _, action := range a.leading(w) {
		all = append(all, fmt.Sprintf("%s -> %s (%s)", action.Component, wanted(action), w.knownOf(action.Component).runs(action.To)))
	}
	return strings.Join(all, "; ")
}

// runs says what a component's instances run that is not the release wanted.
func (k known) runs(wanted string) string {
	const most = 5
	var others []string
	for _, i := range k.live {
		if i.Release != wanted {
			others = append(others, i.Name+" runs "+i.Release)
		}
	}
	switch {
	case len(others) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(others[:most], ", "), len(others)-most)
	case len(others) > 0:
		return strings.Join(others, ", ")
	case k.attested != nil:
		return "attested: " + strings.Join(k.attested.Releases, ", ")
	case len(k.live) > 0 && k.from != "":
		return "the new instances are there, older ones may be"
	}
	return "nothing tells what runs: no instance holds a lease, and nothing is attested"
}
