package ui

import (
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
)

func report(p *page, d *wire.Report) {
	if !p.look.Told {
		deeds(p, d)
	}
	for _, v := range d.Violations {
		violation(p, v)
	}
	if !refusedOnly(d) {
		for _, r := range d.Refused {
			refusal(p, r)
		}
	}
	for _, drift := range d.Drift {
		p.line(red, drift.Store+" differs from what its position says:")
		for _, line := range drift.Lines {
			p.line(plain, "  "+line)
		}
	}
	if len(d.Did) > 0 || !refusedOnly(d) {
		p.line(bold, outcome(d))
	}
	switch {
	case d.Stop != nil:
		p.line(bold, stopLine(d.Stop))
	case len(d.Rolls) > 0: // the last leg ends at the target, not at a stop
		p.line(bold, "To roll out now")
	}
	for _, roll := range d.Rolls {
		p.linef("  ROLL  %s  %s", move(roll.Component, roll.To, roll.Range), because(roll))
	}
}

func deeds(p *page, d *wire.Report) {
	var table [][]cell
	for _, deed := range d.Did {
		table = append(table, deedRow(deed))
	}
	for _, skip := range d.Skipped {
		table = append(table, []cell{{text: skip.Store}, {text: stepName(skip.Migration, skip.Step)}, {"not applicable", dim}, {}, {}, {text: skip.Because}})
	}
	p.table("", table)
}

var deedWords = map[wire.DeedKind]string{
	wire.DeedStep: "done", wire.DeedReverse: "undone", wire.DeedVerify: "verified", wire.DeedAdopt: "adopted",
	wire.DeedRepair: "repaired", wire.DeedStamp: "books made", wire.DeedHook: "hook",
}

func deedRow(d wire.Deed) []cell {
	changed := ""
	if d.Rows > 0 {
		changed = rows(d.Rows)
	}
	var remarks []string
	if d.Resumed {
		remarks = append(remarks, "went on where an earlier run ended")
	}
	if d.Swept > 0 {
		remarks = append(remarks, "opened again "+many(d.Swept, "time")+" by its verify")
	}
	remarks = append(remarks, nonempty(d.Note)...)
	took := span(d.Seconds)
	if d.Kind == wire.DeedAdopt || d.Kind == wire.DeedStamp {
		took = ""
	}
	return []cell{{text: d.Store}, {text: stepName(d.Migration, d.Step)}, {deedWords[d.Kind], green}, {text: took}, {text: changed}, {text: strings.Join(remarks, ", ")}}
}

func stepName(migration, step string) string {
	return strings.Join(nonempty(migration, step), ".")
}

func violation(p *page, v wire.Violation) {
	count := exact(v.Rows) + " violations"
	if v.Rows == 1 {
		count = "1 violation"
	}
	at := ""
	if v.File != "" {
		at = fmt.Sprintf(" (%s:%d)", v.File, v.Line)
	}
	p.line(red, fmt.Sprintf("%s %s: %s%s", v.Store, stepName(v.Migration, v.Step), count, at))
	for _, line := range v.Sample {
		p.line(plain, "  "+line)
	}
	if rest := v.Rows - int64(len(v.Sample)); rest > 0 && len(v.Sample) > 0 {
		p.linef("  and %s more", exact(rest))
	}
}

// refusedOnly says whether a report's refusals are all that went wrong: then
// they are shown in place of the error.
func refusedOnly(d *wire.Report) bool {
	return len(d.Refused) > 0 && (d.Error == nil || d.Error.Kind == wire.KindRefused)
}

// refusals says what was refused, and what is safe.
func refusals(p *page, d *wire.Report) {
	for _, r := range d.Refused {
		refusal(p, r)
	}
	safe := "nothing was changed, no floor was raised"
	switch {
	case len(d.Did) > 0:
		safe = "what is done stays recorded"
	case d.Error != nil && d.Error.Safe != "":
		safe = d.Error.Safe
	}
	if e := d.Error; e != nil && e.Hint != "" {
		p.lines(plain, "  ", "hint: "+e.Hint)
	}
	p.line(plain, sentence(safe))
}

func refusal(p *page, r wire.Refusal) {
	name := strings.Join(nonempty(r.Store, stepName(r.Migration, r.Step)), " ")
	if !strings.HasPrefix(r.Because, "wants ") && name != "" {
		name += ":"
	}
	head := strings.Join(nonempty("Not now.", name, r.Because), " ")
	if len(r.Evidence) > 0 {
		head += ":"
	} else if !strings.HasSuffix(head, ".") {
		head += "."
	}
	p.line(yellow, head)
	for _, line := range r.Evidence {
		p.line(plain, "  "+line)
	}
}

// nothing says that a command had nothing to do, in its own words.
func nothing(command string) string {
	switch command {
	case "verify":
		return "nothing to verify"
	case "cleanup":
		return "nothing to clean up"
	case "rollback":
		return "nothing to undo"
	}
	return "nothing to do"
}

// brokeOff are the errors that may come in the middle of a step, of which a part
// may be done.
var brokeOff = map[wire.ErrorKind]bool{
	wire.KindFailed: true, wire.KindStatement: true, wire.KindUnreachable: true, wire.KindLocked: true,
	wire.KindDisplaced: true, wire.KindViolated: true, wire.KindInterrupted: true,
}

// outcome sums up in a line.
func outcome(d *wire.Report) string {
	// What was verified on the way to a step is not counted with it.
	counts := map[wire.DeedKind]int{}
	for _, deed := range d.Did {
		counts[deed.Kind]++
	}
	verb, count := "", 0
	for _, kind := range []wire.DeedKind{wire.DeedStep, wire.DeedReverse, wire.DeedAdopt, wire.DeedVerify} {
		if count == 0 {
			verb, count = deedWords[kind], counts[kind]
		}
	}
	var parts []string
	switch {
	case count > 0:
		parts = append(parts, fmt.Sprintf("%s %s in %s", many(count, "step"), verb, span(d.Seconds)))
	case len(d.Violations) > 0:
		parts = append(parts, "verification failed")
	case d.Exit == 0:
		parts = append(parts, nothing(d.Command))
	case d.Error != nil && brokeOff[d.Error.Kind]:
		parts = append(parts, "no step was finished")
	default:
		parts = append(parts, "nothing was done")
	}
	parts = append(parts, nonempty(amount(d.Left.Pending, "step to do", "steps to do"), amount(d.Left.Later, "contract later", "contracts later"))...)
	return strings.Join(parts, ", ")
}
