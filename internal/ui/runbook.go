package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
)

// book writes a plan as a runbook: Markdown that somebody follows at night.
type book struct {
	strings.Builder
	plan    *wire.Plan
	program string
	number  int // of the last thing to do
}

func runbook(d *wire.Plan, look Look) string {
	b := &book{plan: d, program: look.Program}
	if b.program == "" {
		b.program = "stopover"
	}
	b.linef("# Runbook: %s\n", prose(d.Target.Text))
	b.linef("%s.\n", prose(sentenceless(title(d))))
	if len(d.Blocked) > 0 {
		b.noWay()
		return b.String()
	}
	if len(d.Legs) == 0 && len(d.After) == 0 {
		return b.String()
	}
	b.before()
	for i, leg := range d.Legs {
		b.leg(i, leg)
	}
	b.after()
	b.trouble()
	return b.String()
}

func (b *book) linef(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

// applies is the command that walks this plan.
func (b *book) applies() string {
	command := b.program + " apply"
	if b.plan.Target.Release != "" && !b.plan.Implicit {
		command += " --to " + b.plan.Target.Release
	} else if b.plan.Target.Step != "" {
		command += " --to " + b.plan.Target.Step
	}
	if b.plan.Target.Offline {
		command += " --offline"
	}
	return command
}

func (b *book) before() {
	b.linef("## Before\n")
	b.linef("- [ ] A backup exists, and somebody has restored one like it.")
	b.linef("- [ ] `%s status` shows no drift, and nobody else at work.", b.program)
	b.linef("- [ ] `%s` still gives this plan.", strings.Replace(b.applies(), " apply", " plan", 1))
	for _, store := range b.plan.Inputs.Stores {
		at := "the beginning"
		if store.Position != "" {
			at = code(store.Position)
		}
		if store.Place != "" {
			at += " (" + prose(store.Place) + ")"
		}
		b.linef("- [ ] Store %s is at %s.", code(store.Name), at)
	}
	if len(b.plan.Target.From) > 0 {
		b.linef("- [ ] The fleet is: %s.", prose(running(b.plan.Target.From)))
	}
	for _, note := range b.plan.Notes {
		b.linef("- Note: %s.", prose(sentenceless(note)))
	}
	if b.plan.Summary.Unknown > 0 {
		b.linef("- Times that are not known here are shown while a step runs, with the rate and what is left.")
	}
	b.linef("\nTo stop at any moment, press Ctrl-C once: the batch at hand is finished and recorded. To stop at a time, add `--until 06:00`. The same command goes on from there, on this machine or on another one, also after a crash.\n")
}

func (b *book) leg(i int, leg wire.Leg) {
	if leg.Stop != nil {
		b.linef("## Leg %d, to the stop at %s\n", i+1, prose(leg.Stop.Text))
	} else if len(b.plan.Legs) > 1 {
		b.linef("## Leg %d, to the end\n", i+1)
	} else {
		b.linef("## The way\n")
	}
	b.actions(leg.Actions, b.applies())
	if leg.Stop != nil {
		b.linef("**%s.** %sYou may rest here as long as you like.\n", prose(stopLine(leg.Stop)), mustRun(leg.Stop))
	}
}

// mustRun says what has to be alive at a stop before the way goes on.
func mustRun(s *wire.Stop) string {
	if len(s.Fleet) == 0 {
		return ""
	}
	return "Go on only when nothing older is alive than: " + prose(running(s.Fleet)) + ". "
}

// actions writes what is to be done: all steps up to the next rollout are one
// command.
func (b *book) actions(actions []wire.Action, command string) {
	var steps []wire.Action
	for _, action := range actions {
		if action.Kind == wire.ActStep {
			steps = append(steps, action)
			continue
		}
		b.steps(steps, command, true)
		steps = nil
		b.rollout(action)
	}
	b.steps(steps, command, false)
}

func (b *book) heading(format string, args ...any) {
	b.number++
	b.linef("### %d. %s\n", b.number, fmt.Sprintf(format, args...))
}

// steps writes a run of steps; rolls tells that rollouts follow in the same leg.
func (b *book) steps(steps []wire.Action, command string, rolls bool) {
	if len(steps) == 0 {
		return
	}
	b.heading("Run %s", many(len(steps), "step"))
	if steps[0].Offline {
		b.linef("No writer may be alive until this is done.\n")
	}
	if lost := losses(steps); len(lost) > 0 {
		b.linef("**Point of no return:** %s.\n", prose(strings.Join(lost, "; ")))
		b.linef("- [ ] A fresh backup exists: what is removed here comes back only from one.\n")
	}
	b.linef("```sh\n%s\n```\n", command)
	b.linef("%s\n", ending(rolls))
	b.linef("| store | step | expected | to know |")
	b.linef("|---|---|---|---|")
	for _, g := range grouped(steps) {
		expected := took(g)
		if expected == "" {
			expected = "not known"
		}
		b.linef("| %s | %s | %s | %s |", prose(g.first().Store), code(g.steps()), prose(expected), prose(g.remarks(false)))
	}
	b.linef("")
	b.linef("- Check: `%s verify` exits 0.", b.program)
	b.back(steps...)
}

// ending says which exit code to expect.
func ending(rolls bool) string {
	if rolls {
		return "Ends with exit 7, which means: go on with the next number. Any other: see the last table."
	}
	return "Ends with exit 0. Any other: see the last table."
}

// losses names what there is no way back to once all steps have run: per step,
// and none that another one says already.
func losses(steps []wire.Action) []string {
	var lost []string
	for _, a := range steps {
		text := "from " + a.Store + " " + stepName(a.Migration, a.Step) + " on, " + strings.ToLower(noReturn(a))
		if a.NoReturn && !slices.Contains(lost, text) {
			lost = append(lost, text)
		}
	}
	return lost
}

// back says how to go back after some actions.
func (b *book) back(actions ...wire.Action) {
	lost := slices.ContainsFunc(actions, func(a wire.Action) bool { return a.NoReturn })
	switch text := wayBack(actions[len(actions)-1].Back); {
	case lost && text != "" && text != onlyWhatRuns && !b.plan.Implicit:
		b.linef("- Way back: as far as %s, which still starts; any further only with a restore of the backup.\n", prose(text))
	case lost:
		b.linef("- Way back: only with a restore of the backup.\n")
	case text == "" || b.plan.Implicit:
		b.linef("- Way back: `%s rollback --to TARGET` for steps that can be undone; it says what needs a restore.\n", b.program)
	case text == onlyWhatRuns:
		b.linef("- Way back: none to an older release without a restore.\n")
	default:
		b.linef("- Way back: as far as %s, which still starts; the data may stay as it is.\n", prose(text))
	}
}

func (b *book) rollout(a wire.Action) {
	switch a.Kind {
	case wire.ActSwitch:
		b.heading("Switch to %s", prose(starts(a)))
		b.linef("%s\n", prose(sentence(because(a))))
		b.linef("- [ ] Start %s. It waits in its gate.", prose(starts(a)))
		b.linef("- [ ] Cut over; old writers get errors from here on:\n\n  ```sh\n  %s\n  ```\n", b.applies())
		b.linef("- [ ] Stop %s.", prose(ends(a)))
	case wire.ActHalt:
		b.heading("Stop %s %s", prose(a.Component), prose(between(a.From)))
		b.linef("%s\n", prose(sentence(a.Because)))
		b.linef("- [ ] No instance of %s is alive.", prose(a.Component))
	default:
		b.heading("Roll %s to %s", prose(a.Component), prose(rollTo(a)))
		b.linef("%s\n", prose(sentence(because(a))))
		b.linef("- [ ] `%s check --component %s --release %s` exits 0.", b.program, a.Component, a.To)
		b.linef("- [ ] Roll out %s %s, and wait until the last old instance has ended%s.", prose(a.Component), prose(a.To), ended(a))
	}
	b.back(a)
}

func rollTo(a wire.Action) string {
	return strings.TrimPrefix(roll(a), a.Component+" -> ")
}

func ended(a wire.Action) string {
	if len(a.From) == 0 {
		return ""
	}
	return " (" + prose(between(a.From)) + ")"
}

func (b *book) after() {
	steps, contracts := aftermath(b.plan)
	if len(steps) > 0 {
		b.linef("## %s\n", lastly)
		b.actions(steps, b.applies())
	}
	if len(contracts) == 0 {
		return
	}
	b.linef("## %s\n", afterTitle(b.plan))
	if b.plan.Soak > 0 {
		b.linef("Wait %s after the last rollout. Look at errors, delays and support meanwhile: from here on the old form goes.\n", hours(b.plan.Soak))
	}
	b.actions(contracts, b.program+" cleanup")
}

func (b *book) noWay() {
	b.linef("## Why there is no way\n")
	for _, blocked := range b.plan.Blocked {
		b.linef("- %s", prose(blockedLine(blocked)))
		for _, repair := range blocked.Repairs {
			b.linef("  - %s: %s", prose(repair.Kind), prose(repair.Text))
			if repair.Next != "" {
				b.linef("    `%s`", repair.Next)
			}
		}
	}
}

// trouble is the table to look into when a command did not end with 0.
func (b *book) trouble() {
	b.linef("## If a command does not exit with 0\n")
	b.linef("| exit | it means | do this |")
	b.linef("|---|---|---|")
	b.linef("| 7 | a stop is reached | go on with the next number |")
	b.linef("| 1 | something broke; what is done is recorded | mend what the error names, then the same command again |")
	b.linef("| 3 | refused; nothing was changed | read who is in the way, then the same command again |")
	b.linef("| 5 | a verification found rows | read them; the old form is still right, nothing was removed |")
	b.linef("| 6 | the store is ahead of this catalogue | use the newest catalogue |")
	b.linef("| 130 | interrupted | the same command again |")
}

var markdown = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "`", "\\`", "[", `\[`)

// prose takes out of a text what Markdown would read as its own.
func prose(text string) string { return markdown.Replace(clean(text)) }

// code is text between backticks, also inside a table.
func code(text string) string {
	return "`" + strings.NewReplacer("`", "'", "|", `\|`).Replace(clean(text)) + "`"
}

func sentenceless(text string) string { return strings.TrimSuffix(text, ".") }
