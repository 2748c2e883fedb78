package redis

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/store"
)

// quotedCommand finds the name of a command in the words of the server.
var quotedCommand = regexp.MustCompile(`'[a-z|]+' command`)

// named says which commands a step was refused: servers do not say it of a
// command in a script.
func (s *Store) named(ctx context.Context, action store.Action, err error) error {
	right, ok := errors.AsType[*store.RightsError](err)
	if !ok || right.Err == nil || firstWord(right.Err.Error()) != "NOPERM" || quotedCommand.MatchString(right.Missing) {
		return err
	}
	own := s.neededBy(action)
	needed := append(s.needed(), own...)
	var commands []string
	if node, err := s.net.owner(ctx, slot(s.books)); err == nil {
		commands, _ = s.imagine(ctx, node, needed)
	}
	if len(commands) > 0 {
		right.Missing = strings.Join(commands, ", ")
		return err
	}
	if len(own) == 0 { // what a script of the application's takes is not known here
		return err
	}
	for _, command := range needed {
		commands = appendNew(commands, commandOf(command))
	}
	right.Missing = "one of these commands, or the right to the key (the server does not say which, and ACL DRYRUN, which would, is not allowed): " +
		strings.Join(commands, ", ") + " on " + s.prefix + "*"
	return err
}

// commandOf gives the name of a command, with its second word where that has
// rights of its own.
func commandOf(command []any) string {
	name := command[0].(string)
	if slices.Contains([]string{"XINFO", "MEMORY", "CLUSTER", "COMMAND"}, name) {
		name += " " + command[1].(string)
	}
	return name
}

// neededBy lists the commands that a step of a kind takes beside needed.
func (s *Store) neededBy(action store.Action) [][]any {
	a, b := s.full("any"), s.full("{any}")
	reading := [][]any{{"EXISTS", a}, {"TYPE", a}, {"GET", a}, {"HGETALL", a}, {"SMEMBERS", a}, {"ZRANGE", a, "0", "-1"}, {"LRANGE", a, "0", "-1"},
		{"XRANGE", a, "-", "+"}, {"XINFO", "STREAM", a}, {"XINFO", "GROUPS", a}, {"XINFO", "CONSUMERS", a, "g"}, {"XPENDING", a, "g"}}
	copying := append(reading, []any{"COPY", a, b}, []any{"UNLINK", a}, []any{"MEMORY", "USAGE", a})
	switch action.(type) {
	case Copy:
		return copying
	case Compare:
		return reading
	case Seal, DeleteSources:
		return append(reading, []any{"UNLINK", a})
	case Rewrite, Rewritten:
		return append(copying, []any{"HMGET", a, "f"}, []any{"SET", a, "v"})
	}
	return nil
}
