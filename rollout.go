package stopover

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

// rollLimit is how long one command of roll: may take.
const rollLimit = 30 * time.Minute

// rollOut calls the commands of roll: for what the way begins with, one after
// the other. A command that succeeds is no evidence: leases and attestations
// are waited for as well. Whoever dies here calls them again, so they have to
// bear that.
func (a *App) rollOut(ctx context.Context, ask ApplyOptions) ([]wire.Deed, error) {
	if len(a.project.Roll) == 0 {
		return nil, nil
	}
	w, err := a.way(ctx, a.look(ctx), ask.Target)
	if err != nil {
		return nil, err
	}
	var did []wire.Deed
	for _, action := range a.leading(w) {
		command := a.project.Roll[action.Component]
		if command == "" {
			continue
		}
		deed, err := a.rollOne(ctx, w, action, command)
		if err != nil {
			return did, err
		}
		did = append(did, deed)
		if action.Kind == wire.ActSwitch {
			break // what comes behind it is rolled when it has been done
		}
	}
	return did, nil
}

// leading lists what has to be rolled out before any further step may run.
func (a *App) leading(w *way) []wire.Action {
	if !w.rolls() {
		return nil
	}
	doc := wire.FromPlan(w.cat, w.plan, wire.Known{Program: a.cfg.Program + a.cfg.flags()})
	var all []wire.Action
	for _, action := range doc.Legs[0].Actions {
		if action.Kind == wire.ActStep {
			break
		}
		all = append(all, action)
	}
	return all
}

func (a *App) rollOne(ctx context.Context, w *way, action wire.Action, command string) (deed wire.Deed, err error) {
	what := action.Component + " -> " + wanted(action)
	file, err := a.planFile(ctx, w)
	if err != nil {
		return deed, a.explain("", err)
	}
	defer func() { _ = os.RemoveAll(filepath.Dir(file)) }() // a copy of what plan says
	a.cfg.tell(Event{Kind: wire.EventHook, Text: "roll " + what + ": " + command})
	begun := time.Now()
	said, err := a.hook(ctx, rollLimit, command, "STOPOVER_APPLICATION="+a.project.Application, "STOPOVER_ACTION="+string(action.Kind),
		"STOPOVER_COMPONENT="+action.Component, "STOPOVER_RELEASE="+action.To, "STOPOVER_FROM="+strings.Join(action.From, " "),
		"STOPOVER_PLAN="+file)
	switch {
	case err == nil:
		return wire.Deed{Kind: wire.DeedHook, Rows: -1, Seconds: time.Since(begun).Seconds(), Note: "roll " + what + ": " + command}, nil
	case ctx.Err() != nil:
		return deed, ctx.Err()
	}
	return deed, &Failure{Exit: ExitFailed, Err: err, Next: []string{a.cmd("plan"), a.cmd("apply --wait")}, Detail: wire.Error{Kind: wire.KindHook,
		Message: fmt.Sprintf("roll of %s (%s): %s", what, command, exitText(err)), Detail: said,
		Safe: staysRecorded, Hint: "no step was run behind it; the next apply --wait calls it again if the rollout is still missing"}}
}

func wanted(action wire.Action) string {
	if action.To == "" {
		return "none"
	}
	return action.To
}

// planFile writes the plan as a document into a folder of its own.
func (a *App) planFile(ctx context.Context, w *way) (string, error) {
	doc, err := a.document(ctx, w, false)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "stopover-plan-")
	if err != nil {
		return "", fmt.Errorf("write the plan for a rollout: %w", err)
	}
	name := filepath.Join(dir, "plan.json")
	if err := savePlan(name, doc); err != nil {
		_ = os.RemoveAll(dir) // the first error is told
		return "", err
	}
	return name, nil
}
