package ui

import (
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
)

var checkInks = map[wire.CheckState]ink{wire.Ready: green, wire.Pending: yellow, wire.TooNew: red}

func check(p *page, d *wire.Check) {
	who := strings.Join(nonempty(d.Component, d.Release), " ")
	if who != "" {
		who += ": "
	}
	if d.State != "" {
		p.line(checkInks[d.State], who+string(d.State))
	}
	var table [][]cell
	for _, store := range d.Stores {
		table = append(table, []cell{{text: store.Name}, {string(store.State), checkInks[store.State]}, {text: store.Because}})
	}
	p.table("  ", table)
	for _, store := range d.Stores {
		for _, step := range store.Pending {
			if name := strings.Replace(step, ":", " ", 1); !strings.Contains(store.Because, name) {
				p.linef("  %s is to be done", name)
			}
		}
		for _, floor := range store.Floors {
			p.linef("  %s: %s want at least %s since %s", store.Name, floor.Role, floor.Release, floor.Because)
		}
	}
}

func unlock(p *page, d *wire.Unlock) {
	var table [][]cell
	for _, store := range d.Stores {
		text := "free"
		if store.Lease != nil {
			text = "held by " + holder(p, store.Lease)
		}
		if store.Cleared {
			text += "; cleared"
		}
		if store.Because != "" && store.Because != text {
			text += "; " + store.Because
		}
		table = append(table, []cell{{store.Name, bold}, {text: text}})
	}
	p.table("", table)
}

var severityInks = map[wire.Severity]ink{wire.Fault: red, wire.Warning: yellow, wire.Note: dim}

func lint(p *page, d *wire.Lint) {
	counts := map[wire.Severity]int{}
	for _, problem := range d.Problems {
		counts[problem.Severity]++
		at := problem.File
		if problem.Line > 0 {
			at += fmt.Sprintf(":%d", problem.Line)
		}
		if at != "" {
			at += ": "
		}
		p.line(severityInks[problem.Severity], fmt.Sprintf("%s%s: %s", at, problem.Severity, problem.Message))
		if problem.Hint != "" {
			p.lines(plain, "  ", "hint: "+problem.Hint)
		}
	}
	if d.Error != nil {
		return
	}
	found := nonempty(amount(counts[wire.Fault], "error", "errors"), amount(counts[wire.Warning], "warning", "warnings"), amount(counts[wire.Note], "note", "notes"))
	if len(found) == 0 {
		found = []string{"no problems"}
	}
	text := fmt.Sprintf("%s in %s: %s", many(d.Migrations, "migration"), many(d.Stores, "store"), strings.Join(found, ", "))
	if len(d.Scratch) > 0 {
		text += "; run on a scratch store: " + strings.Join(d.Scratch, ", ")
	}
	p.line(bold, text)
}

func created(p *page, d *wire.New) {
	for _, file := range d.Files {
		p.linef("made %s", file)
	}
}

func imported(p *page, d *wire.Import) {
	p.lines(plain, "", d.Text)
	for _, line := range d.Unknown {
		p.line(yellow, "not known: "+line)
	}
	if d.Out != "" {
		p.linef("made %s of %s: %s, %s", d.Out, d.From, many(d.Releases, "release"), many(d.Migrations, "migration"))
	}
}

func version(p *page, d *wire.VersionInfo) {
	text := strings.Join(nonempty(d.Program, d.Version), " ")
	if d.Revision != "" {
		text += " (" + d.Revision + ")"
	}
	p.line(plain, strings.Join(nonempty(text, d.Go), ", "))
	p.linef("books format %d, documents version %d, stores: %s", d.Books, wire.Version, strings.Join(d.Stores, ", "))
}

func demo(p *page, d *wire.Demo) {
	if !p.look.Told {
		for _, act := range d.Acts {
			p.line(bold, act.Title)
			p.line(dim, "  $ "+act.Command)
			p.lines(plain, "  ", act.Output)
		}
	}
	var table [][]cell
	equal := true
	for _, c := range d.Digests {
		verdict := cell{"equal", green}
		if c.Want != c.Got {
			verdict, equal = cell{"DIFFERENT, wanted " + c.Want, red}, false
		}
		table = append(table, []cell{{text: c.What}, {text: c.Got}, verdict})
	}
	p.table("  ", table)
	if d.Error != nil {
		return
	}
	result, i := "nothing was lost", green
	if d.Lost > 0 || !equal {
		result, i = exact(d.Lost)+" writes were lost", red
	}
	p.line(i, fmt.Sprintf("%s orders, %s writes meanwhile, %s killed, %s: %s",
		exact(d.Orders), exact(d.Writes), many(d.Kills, "runner"), span(d.Seconds), result))
}
