package store

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ConflictError says that a note was not at the revision that was expected.
// With Guard set the caller has been displaced: somebody else holds the lease.
type ConflictError struct {
	Key   string
	Guard bool
}

func (e *ConflictError) Error() string {
	if e.Guard {
		return fmt.Sprintf("guard lost: note %q was changed by somebody else", e.Key)
	}
	return fmt.Sprintf("note %q was changed by somebody else", e.Key)
}

// NewerError says that the books were written by a newer Stopover.
type NewerError struct{ Found, Known int }

func (e *NewerError) Error() string {
	return fmt.Sprintf("the store's books have format %d, this stopover knows up to %d: use the newer stopover that wrote them", e.Found, e.Known)
}

// LockedError says that a lock was not had within Task.Wait.
type LockedError struct {
	Waited time.Duration
	By     []Session // who holds it, where the store tells
	Err    error
}

func (e *LockedError) Error() string {
	text := fmt.Sprintf("no lock within %s", e.Waited)
	if len(e.By) > 0 {
		text += ", held by " + e.Holders()
	}
	return text
}

// Holders names who holds the lock, at most three; "": the store does not tell.
func (e *LockedError) Holders() string {
	var by []string
	for i, s := range e.By {
		if i == 3 {
			by = append(by, fmt.Sprintf("and %d more", len(e.By)-i))
			break
		}
		by = append(by, s.String())
	}
	return strings.Join(by, "; ")
}

func (e *LockedError) Unwrap() error { return e.Err }

// StatementError says that a statement of a migration failed. Nothing of its
// transaction stayed, or what Stays says.
type StatementError struct {
	Statement int    // from 1
	Line      int    // in the migration's file where the fault is, as exactly as the store tells; 0: unknown
	Code      string // the store's own error code: "42P01"
	Message   string
	Detail    string
	Hint      string
	Stays     string // what of the failed work stays all the same, as a sentence without its end; "": nothing
	Err       error
}

func (e *StatementError) Error() string {
	text := e.Message
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

func (e *StatementError) Unwrap() error { return e.Err }

// SyntaxError says that a section cannot be understood or must not be run.
type SyntaxError struct {
	File    string
	Line    int
	Message string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message) }

// ViolationError says that a proof found something.
type ViolationError struct {
	Rows   int64
	Sample []string
}

func (e *ViolationError) Error() string {
	return fmt.Sprintf("%d violations", e.Rows)
}

// EscapedError says that a statement ended the transaction it was to run in
// (a COMMIT in it, or in what it called). What stood before it has stayed.
type EscapedError struct{ Statement, Line int }

func (e *EscapedError) Error() string {
	return "the statements ended their transaction themselves: what ran before that has stayed, and nothing was recorded"
}

// RightsError says that the login may not do what is asked, or that the server
// takes no writes.
type RightsError struct {
	Missing string // "CREATE on schema public"
	Hint    string // what to do, where it is not to grant the right; "": that
	Err     error
}

func (e *RightsError) Error() string { return "missing right: " + e.Missing }

func (e *RightsError) Unwrap() error { return e.Err }

// UnreachableError says that no connection could be had, or that it broke.
type UnreachableError struct {
	Place string // without secrets
	Err   error  // without secrets
	// Denied: the server is there and does not let this login in, or has no such
	// database. It does not pass by itself.
	Denied bool
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("cannot reach %s: %v", e.Place, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// SettingError says that work needs a setting of the store that is not given.
type SettingError struct {
	Setting string // "direct_url"
	Message string // what it is needed for, and what it has to be
}

func (e *SettingError) Error() string { return e.Message }

// ErrNoScratch says that a kind cannot make a scratch store from nothing: it
// needs a server, and none was named.
var ErrNoScratch = errors.New("a scratch store of this kind needs a server")
