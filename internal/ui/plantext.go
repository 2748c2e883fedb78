package ui

import (
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
)

func planText(p *page, d *wire.Plan) {
	if d.Target.Text == "" && d.Error != nil {
		return
	}
	p.line(bold, title(d))
	for _, b := range d.Blocked {
		blocked(p, b)
	}
	widths := planWidths(d)
	for i, leg := range d.Legs {
		if len(d.Legs) > 1 || leg.Stop != nil {
			p.line(bold, fmt.Sprintf("Leg %d", i+1))
		}
		planRows(p, leg.Actions, widths)
		if back := wayBack(leg.Back); back != "" && !d.Implicit {
			p.linef("  back:  %s", strings.Replace(back, " everywhere", " still starts everywhere", 1))
		}
		if leg.Stop != nil {
			p.line(bold, stopLine(leg.Stop))
		}
	}
	steps, contracts := aftermath(d)
	if len(steps) > 0 {
		p.line(bold, lastly)
		planRows(p, steps, widths)
	}
	if len(contracts) > 0 {
		p.line(bold, afterTitle(d))
		planRows(p, contracts, widths)
	}
	if p.look.Verbose {
		for _, wait := range d.Later {
			p.line(dim, "not part of it: "+wait.Step+": "+wait.Because)
		}
	}
	for _, note := range d.Notes {
		p.line(dim, "note: "+note)
	}
}

func stopLine(s *wire.Stop) string {
	if s.Soak > 0 {
		return "STOP at " + s.Text + ", for at least " + hours(s.Soak)
	}
	return "STOP at " + s.Text
}

func afterTitle(d *wire.Plan) string {
	if d.Soak > 0 {
		return "After the soak of " + hours(d.Soak)
	}
	return "Then, with cleanup"
}

// hours writes a soak as people do: 24 h, not 1 d.
func hours(seconds float64) string {
	if h := seconds / 3600; h >= 1 && h <= 96 && h == float64(int(h)) {
		return fmt.Sprintf("%.0f h", h)
	}
	return span(seconds)
}

func blocked(p *page, b wire.Blocked) {
	p.line(red, "  "+blockedLine(b))
	for _, repair := range b.Repairs {
		text := repair.Kind + ": " + repair.Text
		if repair.Downtime > 0 {
			text += " (about " + span(repair.Downtime) + " of downtime)"
		}
		p.line(plain, "    "+text)
		if repair.Next != "" {
			p.linef("      %s", repair.Next)
		}
	}
}

// blockedLine is "api 1.6, main 0043_split.backfill: why", without what the
// reason names itself.
func blockedLine(b wire.Blocked) string {
	var about []string
	for _, name := range nonempty(strings.TrimSpace(b.Component+" "+b.Release), strings.Replace(b.Step, ":", " ", 1)) {
		if !strings.Contains(b.Because, name) {
			about = append(about, name)
		}
	}
	return strings.Join(nonempty(strings.Join(about, ", "), b.Because), ": ")
}

// planWidths are the widths of the columns, equal in all legs.
func planWidths(d *wire.Plan) []int {
	widths := []int{4, 0, 6}
	measure := func(actions []wire.Action) {
		for _, g := range grouped(actions) {
			row := planRow(g, false)
			for i := range min(len(row)-1, len(widths)) {
				widths[i] = max(widths[i], len(row[i].text))
			}
		}
	}
	for _, leg := range d.Legs {
		measure(leg.Actions)
	}
	measure(d.After)
	return widths
}

func planRows(p *page, actions []wire.Action, widths []int) {
	for _, g := range grouped(actions) {
		p.row("  ", planRow(g, p.look.Verbose), widths)
		for _, action := range g.actions {
			statements(p, action)
		}
	}
}

// planRow gives [store, steps, time, remarks], or [ROLL, what, why].
func planRow(g group, verbose bool) []cell {
	a := g.first()
	switch a.Kind {
	case wire.ActRoll:
		return []cell{{"ROLL", bold}, {text: roll(a)}, {text: because(a)}}
	case wire.ActSwitch:
		how := fmt.Sprintf("start %s (it waits), cut over (old writers get errors from here), stop %s", starts(a), ends(a))
		if a.NoReturn {
			how += "; " + noReturn(a)
		}
		return []cell{{"SWITCH", bold}, {text: switched(a)}, {text: how}}
	case wire.ActHalt:
		return []cell{{"HALT", bold}, {text: a.Component + " " + between(a.From)}, {text: because(a)}}
	}
	remarks := g.remarks(verbose)
	i := plain
	if a.NoReturn {
		i = yellow
	}
	return []cell{{text: a.Store}, {text: g.steps()}, {text: took(g)}, {remarks, i}}
}

func took(g group) string {
	seconds, known := g.seconds()
	if !known {
		return ""
	}
	return span(seconds)
}

func because(a wire.Action) string {
	if a.Because == "" {
		return ""
	}
	return "because " + a.Because
}

// statements shows the SQL of a step, for plan --sql.
func statements(p *page, a wire.Action) {
	for _, s := range a.Statements {
		at := ""
		if s.File != "" {
			at = fmt.Sprintf("-- %s:%d", s.File, s.Line)
		}
		if s.Alone {
			at += " (outside a transaction)"
		}
		if at != "" {
			p.line(dim, "      "+at)
		}
		p.lines(plain, "      ", s.Text+";")
	}
}
