package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// Ban switches users off on every node, and ends their connections. Users that there
// are not are passed over.
func (s *Store) Ban(ctx context.Context, users []string) error {
	for _, user := range users {
		_, err := s.onMembers(ctx, func(_ string, node *goredis.Client) error { return s.banOn(ctx, node, user) })
		if err != nil {
			return fmt.Errorf("switch the user %q off: %w", user, err)
		}
	}
	return nil
}

func (s *Store) banOn(ctx context.Context, node *goredis.Client, user string) error {
	if err := s.notOurselves(ctx, node, user); err != nil {
		return err
	}
	on, err := isOn(ctx, node, user)
	if errors.Is(err, errNoUser) {
		return nil
	}
	if err == nil && on {
		set := []any{"ACL", "SETUSER", user, "off"}
		if err = node.Do(ctx, set...).Err(); notAllowed(err) {
			return &ByHandError{Commands: []string{line(set), line(killing(user))}, Err: s.scrubbed(err)}
		}
	}
	if err != nil {
		return err
	}
	if err := node.Do(ctx, killing(user)...).Err(); notAllowed(err) {
		return &ByHandError{Commands: []string{line(killing(user))}, Err: s.scrubbed(err)}
	} else if err != nil {
		return err
	}
	_ = keep(ctx, node) // where it cannot be kept, a restart lets the user in again: the docs say so
	return nil
}

// isOn tells whether a user may log in.
func isOn(ctx context.Context, node *goredis.Client, user string) (bool, error) {
	rules, err := node.Do(ctx, "ACL", "GETUSER", user).Slice()
	if errors.Is(err, goredis.Nil) {
		return false, errNoUser
	}
	if err != nil {
		return false, err
	}
	for i := 0; i+1 < len(rules); i += 2 {
		if text(rules[i]) != "flags" {
			continue
		}
		flags, _ := rules[i+1].([]any)
		for _, flag := range flags {
			if text(flag) == "off" {
				return false, nil
			}
		}
	}
	return true, nil
}

var _ store.Banner = (*Store)(nil)
