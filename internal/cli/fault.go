package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// usage turns an error of the parser into one for people.
func (p *parser) usage(err error) *UsageError {
	out := &UsageError{Message: err.Error(), Next: p.program + " --help"}
	var node *kong.Node
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node = parse.Context.Selected(); node != nil {
			out.Next = p.program + " " + commandOf(node) + " --help"
		}
	}
	if message, guess, found := strings.Cut(out.Message, ", did you mean "); found {
		out.Message, out.Hint = message, "did you mean "+strings.ReplaceAll(guess, `"`, "")
	}
	out.Message = p.fromWhere(withoutSecrets(reworded(out.Message, node)))
	out.Hint = withoutSecrets(out.Hint)
	return out
}

var (
	needsValue = regexp.MustCompile(`^(--[a-z-]+): expected \S+ value but got "EOL" \(<EOL>\)$`)
	oneOf      = regexp.MustCompile(`^(--[a-z-]+) must be one of (\S+) but got (".*")$`)
	duration   = regexp.MustCompile(`^(--[a-z-]+): expected duration but got (".*"): .*$`)
)

// reworded says in plain words what the parser says in its own.
func reworded(message string, node *kong.Node) string {
	if word, found := strings.CutPrefix(message, "unexpected argument "); found && (node == nil || !node.Leaf()) {
		return fmt.Sprintf("there is no command %q", strings.TrimSpace(commandOf(node)+" "+word))
	}
	if flags, found := strings.CutPrefix(message, "missing flags: "); found {
		return "missing: " + strings.ReplaceAll(flags, "=", " ")
	}
	if words, found := strings.CutPrefix(message, "expected "); found {
		return "missing: " + strings.NewReplacer(`"`, "", "<", "", ">", "").Replace(words)
	}
	if m := needsValue.FindStringSubmatch(message); m != nil {
		return m[1] + " wants a value"
	}
	if m := oneOf.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s is %s, not %s", m[1], strings.NewReplacer(`"`, "", ",", ", ").Replace(m[2]), m[3])
	}
	if m := duration.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s is a time like 90s or 5m, not %s", m[1], m[2])
	}
	return message
}

// unfinished says that the first word of a command of two stands alone.
func (p *parser) unfinished(node *kong.Node) *UsageError {
	var words []string
	for _, child := range node.Children {
		words = append(words, commandOf(child))
	}
	return &UsageError{
		Message: "the command is not complete: " + strings.Join(words, " or "),
		Next:    p.program + " " + commandOf(node) + " --help",
	}
}

// fromWhere names the variable if the flag at fault was set by one.
func (p *parser) fromWhere(message string) string {
	at := slices.IndexFunc(p.used, func(flag string) bool {
		return strings.HasPrefix(message, "--"+flag+" ") || strings.HasPrefix(message, "--"+flag+":")
	})
	if at < 0 {
		return message
	}
	return message + " (from " + Variable(p.used[at]) + ")"
}

var (
	address  = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*)://[^\s"]*`)
	password = regexp.MustCompile(`(?i)(passw(?:or)?d|token|secret)=[^\s"&]*`)
)

// withoutSecrets takes out what may be a password, where somebody typed an
// address in the wrong place.
func withoutSecrets(text string) string {
	return password.ReplaceAllString(address.ReplaceAllString(text, "$1://..."), "$1=...")
}

// formatOf reads the format from a command line that could not be parsed.
func (p *parser) formatOf(args []string) string {
	format, _ := p.lookup(Variable("format"))
	for i, arg := range args {
		if value, found := strings.CutPrefix(arg, "--format="); found {
			format = value
		} else if arg == "--format" && i+1 < len(args) {
			format = args[i+1]
		}
	}
	if format == JSON {
		return JSON
	}
	return Text
}
