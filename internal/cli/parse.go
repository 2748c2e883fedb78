package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// UsageError says that the command line, or a STOPOVER_ variable, is wrong.
// The exit code is 2.
type UsageError struct {
	Message string // what is wrong, one sentence without full stop
	Hint    string // what was probably meant; "" if nobody can tell
	Next    string // the command that shows how it is right
	Help    string // the main help where no command was given; "" otherwise
	Format  string // the format that was asked for, as far as that could be read: Text or JSON
}

// Error gives the message and the hint.
func (e *UsageError) Error() string {
	if e.Hint != "" {
		return e.Message + "; " + e.Hint
	}
	return e.Message
}

// Parse reads a command line, without the program's name. What no flag says is
// looked up as STOPOVER_<FLAG> ("STOPOVER_LOCK_WAIT"); a variable that is
// empty counts as not set. Every error is a *UsageError.
func Parse(args []string, lookup func(string) (string, bool)) (Request, error) {
	return ParseAs("stopover", args, lookup)
}

// ParseAs is Parse for a program with another name, or with a command line of
// its own around this one: "shop migrate".
func ParseAs(program string, args []string, lookup func(string) (string, bool)) (Request, error) {
	p := parser{program: program, lookup: lookup}
	if err := p.build(); err != nil {
		return Request{}, err
	}
	request, fault := p.parse(rearranged(args))
	if fault != nil {
		fault.Format = p.formatOf(args)
		return Request{}, fault
	}
	return request, nil
}

// rearranged turns "help plan" into "plan --help".
func rearranged(args []string) []string {
	if len(args) == 0 || args[0] != "help" {
		return args
	}
	return append(slices.Clone(args[1:]), "--help")
}

type parser struct {
	program string
	lookup  func(string) (string, bool)
	words   grammar
	kong    *kong.Kong
	used    []string // flags that a variable has set
}

func (p *parser) build() (err error) {
	p.kong, err = kong.New(&p.words,
		kong.Name(p.program),
		kong.NoDefaultHelp(),
		kong.Writers(io.Discard, io.Discard),
		kong.Exit(func(int) {}),
		kong.Resolvers(kong.ResolverFunc(p.resolve)),
	)
	if err != nil {
		return fmt.Errorf("build the command line: %w", err)
	}
	return nil
}

// Variable is the name of the environment variable of a flag.
func Variable(flag string) string {
	return "STOPOVER_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func (p *parser) resolve(context *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if flag.Name == "help" || flag.Name == "version" {
		return nil, nil
	}
	// What throttle changes is said, or not: a variable that is meant for apply
	// would change it unasked.
	if commandOf(context.Selected()) == "throttle" && slices.Contains([]string{"workers", "rate", "pause", "resume"}, flag.Name) {
		return nil, nil
	}
	text, found := p.lookup(Variable(flag.Name))
	if !found || text == "" {
		return nil, nil
	}
	p.used = append(p.used, flag.Name)
	return text, nil
}

func (p *parser) parse(args []string) (Request, *UsageError) {
	// A trace alone asks for no required arguments: help works without them.
	trace, err := kong.Trace(p.kong, args)
	if err == nil && trace.Error == nil {
		switch {
		case asked(trace, "help"):
			return p.help(trace.Selected()), nil
		case asked(trace, "version"):
			return p.parse(versionCommand(args, trace.Selected() != nil))
		case trace.Selected() == nil:
			return Request{}, &UsageError{Message: "no command was given", Next: p.program + " --help", Help: p.mainHelp()}
		case !trace.Selected().Leaf():
			return Request{}, p.unfinished(trace.Selected())
		}
	}
	context, err := p.kong.Parse(args)
	if err != nil {
		return Request{}, p.usage(err)
	}
	request := Request{Program: p.program, Command: commandOf(context.Selected()), Global: p.words.Global}
	request.Ask = context.Selected().Target.Interface().(Ask)
	if run, isRun := request.Ask.(Run); isRun && run.Program[0] == "--" {
		if run.Program = run.Program[1:]; len(run.Program) == 0 {
			return Request{}, &UsageError{Message: "missing: PROGRAM, behind --", Next: p.program + " run --help"}
		}
		request.Ask = run
	}
	return request, p.check(request)
}

// versionCommand is the command line that "--version" stands for. Flags are
// kept, unless they may belong to another command.
func versionCommand(args []string, other bool) []string {
	if other {
		return []string{"version"}
	}
	rest := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--version" })
	return append(rest, "version")
}

func asked(trace *kong.Context, name string) bool {
	return slices.ContainsFunc(trace.Path, func(path *kong.Path) bool {
		return path.Flag != nil && path.Flag.Name == name
	})
}

// commandOf gives the words of a command: "new project".
func commandOf(node *kong.Node) string {
	var words []string
	for ; node != nil && node.Type == kong.CommandNode; node = node.Parent {
		words = append(words, node.Name)
	}
	slices.Reverse(words)
	return strings.Join(words, " ")
}
