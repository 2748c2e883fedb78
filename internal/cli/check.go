package cli

import (
	"fmt"
	"math"
	"strings"
)

// check finds flags that exclude each other, or that make no sense.
func (p *parser) check(r Request) *UsageError {
	fault := func(format string, args ...any) *UsageError {
		return &UsageError{Message: p.fromWhere(fmt.Sprintf(format, args...)), Next: p.program + " " + r.Command + " --help"}
	}
	if f := r.Global.Format; (f == Markdown || f == Mermaid) && r.Command != "plan" {
		return fault("--format %s is for plan only, %s has text and json", f, r.Command)
	}
	if r.Global.Quiet && r.Global.Verbose {
		return fault("--quiet and --verbose exclude each other")
	}
	if r.Global.URL != "" && r.Global.Config != "" {
		return fault("--url is for a project without stopover.yaml: leave out --config")
	}
	if _, imports := r.Ask.(ImportTable); r.Global.Migrations != "" && r.Global.URL == "" && !imports {
		return fault("--migrations goes with --url")
	}
	switch ask := r.Ask.(type) {
	case Throttle:
		if text := ask.fault(); text != "" {
			return fault("%s", text)
		}
	case Apply:
		if ask.Workers < 1 || ask.Workers > mostWorkers {
			return fault("--workers is a number from 1 to %d", mostWorkers)
		}
		if ask.File != "" && ask.To != "" {
			return fault("a plan file says its target itself: leave out --to")
		}
	case AttestComponent:
		return p.checkStatement(fault, ask.Statement)
	case AttestClient:
		return p.checkStatement(fault, ask.Statement)
	case Demo:
		if ask.Orders < 1 {
			return fault("--orders must be at least 1")
		}
	}
	if locks, ok := LocksOf(r.Ask); ok && (locks.DDLWait <= 0 || locks.StatementTimeout < 0) {
		return fault("--ddl-wait must be more than 0, and --statement-timeout not negative")
	}
	if change, ok := changeOf(r.Ask); ok && change.LockWait < 0 {
		return fault("--lock-wait must not be negative")
	}
	return nil
}

// mostWorkers is how many workers a backfill may have.
const mostWorkers = 8

// fault says what is wrong with a request to throttle; "": nothing.
func (t Throttle) fault() string {
	switch {
	case t.Pause && t.Resume:
		return "--pause and --resume exclude each other"
	case t.Workers == nil && t.Rate == nil && !t.Pause && !t.Resume:
		return "say what to change: --workers, --rate, --pause or --resume"
	case t.Workers != nil && (*t.Workers < 0 || *t.Workers > mostWorkers):
		return fmt.Sprintf("--workers is a number from 0 to %d", mostWorkers)
	case t.Rate != nil && (*t.Rate < 0 || math.IsNaN(*t.Rate) || math.IsInf(*t.Rate, 0)):
		return "--rate is a number of rows a second, or 0"
	}
	return ""
}

// LocksOf gives the flags about locks, of the commands that have them.
func LocksOf(ask Ask) (Locks, bool) {
	switch a := ask.(type) {
	case Apply:
		return a.Locks, true
	case Cleanup:
		return a.Locks, true
	case Rollback:
		return a.Locks, true
	}
	return Locks{}, false
}

func (p *parser) checkStatement(fault func(string, ...any) *UsageError, s Statement) *UsageError {
	switch {
	case strings.TrimSpace(s.Reason) == "":
		return fault("--reason must say how you know")
	case s.For <= 0:
		return fault("--for must be more than nothing")
	}
	return nil
}

func changeOf(ask Ask) (Change, bool) {
	switch a := ask.(type) {
	case Apply:
		return a.Change, true
	case Init:
		return a.Change, true
	case Cleanup:
		return a.Change, true
	case Rollback:
		return a.Change, true
	case Adopt:
		return a.Change, true
	}
	return Change{}, false
}
