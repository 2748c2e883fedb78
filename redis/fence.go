package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Fence takes from a user of the server the right to write keys, at once and
// for connections that stand: the old release then still reads, and gets NOPERM
// for writes. It needs Redis 7 or Valkey. Patterns are those of ACL SETUSER,
// and like all keys in actions without the store's prefix.
//
// Of keys below the prefix the user keeps what is named here and nothing else;
// patterns that cannot match a key below the prefix it keeps as they are.
type Fence struct {
	User     string   // of the old release; not the one as which the store connects
	Readable []string // patterns of keys that may be read, and not be written
	Writable []string // patterns of keys that may be read and written
	Probes   []string // keys that must not be writable: one at least for each sort of keys that is fenced
}

// Former is what a fence takes away. It belongs into the books before the fence
// is raised: nothing else knows it afterwards.
type Former struct {
	Keys     []string `json:"keys"`     // in full, as in ACL SETUSER: "~shop:*"
	Emptying []string `json:"emptying"` // which of FLUSHDB, FLUSHALL and SWAPDB were allowed
}

// Standing is what a raised fence stands on.
type Standing struct {
	Nodes    []string // addresses of masters and replicas
	Fleeting []string // those of Nodes that forget the fence when they restart, with the reason
}

// emptying lists commands that write keys without naming one: patterns do not
// stop them.
var emptying = []string{"FLUSHDB", "FLUSHALL", "SWAPDB"}

// BeforeFence looks what the user may do now, which must be the same on every
// node. It changes nothing. Nodes where the fence stands already, since a run died
// while it raised it, do not tell what was before; where it stands on all, that is
// what the user may do now.
func (s *Store) BeforeFence(ctx context.Context, f Fence) (Former, error) {
	if err := f.check(); err != nil {
		return Former{}, err
	}
	var first, behind *Former
	place, without, with := "", "", ""
	_, err := s.onMembers(ctx, func(addr string, node *goredis.Client) error {
		found, err := former(ctx, node, f.User)
		if errors.Is(err, errNoUser) {
			without = addr
			return nil
		}
		if err != nil {
			return err
		}
		with = addr
		switch unproven := s.proveOn(ctx, node, f); {
		case unproven == nil:
			behind = &found
			return nil
		case !errors.As(unproven, new(*UnfencedError)):
			return unproven
		}
		if first == nil {
			first, place = &found, addr
		}
		if !slices.Equal(first.Keys, found.Keys) || !slices.Equal(first.Emptying, found.Emptying) {
			return fmt.Errorf("the user %q has other rights here than on %s: make them the same first", f.User, place)
		}
		return nil
	})
	switch {
	case err != nil:
	case with == "":
		err = fmt.Errorf("%w %q", errNoUser, f.User)
	case without != "":
		err = fmt.Errorf("there is a user %q on %s, and none on %s: make them the same first", f.User, with, without)
	case first == nil:
		return *behind, nil
	default:
		return *first, nil
	}
	return Former{}, fmt.Errorf("look at the rights of the user %q: %w", f.User, err)
}

var errNoUser = errors.New("there is no user")

func former(ctx context.Context, node *goredis.Client, user string) (Former, error) {
	rules, err := node.Do(ctx, "ACL", "GETUSER", user).Slice()
	if errors.Is(err, goredis.Nil) {
		return Former{}, fmt.Errorf("%w %q", errNoUser, user)
	}
	if err != nil {
		return Former{}, err
	}
	var found Former
	for i := 0; i+1 < len(rules); i += 2 {
		switch name := text(rules[i]); name {
		case "keys":
			if _, old := rules[i+1].([]any); old {
				return Former{}, errors.New("a fence that leaves reading needs Redis 7 or Valkey")
			}
			found.Keys = strings.Fields(text(rules[i+1]))
		case "selectors":
			if list, _ := rules[i+1].([]any); len(list) > 0 {
				return Former{}, fmt.Errorf("the user %q has selectors, which a fence does not take apart: give it one set of rules", user)
			}
		}
	}
	for _, command := range emptying {
		said, err := imagined(ctx, node, user, emptyingCall(command))
		if err != nil {
			return Former{}, err
		}
		if said == "OK" {
			found.Emptying = append(found.Emptying, command)
		}
	}
	return found, nil
}

// RaiseFence raises the fence on every node, ends the user's connections, and
// proves it. Raising it again does no harm: so does a run after one that died
// in here. before is what BeforeFence gave before it was first raised.
//
// A client that was waiting in BLMOVE would still write when it is woken, so
// the connections are ended, once no new one can write.
//
// *ByHandError: the server does not let the store's user do that. An operator
// does it, and then RaiseFence proves it.
func (s *Store) RaiseFence(ctx context.Context, f Fence, before Former) (Standing, error) {
	if err := f.check(); err != nil {
		return Standing{}, err
	}
	rules := s.rules(f, before)
	var standing Standing
	nodes, err := s.onMembers(ctx, func(addr string, node *goredis.Client) error {
		if err := s.notOurselves(ctx, node, f.User); err != nil {
			return err
		}
		kept, err := s.raiseOn(ctx, node, f, rules)
		if err == nil && kept != "" {
			standing.Fleeting = appendNew(standing.Fleeting, addr+": "+kept)
		}
		return err
	})
	if err != nil {
		return Standing{}, fmt.Errorf("raise the fence before the user %q: %w", f.User, err)
	}
	standing.Nodes = nodes
	return standing, nil
}

// raiseOn gives the reason why the node forgets the fence when it restarts, ""
// if it does not.
func (s *Store) raiseOn(ctx context.Context, node *goredis.Client, f Fence, rules []any) (fleeting string, err error) {
	set := append([]any{"ACL", "SETUSER", f.User}, rules...)
	refused := node.Do(ctx, set...).Err()
	if refused != nil && !notAllowed(refused) {
		return "", refused
	}
	if unproven := s.proveOn(ctx, node, f); unproven != nil {
		if refused != nil {
			return "", &ByHandError{Commands: []string{line(set), line(killing(f.User))}, Err: errors.Join(s.scrubbed(refused), unproven), raising: true}
		}
		return "", unproven
	}
	if err := s.endConnections(ctx, node, f.User); err != nil {
		return "", err
	}
	if refused != nil {
		return "the fence was raised by an operator", nil
	}
	return keep(ctx, node), nil
}

// LiftFence gives back what the fence took, on every node. Lifting one that
// does not stand does no harm.
func (s *Store) LiftFence(ctx context.Context, f Fence, before Former) error {
	set := []any{"ACL", "SETUSER", f.User, "resetkeys"}
	set = append(set, texts(before.Keys)...)
	for _, command := range before.Emptying {
		set = append(set, "+"+strings.ToLower(command))
	}
	// A node that does not answer must not keep writers out of all others.
	var failed []error
	_, err := s.onMembers(ctx, func(addr string, node *goredis.Client) error {
		if err := s.liftOn(ctx, node, f, set); err != nil {
			failed = append(failed, fmt.Errorf("node %s: %w", addr, s.unlessOurs(ctx, err)))
		}
		return nil
	})
	if err = errors.Join(append(failed, err)...); err != nil {
		return fmt.Errorf("lift the fence before the user %q: %w", f.User, err)
	}
	return nil
}

func (s *Store) liftOn(ctx context.Context, node *goredis.Client, f Fence, set []any) error {
	limited, cancel := context.WithTimeout(ctx, liftLimit)
	defer cancel()
	err := node.Do(limited, set...).Err()
	if notAllowed(err) {
		if errors.As(s.proveOn(ctx, node, f), new(*UnfencedError)) {
			return nil // an operator has done it, or it was never raised here
		}
		return &ByHandError{Commands: []string{line(set)}, Err: s.scrubbed(err)}
	}
	if err == nil {
		_ = keep(ctx, node) // what was not kept when it was raised need not be
	}
	return err
}

// liftLimit is how long one node may take to let a user in again.
const liftLimit = 2 * time.Second

// rules are those of ACL SETUSER.
func (s *Store) rules(f Fence, before Former) []any {
	rules := []any{"resetkeys"}
	for _, pattern := range before.Keys {
		if s.apart(pattern) {
			rules = append(rules, pattern)
		}
	}
	for _, pattern := range f.Readable {
		rules = append(rules, "%R~"+s.pattern(pattern))
	}
	for _, pattern := range f.Writable {
		rules = append(rules, "~"+s.pattern(pattern))
	}
	for _, command := range emptying {
		rules = append(rules, "-"+strings.ToLower(command))
	}
	return rules
}

// apart tells whether a rule, "~a:*" or "%R~a:*", can match no key below the
// prefix, which is so if they differ before the first sign with a meaning.
func (s *Store) apart(rule string) bool {
	_, pattern, _ := strings.Cut(rule, "~")
	if end := strings.IndexAny(pattern, `*?[\`); end >= 0 {
		pattern = pattern[:end]
		return !strings.HasPrefix(pattern, s.prefix) && !strings.HasPrefix(s.prefix, pattern)
	}
	return !strings.HasPrefix(pattern, s.prefix)
}

func (f Fence) check() error {
	switch {
	case f.User == "":
		return errors.New("a fence needs the user of the old release")
	case len(f.Probes) == 0:
		return errors.New("a fence needs keys by which it is proven")
	}
	return nil
}
