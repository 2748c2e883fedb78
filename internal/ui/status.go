package ui

import (
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
)

func status(p *page, d *wire.Status) {
	if d.Application != "" {
		p.line(bold, d.Application)
	}
	if d.Route != nil {
		p.linef("under way to %s (%s, since %s)", d.Route.To, d.Route.Who, p.when(d.Route.Since))
	}
	width := 0
	for _, store := range d.Stores {
		width = max(width, len(store.Name))
	}
	for _, store := range d.Stores {
		lines := storeLines(p, store)
		for i, line := range lines {
			name := ""
			if i == 0 {
				name = store.Name
			}
			p.row("  ", []cell{{name, bold}, line}, []int{width})
		}
	}
}

func storeLines(p *page, s wire.StoreStatus) []cell {
	var out []cell
	add := func(i ink, format string, args ...any) { out = append(out, cell{fmt.Sprintf(format, args...), i}) }
	head := strings.Join(nonempty(s.Server, s.Place), ", ")
	if head == "" {
		head = s.Kind
	}
	add(plain, "%s", head)
	if s.Problem != nil {
		add(red, "%s", s.Problem.Message)
		if s.Problem.Hint != "" {
			add(plain, "hint: %s", s.Problem.Hint)
		}
		return out
	}
	add(position(s))
	for _, evidence := range s.Evidence {
		add(plain, "  %s", evidence)
	}
	if s.Begun != nil {
		add(yellow, "begun: %s", begun(p, s.Begun))
	}
	if s.Control != nil {
		add(yellow, "backfills: %s", controlled(p, s.Control))
	}
	if s.Lease != nil {
		add(plain, "held by %s", holder(p, s.Lease))
	}
	for _, skip := range s.Skips {
		add(dim, "not applicable: %s", skip)
	}
	for _, floor := range s.Floors {
		add(plain, "floor: %s %s, by %s", floor.Role, floor.Release, floor.Because)
	}
	for _, trouble := range []struct {
		word  string
		lines []string
		ink   ink
	}{{"newer", s.Newer, yellow}, {"missing", s.Missing, red}, {"edited", s.Edited, red}, {"late", s.Late, yellow}, {"drift", s.Drift, red}} {
		for _, line := range trouble.lines {
			add(trouble.ink, "%s: %s", trouble.word, line)
		}
	}
	return out
}

func position(s wire.StoreStatus) (ink, string, any) {
	at := "at " + s.Position
	if s.Position == "" {
		at = "at the beginning"
	}
	if s.State == wire.StateEmpty {
		at = "empty"
	}
	parts := nonempty(amount(s.Pending, "step to do", "steps to do"), amount(s.Later, "contract later", "contracts later"), amount(s.Skipped, "step not applicable", "steps not applicable"))
	switch {
	case s.State == wire.StateUnstamped:
		return yellow, "%s", "has data, but no books: adopt it or point elsewhere"
	case s.Pending == 0 && s.Later == 0 && s.State == wire.StateCurrent:
		parts = append([]string{"nothing to do"}, parts...)
	}
	if len(parts) == 0 {
		return plain, "%s", at
	}
	return plain, "%s", at + ": " + strings.Join(parts, ", ")
}

func amount(n int, one, several string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + one
	}
	return exact(int64(n)) + " " + several
}

func begun(p *page, b *wire.Begun) string {
	text := b.Migration + "." + b.Step
	switch {
	case b.Total > 0:
		text += fmt.Sprintf(" %.0f %% (%s of %s rows)", b.Percent, about(float64(b.Rows)), about(float64(b.Total)))
	case b.Statements > 1:
		text += fmt.Sprintf(" %d of %d statements", b.Statement, b.Statements)
	case b.Rows > 0:
		text += " " + rows(b.Rows)
	}
	text += ", since " + p.when(b.Since)
	if who := strings.Join(nonempty(b.Operator, b.Host), " on "); who != "" {
		text += " by " + who
	}
	if p.look.Verbose && b.Cursor != "" {
		text += ", last key " + b.Cursor
	}
	return text
}

func holder(p *page, l *wire.Lease) string {
	who := strings.Join(nonempty(fmt.Sprintf("pid %d", l.PID), l.Operator, l.Command), ", ")
	text := fmt.Sprintf("%s (%s), since %s, renewed %s ago", l.Host, who, p.when(l.Since), span(l.Renewed))
	switch {
	case !l.Live:
		text += ": dead, its time to live is over"
	case l.FreeIn > 0:
		text += fmt.Sprintf(", free in %s unless renewed", span(l.FreeIn))
	}
	return text
}

// controlled says how an operator wants backfills to go.
func controlled(p *page, c *wire.Control) string {
	var parts []string
	if c.Paused {
		parts = append(parts, "paused")
	}
	if c.Rate > 0 {
		parts = append(parts, "at most "+about(c.Rate)+" rows/s")
	}
	if c.Workers > 0 {
		parts = append(parts, many(c.Workers, "worker"))
	}
	return fmt.Sprintf("%s, by %s since %s", strings.Join(parts, ", "), c.Who, p.when(c.Since))
}

func throttle(p *page, d *wire.Throttle) {
	var table [][]cell
	for _, store := range d.Stores {
		text, now := "as the runner was told", "nothing runs now"
		if store.Control != nil {
			text = controlled(p, store.Control)
		}
		if store.Begun != nil {
			now = begun(p, store.Begun)
		}
		table = append(table, []cell{{store.Name, bold}, {text: text}, {now, dim}})
	}
	p.table("", table)
}

func nonempty(texts ...string) []string {
	var out []string
	for _, text := range texts {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

var stateInks = map[wire.StepState]ink{
	wire.StepDone: green, wire.StepBegun: yellow, wire.StepPending: plain, wire.StepContract: dim,
	wire.StepNotApplicable: dim, wire.StepMissing: red, wire.StepEdited: red, wire.StepNewer: yellow,
}

func list(p *page, d *wire.List) {
	for i, store := range d.Stores {
		if i > 0 {
			p.blank()
		}
		p.line(bold, fmt.Sprintf("%s (%s)", store.Name, store.Kind))
		if len(store.Steps) == 0 {
			p.line(plain, "  no migrations")
		}
		var table [][]cell
		for _, step := range store.Steps {
			table = append(table, stepRow(p, step))
		}
		p.table("  ", table)
	}
}

func stepRow(p *page, s wire.Step) []cell {
	when, took, changed := "", "", ""
	switch {
	case s.Done != nil:
		when, took = p.when(*s.Done), span(s.Seconds)
		if s.Rows > 0 {
			changed = rows(s.Rows)
		}
	case s.Begun != nil:
		when = p.when(*s.Begun)
	}
	var remarks []string
	for _, key := range [][2]string{{"needs", s.Needs}, {"writers", s.Writers}, {"readers", s.Readers}} {
		if key[1] != "" {
			remarks = append(remarks, key[0]+" "+key[1])
		}
	}
	if s.Offline {
		remarks = append(remarks, "offline")
	}
	if s.Because != "" {
		remarks = append([]string{s.Because}, remarks...)
	}
	if p.look.Verbose {
		remarks = append(remarks, nonempty(s.Sum, s.Release, strings.Join(nonempty(s.Operator, s.Host), " on "))...)
	}
	state := string(s.State)
	if s.State == wire.StepContract {
		state = "with cleanup"
	}
	return []cell{{text: s.Migration + "." + s.Step}, {state, stateInks[s.State]}, {text: when}, {text: took}, {text: changed}, {text: strings.Join(remarks, ", ")}}
}
