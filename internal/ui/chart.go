package ui

import (
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
)

// chart draws a plan as a Mermaid flow chart, one box a leg.
func chart(d *wire.Plan) string {
	c := &drawing{}
	c.WriteString("flowchart TD\n")
	c.node("start", "([", title(d), "])")
	for i, b := range d.Blocked {
		c.node(fmt.Sprintf("blocked%d", i+1), "{{", blockedLine(b), "}}")
		for j, repair := range b.Repairs {
			c.branch(fmt.Sprintf("blocked%d", i+1), fmt.Sprintf("repair%d_%d", i+1, j+1), repair.Kind+": "+repair.Text)
		}
	}
	for i, leg := range d.Legs {
		c.box(fmt.Sprintf("leg%d", i+1), fmt.Sprintf("Leg %d", i+1), leg.Actions)
		if leg.Stop != nil {
			c.node(fmt.Sprintf("stop%d", i+1), "{{", stopLine(leg.Stop), "}}")
		}
	}
	steps, contracts := aftermath(d)
	c.box("rolled", lastly, steps)
	c.box("after", afterTitle(d), contracts)
	if len(d.Blocked) == 0 {
		c.node("finish", "([", "done", "])")
	}
	if len(c.chain) > 1 {
		c.WriteString("  " + strings.Join(c.chain, " --> ") + "\n")
	}
	return c.String()
}

// drawing collects nodes, and their order for the arrows.
type drawing struct {
	strings.Builder
	chain []string
	count int
	depth int
}

func (c *drawing) node(id, left, text, right string) {
	fmt.Fprintf(c, "%s%s%s\"%s\"%s\n", strings.Repeat("  ", c.depth+1), id, left, label(text), right)
	c.chain = append(c.chain, id)
}

// branch draws a node beside the chain.
func (c *drawing) branch(from, id, text string) {
	fmt.Fprintf(c, "  %s -.-> %s[\"%s\"]\n", from, id, label(text))
}

func (c *drawing) box(id, name string, actions []wire.Action) {
	if len(actions) == 0 {
		return
	}
	fmt.Fprintf(c, "  subgraph %s[\"%s\"]\n", id, label(name))
	c.depth++
	for _, g := range grouped(actions) {
		c.count++
		left, right := "[", "]"
		switch g.first().Kind {
		case wire.ActRoll, wire.ActHalt:
			left, right = "([", "])"
		case wire.ActSwitch:
			left, right = "[[", "]]"
		}
		c.node(fmt.Sprintf("a%d", c.count), left, caption(g), right)
	}
	c.depth--
	c.WriteString("  end\n")
}

// caption is what a node says, at most three lines.
func caption(g group) string {
	a := g.first()
	switch a.Kind {
	case wire.ActRoll:
		return "ROLL " + roll(a)
	case wire.ActSwitch:
		return "SWITCH " + switched(a)
	case wire.ActHalt:
		return "HALT " + a.Component + " " + between(a.From)
	}
	lines := nonempty(a.Store+" "+g.steps(), took(g))
	for _, action := range g.actions {
		if action.NoReturn {
			lines = append(lines, noReturn(action))
		}
		if action.Offline {
			lines = append(lines, "OFFLINE")
		}
	}
	return strings.Join(lines, "\n")
}

var labels = strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", ";", "#59;", "`", "#96;")

// label takes out of a text what Mermaid would read as its own.
func label(text string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		out = append(out, labels.Replace(clean(line)))
	}
	return strings.Join(out, "<br/>")
}
