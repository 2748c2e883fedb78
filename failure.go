package stopover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/run"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// Exit codes of the commands.
const (
	ExitDone        = 0   // done, nothing left to do, or a way exists (plan)
	ExitFailed      = 1   // something broke
	ExitUsage       = 2   // the command line, the catalogue or a file is wrong
	ExitRefused     = 3   // a rule forbids it; reason and next command are given
	ExitUndecided   = 4   // an operator must choose
	ExitViolated    = 5   // a verification found something
	ExitNewer       = 6   // the store is newer than this release or catalogue allows
	ExitStop        = 7   // a stop is reached: roll, then run again
	ExitInterrupted = 130 // by a signal
)

// Failure is an error as the person in front of it needs it: what happened, to
// what, what is safe and what to type next.
type Failure struct {
	Exit   int // of the process that ends with it
	Detail wire.Error
	Next   []string // commands, the likeliest first
	Err    error    // what it was made of; nil: it is Stopover's own decision
}

func (f *Failure) Error() string { return f.Detail.Error() }

func (f *Failure) Unwrap() error { return f.Err }

const (
	nothingChanged = "nothing was changed"
	staysRecorded  = "what is done stays recorded; the next run goes on there"
)

func refuse(message string, next ...string) *Failure {
	return &Failure{Exit: ExitRefused, Next: next,
		Detail: wire.Error{Kind: wire.KindRefused, Message: message, Safe: nothingChanged}}
}

func misuse(message string, next ...string) *Failure {
	return &Failure{Exit: ExitUsage, Next: next,
		Detail: wire.Error{Kind: wire.KindUsage, Message: message, Safe: nothingChanged}}
}

func undecided(message string, evidence []string, next ...string) *Failure {
	return &Failure{Exit: ExitUndecided, Next: next,
		Detail: wire.Error{Kind: wire.KindUndecided, Message: message, Evidence: evidence, Safe: nothingChanged}}
}

// at names the step that a failure is about.
func (f *Failure) at(id plan.StepID) *Failure {
	f.Detail.Store, f.Detail.Migration = id.Store, id.Migration
	if id.Kind != 0 {
		f.Detail.Step = id.Kind.String()
	}
	return f
}

// in names the store that a failure is about.
func (f *Failure) in(storeName string) *Failure {
	f.Detail.Store = storeName
	return f
}

// explain turns any error into a Failure. storeName is where it happened, "" if
// no single store is concerned.
func (a *App) explain(storeName string, err error) *Failure {
	var known *Failure
	if errors.As(err, &known) {
		return known
	}
	f := a.explainRun(err)
	if f == nil {
		f = a.explainStore(err)
	}
	if f == nil {
		f = explainOther(err)
	}
	if f.Detail.Store == "" {
		f.Detail.Store = storeName
	}
	f.Err = err
	var step *run.StepError
	if errors.As(err, &step) {
		a.locate(f, step)
	}
	return f
}

// explainRun explains what the run loop ends with.
func (a *App) explainRun(err error) *Failure {
	var held *book.HeldError
	var violated *run.ViolatedError
	var edited *run.EditedError
	var open *run.UndecidedError
	var gaveUp *run.GaveUpError
	var older *run.OlderError
	switch {
	case errors.As(err, &held):
		return a.explainHeld(held)
	case errors.Is(err, book.ErrDisplaced):
		return &Failure{Exit: ExitFailed, Next: []string{a.cmd("status")}, Detail: wire.Error{Kind: wire.KindDisplaced,
			Message: "another runner took the store over; this one was stopped before it could do harm", Safe: staysRecorded}}
	case errors.Is(err, run.ErrUntil):
		return &Failure{Exit: ExitRefused, Next: []string{a.cmd("apply")}, Detail: wire.Error{Kind: wire.KindRefused,
			Message: "the time given by --until is reached", Safe: staysRecorded}}
	case errors.As(err, &violated):
		f := &Failure{Exit: ExitViolated, Next: []string{a.cmd("verify")}, Detail: wire.Error{Kind: wire.KindViolated,
			Message: plural(violated.Rows, "violation"), Safe: staysRecorded, Evidence: violated.Sample}}
		if violated.Work.ID.Kind == plan.Backfill {
			f.Next = []string{a.cmd("apply")}
			f.Detail.Message = plural(violated.Rows, "row") + " still fit its condition when it was over"
			f.Detail.Hint = fmt.Sprintf("it was swept again %d times: something keeps writing the old form, or the condition does not leave out what is done", violated.Swept)
			return f.at(violated.Work.ID)
		}
		if violated.Swept > 0 {
			f.Detail.Hint = fmt.Sprintf("the backfill was opened again %d times: something keeps writing the old form, or the query asks for more than the backfill does", violated.Swept)
		}
		return f.at(violated.Work.ID)
	case errors.As(err, &edited):
		return (&Failure{Exit: ExitRefused, Next: []string{a.cmd("list")}, Detail: wire.Error{Kind: wire.KindEdited,
			Message: fmt.Sprintf("statement %d has run and was changed since", edited.Statement), Line: edited.Line, Safe: nothingChanged,
			Hint: "put the statement back as it was; what has not run yet may be changed"}}).at(edited.ID)
	case errors.As(err, &gaveUp):
		return &Failure{Exit: ExitFailed, Next: []string{a.cmd("apply")}, Detail: wire.Error{Kind: wire.KindLocked, Message: gaveUp.Error(), Safe: staysRecorded,
			Evidence: sessionLines(gaveUp.Locked.By), Hint: "end what holds the lock, or try for longer with --ddl-wait"}}
	case errors.As(err, &older):
		return &Failure{Exit: ExitFailed, Next: []string{a.cmd("apply")}, Detail: wire.Error{Kind: wire.KindLocked, Message: older.Error(), Safe: staysRecorded,
			Evidence: sessionLines(older.By), Hint: "end the transactions, or wait for longer with --ddl-wait; the next run goes on with waiting"}}
	case errors.As(err, &open):
		f := undecided(fmt.Sprintf("statement %d was begun by a run that died, and it cannot be told whether it took effect", open.Statement),
			[]string{open.Because}, a.cmd("status"))
		f.Detail.Statement, f.Detail.SQL = open.Statement, firstLine(open.Text)
		return f.at(open.ID)
	}
	return nil
}

func sessionLines(sessions []store.Session) []string {
	lines := make([]string, len(sessions))
	for i, s := range sessions {
		lines[i] = s.String()
	}
	return lines
}

func (a *App) explainHeld(held *book.HeldError) *Failure {
	left := held.Holder.Left(held.Now).Round(time.Second)
	who := fmt.Sprintf("%s (pid %d, %s)", held.Holder.Host, held.Holder.PID, held.Holder.Operator)
	return &Failure{Exit: ExitRefused, Next: []string{a.cmd("status"), a.cmd("unlock")}, Detail: wire.Error{Kind: wire.KindHeld,
		Message: fmt.Sprintf("the lease is held by %s since %s", who, held.Holder.Since.Format(time.RFC3339)), Safe: nothingChanged,
		Hint: fmt.Sprintf("it was renewed %s ago; a holder that is dead loses it by itself in %s",
			held.Now.Sub(held.Holder.Renewed).Round(time.Second), left)}}
}

// explainStore explains what a store answers.
func (a *App) explainStore(err error) *Failure {
	var newer *store.NewerError
	var gone *store.UnreachableError
	var rights *store.RightsError
	var locked *store.LockedError
	var escaped *store.EscapedError
	var failed *store.StatementError
	var syntax *store.SyntaxError
	var setting *store.SettingError
	var violation *store.ViolationError
	switch {
	case errors.As(err, &newer):
		return &Failure{Exit: ExitNewer, Next: []string{a.cmd("version")},
			Detail: wire.Error{Kind: wire.KindNewer, Message: newer.Error(), Safe: nothingChanged}}
	case errors.As(err, &gone):
		return &Failure{Exit: ExitFailed, Next: []string{a.cmd("status")},
			Detail: wire.Error{Kind: wire.KindUnreachable, Message: gone.Error(), Safe: staysRecorded}}
	case errors.As(err, &rights):
		hint := rights.Hint
		if hint == "" {
			hint = "grant it, or use a login that has it, and run the same command again"
		}
		return &Failure{Exit: ExitFailed, Next: []string{a.cmd("status")}, Detail: wire.Error{Kind: wire.KindRights, Message: rights.Error(),
			Safe: staysRecorded, Hint: hint}}
	case errors.As(err, &locked):
		return &Failure{Exit: ExitFailed, Next: []string{a.cmd("apply")},
			Detail: wire.Error{Kind: wire.KindLocked, Message: locked.Error(), Safe: staysRecorded}}
	case errors.As(err, &escaped):
		return &Failure{Exit: ExitFailed, Next: []string{a.cmd("lint"), a.cmd("status")},
			Detail: wire.Error{Kind: wire.KindStatement, Message: escaped.Error(), Line: escaped.Line, Statement: escaped.Statement,
				Safe: "what the statements before the end of the transaction did has stayed; look at it before running again"}}
	case errors.As(err, &failed):
		stays := failed.Stays
		if stays == "" {
			stays = "the failed statement left nothing"
		}
		return &Failure{Exit: ExitFailed, Next: []string{a.cmd("apply")},
			Detail: wire.Error{Kind: wire.KindStatement, Message: failed.Message, Code: failed.Code, Line: failed.Line, Statement: failed.Statement,
				Detail: failed.Detail, Hint: failed.Hint, Safe: stays + "; what was done before stays recorded"}}
	case errors.As(err, &setting):
		return &Failure{Exit: ExitUsage, Next: []string{a.cmd("apply")},
			Detail: wire.Error{Kind: wire.KindCatalogue, Message: setting.Message, Safe: staysRecorded,
				Hint: "add " + setting.Setting + " to the store in " + a.project.File + ", and run the same command again"}}
	case errors.As(err, &syntax):
		return &Failure{Exit: ExitUsage, Next: []string{a.cmd("lint")},
			Detail: wire.Error{Kind: wire.KindCatalogue, Message: syntax.Message, File: syntax.File, Line: syntax.Line, Safe: nothingChanged}}
	case errors.As(err, &violation):
		return &Failure{Exit: ExitViolated, Next: []string{a.cmd("verify")},
			Detail: wire.Error{Kind: wire.KindViolated, Message: plural(violation.Rows, "violation"), Evidence: violation.Sample,
				Safe: "the step was not begun"}}
	}
	return nil
}

// explainOther explains files, contexts and everything that is left.
func explainOther(err error) *Failure {
	var problems *files.Problems
	var config *ConfigError
	switch {
	case errors.As(err, &problems):
		first := problems.List[0]
		f := &Failure{Exit: ExitUsage, Detail: wire.Error{Kind: wire.KindCatalogue, Message: first.Message, File: first.File, Line: first.Line,
			Hint: first.Next, Safe: nothingChanged}}
		for _, more := range problems.List[1:] {
			f.Detail.Evidence = append(f.Detail.Evidence, more.Error())
		}
		return f
	case errors.As(err, &config):
		return misuse(config.Message)
	case errors.Is(err, context.Canceled):
		return &Failure{Exit: ExitInterrupted, Detail: wire.Error{Kind: wire.KindInterrupted, Message: "interrupted", Safe: staysRecorded}}
	}
	return &Failure{Exit: ExitFailed, Detail: wire.Error{Kind: wire.KindFailed, Message: err.Error()}}
}

// locate adds the step, its file and the line of SQL at fault.
func (a *App) locate(f *Failure, step *run.StepError) {
	f.at(step.Work.ID)
	f.Detail.File = step.Work.File
	if step.Work.ID.Kind == plan.Contract { // no apply performs one
		for i, next := range f.Next {
			if next == a.cmd("apply") {
				f.Next[i] = a.cmd("cleanup")
			}
		}
	}
	if n := f.Detail.Statement; f.Detail.Kind == wire.KindStatement && n > 0 && n <= len(step.Work.Action.Statements()) &&
		step.Work.Action.Statements()[n-1].Alone {
		f.Detail.Safe = "it ran outside a transaction and may have left half of its effect: the next run looks, and takes that away first"
	}
	if f.Detail.Line == 0 || f.Detail.SQL != "" {
		return
	}
	for _, s := range step.Work.Action.Statements() {
		lines := strings.Split(s.Text, "\n")
		if n := f.Detail.Line - s.Line; s.Line > 0 && n >= 0 && n < len(lines) {
			f.Detail.SQL = strings.TrimRight(lines[n], " \t\r")
		}
	}
}

// cmd gives a command as it is typed.
func (a *App) cmd(words string) string {
	cfg := a.cfg
	if strings.Contains(words, "--store ") {
		cfg.Only = ""
	}
	return a.cfg.Program + " " + words + cfg.flags()
}

// flags are those by which the project is found, as they are typed.
func (c Config) flags() string {
	text, file := "", c.typed
	if c.Only != "" {
		text = " --store " + shellWord(c.Only)
	}
	if file == "" {
		file = c.File
	}
	if file != "" && file != files.ConfigName {
		text += " --config " + shellWord(file)
	}
	if c.typedDir != "" {
		text += " --dir " + shellWord(c.typedDir)
	}
	return text
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
