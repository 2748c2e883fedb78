package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/stopover-dev/stopover/store"
)

const sqliteError = lib.SQLITE_ERROR

// code gives SQLite's primary result code of an error, 0 if it is not SQLite's.
func code(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

func isBusy(err error) bool {
	c := code(err)
	return c == lib.SQLITE_BUSY || c == lib.SQLITE_LOCKED
}

func locked(waited time.Duration, err error) error {
	return &store.LockedError{Waited: waited.Round(time.Millisecond), Err: err}
}

// noTable says whether an error comes from books that are not there.
func noTable(err error) bool {
	return code(err) == lib.SQLITE_ERROR && strings.Contains(err.Error(), "no such table: stopover_")
}

// explain turns an error of a connection or of the books into one of the
// seam's.
func (s *Store) explain(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*store.LockedError](err); ok {
		return err
	}
	switch code(err) {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return locked(0, err)
	case lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		return &store.RightsError{Missing: "write to " + s.place.String() + " and its folder", Err: err}
	case lib.SQLITE_CANTOPEN:
		if gone, wrong := s.place.missing(); wrong != nil {
			return &store.UnreachableError{Place: s.place.String(), Err: wrong}
		} else if gone {
			return errNoBooks
		}
		return &store.RightsError{Missing: "open " + s.place.String() + " and make files in " + filepath.Dir(s.place.file), Err: err}
	case lib.SQLITE_NOTADB:
		return &store.UnreachableError{Place: s.place.String(), Err: errors.New("the file is not a SQLite database (or it is encrypted)")}
	case lib.SQLITE_CORRUPT:
		return &store.UnreachableError{Place: s.place.String(), Err: fmt.Errorf("the database file is damaged: %w", err)}
	case lib.SQLITE_FULL:
		return fmt.Errorf("write to %s: the disk is full, or the database reached its max_page_count; nothing of this transaction stayed: %w", s.place, err)
	}
	if noTable(err) {
		return errNoBooks
	}
	return err
}

// decoration is what the driver puts around SQLite's own message.
var decoration = regexp.MustCompile(`^(?:SQL logic error|constraint failed): (.*) \(\d+\)$`)

// failed says that the statement with this number, from 1, failed. At the end
// of the caller's context the error is the context's; at the end of the time
// that the statement had, it is the statement's.
func (s *Store) failed(ctx context.Context, err error, number int, part store.Statement, timeout time.Duration) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if isBusy(err) {
		return locked(0, err)
	}
	failure := &store.StatementError{Statement: number, Line: part.Line, Message: err.Error(), Err: err}
	if errors.Is(err, context.DeadlineExceeded) {
		failure.Message = fmt.Sprintf("the statement took longer than %s", timeout)
		return failure
	}
	c := code(err)
	switch c {
	case 0:
		return failure
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return s.explain(err) // not the statement's fault
	}
	failure.Code = codeName(err)
	if m := decoration.FindStringSubmatch(err.Error()); m != nil {
		failure.Message = m[1]
	}
	if c == lib.SQLITE_FULL {
		failure.Message = "the disk is full, or the database reached its max_page_count"
		failure.Hint = "nothing of this transaction stayed; make room and run again"
	}
	return failure
}

// uncommitted says why a COMMIT was refused: a deferred constraint is asked only
// then, and no single statement is at fault.
func (s *Store) uncommitted(err error) error {
	if code(err) != lib.SQLITE_CONSTRAINT {
		return s.explain(err)
	}
	failure := &store.StatementError{Code: codeName(err), Message: err.Error(), Err: err,
		Hint: "a deferred constraint was broken at the end of the transaction; nothing of it stayed"}
	if m := decoration.FindStringSubmatch(err.Error()); m != nil {
		failure.Message = m[1]
	}
	return failure
}

// codeName gives the name of SQLite's result code: "SQLITE_CONSTRAINT".
func codeName(err error) string {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return ""
	}
	for _, c := range []int{e.Code(), e.Code() & 0xff} {
		text := driver.ErrorCodeString[c]
		if i := strings.LastIndex(text, "("); i >= 0 {
			return strings.TrimSuffix(text[i+1:], ")")
		}
	}
	return fmt.Sprintf("SQLite %d", e.Code())
}
