package stopover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/stopover-dev/stopover/internal/cli"
	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/ui"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// Version of this build, set by the linker; "": taken from the module.
var Version string

// Terminal is what a command line talks to.
type Terminal struct {
	Args   []string // without the program's name
	Lookup func(string) (string, bool)
	In     io.Reader
	Out    io.Writer
	Err    io.Writer
}

// Main is the whole command line, for a program that carries migrations of its
// own: it reads the process's arguments, environment and terminal, and gives
// the exit code. The first interrupt ends the work in order; the second ends
// the process.
func Main(ctx context.Context, cfg Config) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // from now on an interrupt kills
	return Run(ctx, cfg, Terminal{Args: os.Args[1:], Lookup: os.LookupEnv, In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}

// Run is Main on a given terminal.
func Run(ctx context.Context, cfg Config, t Terminal) int {
	if cfg.Program == "" {
		cfg.Program = "stopover"
	}
	if cfg.Lookup == nil {
		cfg.Lookup = t.Lookup
	}
	c := &command{cfg: cfg, t: t}
	request, err := c.read()
	if err != nil {
		return c.misread(err)
	}
	c.request = request
	if help, isHelp := request.Ask.(cli.Help); isHelp {
		fmt.Fprintln(t.Out, help.Text)
		return ExitDone
	}
	return c.run(ctx)
}

// command is one command line being carried out.
type command struct {
	cfg     Config
	t       Terminal
	request cli.Request
	live    *ui.Live
	watched bool // what the document holds was shown while it happened
}

// read reads the command line twice: the first time for the folder, in which
// .env may hold further settings.
func (c *command) read() (cli.Request, error) {
	first, err := cli.ParseAs(c.cfg.Program, c.t.Args, c.t.Lookup)
	if err != nil {
		return first, err
	}
	dir := c.cfg.in(first.Global.Dir, first.Global.Config).Dir
	if dir == "" {
		dir = "."
	}
	var dotenv map[string]string
	if c.cfg.Files == nil {
		if dotenv, err = files.DotEnv(os.DirFS(dir)); err != nil {
			return first, err
		}
	}
	layers := files.Layers{Env: c.t.Lookup, DotEnv: dotenv}
	return cli.ParseAs(c.cfg.Program, c.t.Args, layers.Variable)
}

// misread tells what is wrong with a command line.
func (c *command) misread(err error) int {
	doc := &wire.Failure{Head: wire.NewHead("")}
	var usage *cli.UsageError
	var failure *Failure
	if errors.As(err, &usage) {
		if usage.Help != "" {
			fmt.Fprintln(c.t.Err, usage.Help)
		}
		doc.Error = &wire.Error{Kind: wire.KindUsage, Message: usage.Message, Hint: usage.Hint, Safe: nothingChanged}
		doc.Next = []string{usage.Next}
		doc.Exit = ExitUsage
		c.request.Global.Format = usage.Format
		return c.show(doc)
	}
	failure = (&App{cfg: c.cfg}).explain("", err)
	return c.end(doc, failure)
}

// run carries out the request and shows its document.
func (c *command) run(ctx context.Context) int {
	if ask, isDemo := c.request.Ask.(cli.Demo); isDemo {
		return c.demo(ctx, ask)
	}
	c.live = ui.NewLive(c.t.Err, c.manner(), c.look(), c.width())
	app, err := c.open()
	if err != nil {
		_ = c.live.Close()
		return c.end(&wire.Failure{Head: wire.NewHead(c.request.Command)}, err)
	}
	if ask, isRun := c.request.Ask.(cli.Run); isRun {
		_ = c.live.Close()
		return c.runProgram(ctx, app, ask)
	}
	doc, err := c.do(ctx, app)
	_ = c.live.Close() // what could not be drawn is in the document
	if closing := app.Close(); err == nil && closing != nil {
		err = fmt.Errorf("close the stores: %w", closing)
	}
	if err != nil {
		err = app.explain("", err)
	}
	if ctx.Err() != nil && err != nil {
		err = &Failure{Exit: ExitInterrupted, Next: []string{app.cmd("status"), app.cmd(c.request.Command)},
			Detail: wire.Error{Kind: wire.KindInterrupted, Message: "interrupted", Safe: staysRecorded}}
	}
	return c.end(doc, err)
}

// end puts an error into the document's head and shows it.
func (c *command) end(doc wire.Document, err error) int {
	if isNil(doc) {
		doc = &wire.Failure{Head: wire.NewHead(c.request.Command)}
	}
	var f *Failure
	if err != nil && !errors.As(err, &f) {
		f = (&App{cfg: c.cfg}).explain("", err)
	}
	if f != nil {
		top := doc.Top()
		top.Error, top.Exit = &f.Detail, f.Exit
		if len(f.Next) > 0 {
			top.Next = f.Next
		}
	}
	return c.show(doc)
}

func (c *command) show(doc wire.Document) int {
	if c.request.Global.Quiet && doc.Top().Error == nil && doc.Top().Exit == ExitDone {
		return doc.Top().Exit
	}
	if err := ui.RenderTo(c.t.Out, c.t.Err, doc, c.look()); err != nil {
		fmt.Fprintln(c.t.Err, c.cfg.Program+":", err)
		return ExitFailed
	}
	return doc.Top().Exit
}

// open reads the project that the command is about. Some commands need none.
func (c *command) open() (*App, error) {
	g := c.request.Global
	c.cfg = c.cfg.in(g.Dir, g.Config)
	if g.Store != "" {
		c.cfg.Only = g.Store
	}
	if g.URL != "" {
		c.cfg.URL, c.cfg.MigrationsDir = g.URL, g.Migrations
	}
	switch ask := c.request.Ask.(type) {
	case cli.AttestComponent:
		c.cfg.Operator = cmp.Or(ask.Operator, c.cfg.Operator)
	case cli.AttestRestored:
		c.cfg.Operator = cmp.Or(ask.Operator, c.cfg.Operator)
	case cli.AttestClient:
		c.cfg.Operator = cmp.Or(ask.Operator, c.cfg.Operator)
	}
	if change := changeOf(c.request.Ask); change != nil {
		if change.Operator != "" {
			c.cfg.Operator = change.Operator
		}
		if change.LockWait > 0 {
			c.cfg.LockWait = change.LockWait
		}
	}
	if locks, has := cli.LocksOf(c.request.Ask); has {
		c.cfg.DDLWait, c.cfg.StatementTimeout = locks.DDLWait, locks.StatementTimeout
	}
	switch ask := c.request.Ask.(type) {
	case cli.Apply:
		c.cfg.Workers = ask.Workers
	case cli.Throttle:
		if ask.Operator != "" {
			c.cfg.Operator = ask.Operator
		}
	}
	if _, isRun := c.request.Ask.(cli.Run); !isRun { // the terminal is its program's
		c.tellLive()
	}
	switch c.request.Ask.(type) {
	case cli.NewProject, cli.ImportTable, cli.ImportGitLab, cli.Version:
		ready, err := c.cfg.ready()
		return &App{cfg: ready, project: &files.Project{}}, err
	}
	return Open(c.cfg)
}

// tellLive shows events while they happen, beside whoever else listens.
func (c *command) tellLive() {
	inner := c.cfg.Events
	c.cfg.Events = func(e Event) {
		c.live.Tell(e)
		if inner != nil {
			inner(e)
		}
	}
}

func changeOf(ask cli.Ask) *cli.Change {
	switch ask := ask.(type) {
	case cli.Init:
		return &ask.Change
	case cli.Apply:
		return &ask.Change
	case cli.Cleanup:
		return &ask.Change
	case cli.Rollback:
		return &ask.Change
	case cli.Adopt:
		return &ask.Change
	}
	return nil
}

// look is how documents are shown on this terminal.
func (c *command) look() ui.Look {
	noColor, _ := c.t.Lookup("NO_COLOR")
	look := ui.Look{Format: ui.Format(c.request.Global.Format), Zone: time.Local, Verbose: c.request.Global.Verbose,
		Program: c.cfg.Program + c.cfg.flags(), Told: c.watched || c.live != nil && c.live.Told()}
	switch c.request.Global.Color {
	case "always":
		look.Color = true
	case "auto":
		look.Color = noColor == "" && isTerminal(c.t.Out)
	}
	return look
}

func (c *command) manner() ui.Manner {
	g := c.request.Global
	switch {
	case g.Quiet:
		return ui.Silent
	case g.Format == cli.JSON && g.Verbose:
		return ui.JSONLines
	case g.Format != cli.Text:
		return ui.Silent
	case isTerminal(c.t.Err):
		return ui.Bar
	}
	return ui.Lines
}

func (c *command) width() int {
	if f, isFile := c.t.Err.(*os.File); isFile {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

func isTerminal(stream any) bool {
	f, isFile := stream.(*os.File)
	return isFile && term.IsTerminal(int(f.Fd()))
}

// version tells what this program is.
func (a *App) version() *wire.VersionInfo {
	doc := &wire.VersionInfo{Head: wire.NewHead("version"), Program: a.cfg.Program, Version: Version, Go: runtime.Version(),
		Books: store.Format, Stores: []string{}}
	if info, known := debug.ReadBuildInfo(); known {
		if doc.Version == "" {
			doc.Version = info.Main.Version
		}
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				doc.Revision = setting.Value
			}
		}
	}
	if doc.Version == "" {
		doc.Version = "(devel)"
	}
	for _, kind := range a.cfg.Kinds {
		doc.Stores = append(doc.Stores, kind.Name)
	}
	return doc
}
