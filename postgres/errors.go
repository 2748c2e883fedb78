package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// Codes of errors: those that the functions of the books raise, and those of
// the server that mean something here.
const (
	guardLost       = "SO001"
	escaped         = "SO002"
	otherFormat     = "SO003"
	noteChanged     = "SO004"
	undefinedTable  = "42P01"
	undefinedFunc   = "42883"
	undefinedSchema = "3F000"
	deadlock        = "40P01"
	serialization   = "40001"
	lockTimeout     = "55P03"
	queryCanceled   = "57014"
	noPrivilege     = "42501"
	readOnly        = "25006"
	tooMany         = "53300"
	idleTooLong     = "25P03"
	noDatabase      = "3D000"
)

// onStandby is what a server lacks that follows another one.
const onStandby = "to write: the server is a standby, use the address of its primary"

// unreachable says that no connection could be had, without secrets.
func (s *Store) unreachable(err error) error {
	gone := &store.UnreachableError{Place: s.place, Err: errors.New(s.scrub(err.Error()))}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		gone.Denied = strings.HasPrefix(refused.Code, "28") || refused.Code == noDatabase
	}
	return gone
}

// scrub takes passwords out of a text that others wrote.
func (s *Store) scrub(text string) string {
	for _, secret := range s.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// fault makes an error of package store of what became of a message: the first
// completed pieces of it were performed. wait is the lock timeout that was set.
func (s *Store) fault(ctx context.Context, m *message, completed int, err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		if pgconn.Timeout(err) || isBroken(err) {
			return s.unreachable(err)
		}
		return err
	}
	if known := s.known(refused, wait); known != nil {
		return known
	}
	failed := s.statementError(m, completed, refused)
	switch refused.Code {
	case noPrivilege:
		if strings.Contains(refused.Message, "row-level security") {
			return &store.RightsError{Missing: "to see every row (" + refused.Message + "): use the table's owner, or a role with BYPASSRLS", Err: failed}
		}
		return &store.RightsError{Missing: refused.Message, Err: failed}
	case readOnly:
		if s.standby.Load() {
			return &store.RightsError{Missing: onStandby, Err: failed}
		}
		return &store.RightsError{Missing: "to write (" + refused.Message + ")", Err: failed}
	case lockTimeout:
		return &store.LockedError{Waited: wait, Err: failed}
	}
	return failed
}

// known understands the errors that do not depend on the statement.
func (s *Store) known(refused *pgconn.PgError, wait time.Duration) error {
	switch {
	case refused.Code == guardLost:
		return &store.ConflictError{Key: refused.Detail, Guard: true}
	case refused.Code == noteChanged:
		return &store.ConflictError{Key: refused.Detail}
	case refused.Code == escaped:
		return &store.EscapedError{}
	case refused.Code == otherFormat:
		return formatError(refused.Detail)
	case strings.HasPrefix(refused.Code, "08"), strings.HasPrefix(refused.Code, "57P"), refused.Code == tooMany, refused.Code == idleTooLong:
		return s.unreachable(refused)
	}
	return nil
}

// formatError says whose books these are. A format below ours is not an error
// of the store's, but of a caller who did not call Prepare.
func formatError(text string) error {
	found, err := strconv.Atoi(text)
	if err != nil || found <= store.Format {
		return errors.New("the books have format " + strconv.Quote(text) + ": prepare the store first")
	}
	return &store.NewerError{Found: found, Known: store.Format}
}

// isBroken is true for an error of the connection itself.
func isBroken(err error) bool {
	var connect *pgconn.ConnectError
	var network *net.OpError
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "conn closed")
}

// statementError names the statement at fault and its line.
func (s *Store) statementError(m *message, completed int, refused *pgconn.PgError) *store.StatementError {
	failed := &store.StatementError{
		Code: refused.Code, Message: refused.Message, Detail: refused.Detail, Hint: refused.Hint, Err: refused,
	}
	if refused.Code == queryCanceled {
		failed.Hint = "somebody cancelled it on the server (pg_cancel_backend, or a tool that does so)"
		if strings.Contains(refused.Message, "statement timeout") {
			failed.Hint = "the statement had its longest time"
		}
	}
	position := s.position(m, refused)
	var at piece
	found := false
	if position > 0 {
		at, found = m.at(position)
	}
	if !found && completed < len(m.pieces) {
		at, found = m.pieces[completed], true
	}
	if found && at.user == nil && at.blame != nil {
		failed.Statement, failed.Line = at.number, at.blame.Line
	}
	if !found || at.user == nil {
		return failed
	}
	failed.Statement = at.number
	failed.Line = at.user.Line
	if at.user.Made {
		return failed
	}
	if position > 0 {
		failed.Line = at.lineAt(position)
	} else if line, ok := blockLine(at.user, refused.Where); ok {
		failed.Line = line
	}
	return failed
}

// position gives the place of a fault in characters of the message. A server whose
// database has no encoding counts bytes.
func (s *Store) position(m *message, refused *pgconn.PgError) int {
	position := int(refused.Position)
	if text := m.text.String(); s.bytewise.Load() && position > 0 && position <= len(text) {
		return utf8.RuneCountInString(text[:position-1]) + 1
	}
	return position
}

var (
	inBlock   = regexp.MustCompile(`inline_code_block line (\d+)`)
	bodyBegin = regexp.MustCompile(`\$[A-Za-z_0-9]*\$`)
)

// blockLine finds the line of a fault in a DO block, which the server counts
// from the line in which the block's text opens.
func blockLine(user *store.Statement, where string) (int, bool) {
	counted := inBlock.FindStringSubmatch(where)
	opens := bodyBegin.FindStringIndex(user.Text)
	if counted == nil || opens == nil || user.Line == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(counted[1])
	if err != nil {
		return 0, false
	}
	return user.Line + strings.Count(user.Text[:opens[1]], "\n") + n - 1, true
}
