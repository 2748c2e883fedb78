package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// ByHandError says that the server does not let the store's user raise or lift
// a fence, and what an operator has to do on every node, replicas too.
type ByHandError struct {
	Commands []string // as for redis-cli
	Err      error    // what the server said
	raising  bool     // the commands raise a fence, which does not stand yet
}

// ByHand tells that an operator raises a fence: what it takes away must not be
// forgotten before.
func (e *ByHandError) ByHand() bool { return e.raising }

func (e *ByHandError) Error() string {
	return "the store's user may not do that; let an operator do it on every node, replicas too, and run again: " +
		strings.Join(e.Commands, "; ") + " (" + strings.ReplaceAll(e.Err.Error(), "\n", "; ") + ")"
}

func (e *ByHandError) Unwrap() error { return e.Err }

// UnfencedError says that a user can still write.
type UnfencedError struct{ User, Command string }

func (e *UnfencedError) Error() string {
	return fmt.Sprintf("the user %q can still do %s", e.User, e.Command)
}

// fencedWrites has a command or more for each type of value: a user without the right
// to one of them would else pass for fenced. KEY is the probe.
var fencedWrites = strings.Split(`SET KEY 1|APPEND KEY 1|INCR KEY|INCRBY KEY 1|SETRANGE KEY 0 1|SETBIT KEY 0 1|GETDEL KEY|GETEX KEY PERSIST|
MSET KEY 1|DEL KEY|UNLINK KEY|RENAME KEY KEY|COPY KEY KEY|RESTORE KEY 0 x|EXPIRE KEY 1|PEXPIREAT KEY 1|PERSIST KEY|
HSET KEY a 1|HDEL KEY a|HINCRBY KEY a 1|LPUSH KEY 1|RPUSH KEY 1|LPOP KEY|RPOP KEY|LREM KEY 0 1|SADD KEY 1|SREM KEY 1|SPOP KEY|
ZADD KEY 1 1|ZINCRBY KEY 1 1|ZREM KEY 1|XADD KEY * a 1|XDEL KEY 0-1|PFADD KEY 1|GEOADD KEY 1 1 a`, "|")

// ProveFence asks every node whether the user could write, without writing. A
// fence is not handed to replicas, and forgotten by a server that restarts
// without having kept it: so it is proven whenever something relies on it.
// *UnfencedError: it could.
func (s *Store) ProveFence(ctx context.Context, f Fence) error {
	if err := f.check(); err != nil {
		return err
	}
	_, err := s.onMembers(ctx, func(_ string, node *goredis.Client) error { return s.proveOn(ctx, node, f) })
	if err != nil {
		return fmt.Errorf("prove the fence before the user %q: %w", f.User, err)
	}
	return nil
}

func (s *Store) proveOn(ctx context.Context, node *goredis.Client, f Fence) error {
	var calls [][]any
	for _, probe := range s.fulls(f.Probes) {
		for _, write := range fencedWrites {
			var call []any
			for _, word := range strings.Fields(write) {
				if word == "KEY" {
					word = probe
				}
				call = append(call, word)
			}
			calls = append(calls, call)
		}
	}
	for _, command := range emptying {
		calls = append(calls, emptyingCall(command))
	}
	said, err := imaginedAll(ctx, node, f.User, calls)
	if err != nil {
		return err
	}
	for i, answer := range said {
		if answer == "OK" {
			return &UnfencedError{User: f.User, Command: line(calls[i])}
		}
	}
	return nil
}

// noCommand tells what ACL DRYRUN says of a command that an operator took away from
// the server (rename-command).
func noCommand(err error) bool {
	return isReply(err) && strings.HasPrefix(err.Error(), "ERR Command '") && strings.HasSuffix(err.Error(), "' not found")
}

func emptyingCall(command string) []any {
	if command == "SWAPDB" {
		return []any{command, "0", "1"}
	}
	return []any{command}
}

func imagined(ctx context.Context, node *goredis.Client, user string, call []any) (string, error) {
	said, err := imaginedAll(ctx, node, user, [][]any{call})
	if err != nil {
		return "", err
	}
	return said[0], nil
}

// imaginedAll gives what ACL DRYRUN says of each call: "OK", or why not.
func imaginedAll(ctx context.Context, node *goredis.Client, user string, calls [][]any) ([]string, error) {
	pipe := node.Pipeline()
	answers := make([]*goredis.Cmd, len(calls))
	for i, call := range calls {
		answers[i] = pipe.Do(ctx, append([]any{"ACL", "DRYRUN", user}, call...)...)
	}
	_, _ = pipe.Exec(ctx) // each has its own error
	said := make([]string, len(calls))
	for i, answer := range answers {
		var err error
		if said[i], err = answer.Text(); notAllowed(err) {
			return nil, &store.RightsError{Missing: "ACL DRYRUN, without which no fence can be proven", Err: errors.New(err.Error())}
		} else if noCommand(err) {
			said[i] = err.Error() // nobody can do it, whatever his rights
		} else if err != nil {
			return nil, err
		}
	}
	return said, nil
}

// endConnections ends those of the user. Where that is not allowed, none of
// them may be waiting: only those could still write.
func (s *Store) endConnections(ctx context.Context, node *goredis.Client, user string) error {
	err := node.Do(ctx, killing(user)...).Err()
	if !notAllowed(err) {
		return err
	}
	list, unseen := node.ClientList(ctx).Result()
	byHand := &ByHandError{Commands: []string{line(killing(user))}, Err: s.scrubbed(err)}
	if unseen != nil {
		return byHand
	}
	for _, client := range strings.Split(list, "\n") {
		if field(client, "user") == user && strings.Contains(field(client, "flags"), "b") {
			return byHand
		}
	}
	return nil
}

// field reads one of "id=1 addr=.. flags=N ..".
func field(line, name string) string {
	for _, word := range strings.Fields(line) {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}

func killing(user string) []any { return []any{"CLIENT", "KILL", "USER", user} }

// keep lets the node remember its users over a restart; it gives the reason why
// it does not.
func keep(ctx context.Context, node *goredis.Client) string {
	err := node.Do(ctx, "ACL", "SAVE").Err()
	if err == nil {
		return ""
	}
	rewrite := node.Do(ctx, "CONFIG", "REWRITE").Err()
	if rewrite == nil {
		return ""
	}
	return fmt.Sprintf("it cannot keep it (ACL SAVE: %v; CONFIG REWRITE: %v)", err, rewrite)
}

// notOurselves refuses a fence that would stop its own maker.
func (s *Store) notOurselves(ctx context.Context, node *goredis.Client, user string) error {
	own, err := node.Do(ctx, "ACL", "WHOAMI").Text()
	if notAllowed(err) {
		if own, err = s.net.settings.Username, nil; own == "" {
			own = "default"
		}
	}
	if err == nil && own == user {
		return fmt.Errorf("the store itself connects as %q: give it, or the old release, a user of its own", user)
	}
	return err
}

// notAllowed tells a command that the user may not use, or that the server,
// such as a managed one, does not have.
func notAllowed(err error) bool {
	return err != nil && isReply(err) && (code(err) == "NOPERM" || strings.HasPrefix(strings.ToLower(err.Error()), "err unknown"))
}

// line writes a command as redis-cli reads it.
func line(words []any) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = fmt.Sprint(word)
		if all[i] == "" || strings.ContainsAny(all[i], " \"'\\*?[]") && i > 1 || strings.ContainsAny(all[i], "\r\n\t") {
			all[i] = "'" + strings.ReplaceAll(all[i], "'", `\'`) + "'"
		}
	}
	return strings.Join(all, " ")
}
