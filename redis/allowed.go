package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// need is a command that an action takes, with the rule of ACL SETUSER that allows
// it.
type need struct {
	call []any
	rule string
}

// Lacking tells, before an action begins, what it takes whatever the keys hold and
// the store's user may not do, with the rules that an operator types. It asks every
// master to imagine the commands, and changes nothing. nil also where the server does
// not tell: Redis before 7, or a user without ACL DRYRUN.
func (s *Store) Lacking(ctx context.Context, action store.Action) ([]string, error) {
	needs := s.needs(action)
	if len(needs) == 0 {
		return nil, nil
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	masters, err := s.net.masters(ctx)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	var missing []string
	for _, addr := range masters {
		node, err := s.net.node(addr)
		if err != nil {
			return nil, err
		}
		lines, err := s.lackingOn(ctx, node, needs)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		for _, line := range lines {
			missing = appendNew(missing, line)
		}
	}
	return missing, nil
}

func (s *Store) lackingOn(ctx context.Context, node *goredis.Client, needs []need) ([]string, error) {
	user, err := node.Do(ctx, "ACL", "WHOAMI").Text()
	if err != nil {
		return nil, unlessReply(err)
	}
	pipe := node.Pipeline()
	answers := make([]*goredis.Cmd, len(needs))
	for i, n := range needs {
		answers[i] = pipe.Do(ctx, append([]any{"ACL", "DRYRUN", user}, n.call...)...)
	}
	_, _ = pipe.Exec(ctx) // each has its own error
	var missing []string
	for i, answer := range answers {
		said, err := answer.Text()
		if err != nil {
			return nil, unlessReply(err)
		}
		name := strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(needs[i].rule, "+"), "|", " "))
		switch {
		case said == "OK":
		case strings.Contains(said, "key"):
			missing = appendNew(missing, fmt.Sprintf("%s on %s* (ACL rule: ~%s*)", name, s.prefix, s.prefix))
		default:
			missing = appendNew(missing, fmt.Sprintf("%s (ACL rule: %s)", name, needs[i].rule))
		}
	}
	return missing, nil
}

// unlessReply passes on what the network says: what the server refuses to tell is
// not known.
func unlessReply(err error) error {
	if isReply(err) {
		return nil
	}
	return err
}

// needs lists what an action takes of every key or once, whatever the keys hold.
func (s *Store) needs(action store.Action) []need {
	switch a := action.(type) {
	case Copy:
		from, to := s.examples(a.Layout)
		list := onKeys(from, "EXISTS", "DUMP", "TYPE")
		for i := range min(len(from), len(to)) {
			list = append(list, need{[]any{"COPY", from[i], to[i]}, "+copy"})
		}
		if s.net.cluster && !s.tagged() {
			list = append(list, onKeys(from, "PEXPIRETIME")...)
			list = append(list, onKeys(to, "UNLINK", "RESTORE")...)
		}
		if a.Live {
			list = append(append(list, following()...), onKeys(to, "UNLINK")...)
		}
		return append(list, goingOver()...)
	case Compare:
		from, to := s.examples(a.Layout)
		return append(onKeys(append(from, to...), "EXISTS", "DUMP", "TYPE"), goingOver()...)
	case Seal:
		from, to := s.examples(a.Layout)
		return append(append(onKeys(append(from, to...), "EXISTS", "TYPE"), onKeys([]string{s.books}, "HSET", "HEXISTS")...), goingOver()...)
	case DeleteSources:
		from, _ := s.examples(a.Layout)
		return append(append(onKeys(from, "UNLINK", "TYPE"), onKeys([]string{s.books}, "HEXISTS")...), goingOver()...)
	case Rewrite:
		return append(onKeys([]string{s.full("any")}, "TYPE"), goingOver()...)
	case Cutover:
		return following()
	}
	return nil
}

// examples gives a source and a target for each form, in full.
func (s *Store) examples(layout Layout) (from, to []string) {
	for _, prefix := range layout.Sources() {
		from = append(from, s.full(prefix+"x"))
	}
	for _, prefix := range layout.Targets() {
		to = append(to, s.full(prefix+"x"))
	}
	return from, to
}

// goingOver is what going over keys takes.
func goingOver() []need {
	return []need{{[]any{"SCAN", "0"}, "+scan"}, {[]any{"INFO", "server"}, "+info"}, {[]any{"EVALSHA", "x", "0"}, "+evalsha"}, {[]any{"EVAL", "return 1", "0"}, "+eval"}}
}

// following is what following writers takes.
func following() []need {
	return []need{{[]any{"CLIENT", "TRACKING", "ON", "BCAST"}, "+client|tracking"}, {[]any{"ROLE"}, "+role"}, {[]any{"INFO", "server"}, "+info"}}
}

// more is what stands behind the key of a command.
var more = map[string][]any{"RESTORE": {"0", "x"}, "HSET": {"f", ""}, "HEXISTS": {"f"}}

func onKeys(keys []string, commands ...string) []need {
	var list []need
	for _, command := range commands {
		for _, key := range keys {
			list = append(list, need{append([]any{command, key}, more[command]...), "+" + strings.ToLower(command)})
		}
	}
	return list
}

// mayBegin refuses a task that begins an action, if the user lacks what it takes.
// *store.RightsError.
func (s *Store) mayBegin(ctx context.Context, task store.Task) error {
	if len(task.Cursor) > 0 {
		return nil
	}
	missing, err := s.Lacking(ctx, task.Action)
	if err != nil || len(missing) == 0 {
		return err
	}
	slices.Sort(missing)
	return &store.RightsError{Missing: strings.Join(missing, ", ")}
}

var _ store.Permitter = (*Store)(nil)
