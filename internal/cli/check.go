package cli

import "fmt"

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
	case Apply:
		if ask.File != "" && ask.To != "" {
			return fault("a plan file says its target itself: leave out --to")
		}
	case Demo:
		if ask.Orders < 1 {
			return fault("--orders must be at least 1")
		}
	}
	if change, ok := changeOf(r.Ask); ok && change.LockWait < 0 {
		return fault("--lock-wait must not be negative")
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
