package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

const summary = "upgrades every data store of an application, from any release to any later one"

const exitCodes = `Exit codes
  0    done, nothing left to do, or a way exists (plan)
  1    failed
  2    usage, catalogue or lint error
  3    refused, or no way
  4    undecided: an operator must choose
  5    verification failed
  6    the store is newer than this release or catalogue allows
  7    a stop is reached: roll out, then run again
  130  interrupted
`

func (p *parser) help(node *kong.Node) Request {
	text := p.mainHelp()
	if node != nil {
		text = p.commandHelp(node)
	}
	return Request{Program: p.program, Command: "help", Global: p.words.Global, Ask: Help{Text: text}}
}

func (p *parser) mainHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n\nUsage: %s COMMAND [flags]\n", p.program, summary, p.program)
	for _, group := range []struct{ key, title string }{{"daily", "Daily"}, {"sometimes", "Now and then"}} {
		fmt.Fprintf(&b, "\n%s\n", group.title)
		var rows [][2]string
		for _, node := range p.kong.Model.Children {
			if node.Tag.Group == group.key {
				rows = append(rows, [2]string{node.Name, node.Help})
			}
		}
		table(&b, rows)
	}
	b.WriteString("\nFlags of all commands\n")
	table(&b, flagRows(p.kong.Model.Flags))
	b.WriteString("\nEvery flag can be set by a variable too: --lock-wait is STOPOVER_LOCK_WAIT.\n\n")
	b.WriteString(exitCodes)
	fmt.Fprintf(&b, "\nExample\n  %s demo\n  %s plan --to 1.6\n  %s COMMAND --help\n", p.program, p.program, p.program)
	return strings.TrimSuffix(b.String(), "\n")
}

func (p *parser) commandHelp(node *kong.Node) string {
	var b strings.Builder
	name := p.program + " " + commandOf(node)
	fmt.Fprintf(&b, "%s\n\nUsage: %s", node.Help, name)
	for _, arg := range node.Positional {
		switch {
		case arg.Passthrough: // what stands behind it is not ours
			fmt.Fprintf(&b, " [flags] -- %s [ARGUMENT ...]\n", arg.Name)
			return p.restOfHelp(&b, node, name)
		case arg.Required:
			fmt.Fprintf(&b, " %s", arg.Name)
		default:
			fmt.Fprintf(&b, " [%s]", arg.Name)
		}
	}
	if len(node.Children) > 0 {
		b.WriteString(" COMMAND")
	}
	b.WriteString(" [flags]\n")
	return p.restOfHelp(&b, node, name)
}

// restOfHelp is what stands below the line of usage.
func (p *parser) restOfHelp(b *strings.Builder, node *kong.Node, name string) string {
	section(b, "Commands", childRows(node))
	section(b, "Arguments", argumentRows(node))
	section(b, "Flags", flagRows(node.Flags))
	fmt.Fprintf(b, "\nFlags of all commands: %s --help\n", p.program)
	examples(b, p.program, node)
	return strings.TrimSuffix(b.String(), "\n")
}

func section(b *strings.Builder, title string, rows [][2]string) {
	if len(rows) > 0 {
		fmt.Fprintf(b, "\n%s\n", title)
		table(b, rows)
	}
}

func examples(b *strings.Builder, program string, node *kong.Node) {
	b.WriteString("\nExample\n")
	for _, n := range append([]*kong.Node{node}, node.Children...) {
		if example := n.Tag.Get("example"); example != "" {
			fmt.Fprintf(b, "  %s %s\n", program, example)
		}
	}
}

func childRows(node *kong.Node) (rows [][2]string) {
	for _, child := range node.Children {
		rows = append(rows, [2]string{child.Name, child.Help})
	}
	return rows
}

func argumentRows(node *kong.Node) (rows [][2]string) {
	for _, arg := range node.Positional {
		rows = append(rows, [2]string{arg.Name, arg.Help})
	}
	return rows
}

func flagRows(flags []*kong.Flag) (rows [][2]string) {
	for _, flag := range flags {
		name := "--" + flag.Name
		if flag.Short != 0 {
			name = fmt.Sprintf("-%c, %s", flag.Short, name)
		}
		if !flag.IsBool() {
			name += " " + flag.PlaceHolder
		}
		rows = append(rows, [2]string{name, flag.Help})
	}
	return rows
}

// table writes two columns, indented and aligned.
func table(b *strings.Builder, rows [][2]string) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	for _, row := range rows {
		fmt.Fprintf(b, "  %-*s  %s\n", width, row[0], row[1])
	}
}
