package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/stopover-dev/stopover/store"
)

// Fence keeps users from writing any key below the prefix, on every node, and ends
// their connections. They may go on reading.
func (s *Store) Fence(ctx context.Context, fence store.Fence, keep func(undo []byte) error) error {
	if len(fence.Names) > 0 {
		return fmt.Errorf("%s: a Redis knows users, and no names of sessions that could be kept from writing: say {login: NAME} in the fence instead of %q", s.place, fence.Names[0])
	}
	before, taken := map[string]Former{}, map[string]Former{}
	for _, user := range fence.Logins {
		former, err := s.BeforeFence(ctx, s.fenceOf(user))
		if errors.Is(err, errNoUser) {
			continue
		}
		if err != nil {
			return err
		}
		before[user] = former
		// One that stands already belongs to another step, which gives back what it took.
		if err := s.ProveFence(ctx, s.fenceOf(user)); errors.As(err, new(*UnfencedError)) {
			taken[user] = former
		} else if err != nil {
			return err
		}
	}
	undo, err := json.Marshal(taken)
	if err != nil {
		return err
	}
	if err := keep(undo); err != nil {
		return err
	}
	s.mu.Lock()
	s.shut = nil // those of an earlier fence may have been let in again by another process
	s.mu.Unlock()
	for user, former := range before {
		if _, err := s.RaiseFence(ctx, s.fenceOf(user), former); err != nil {
			return err
		}
		s.mu.Lock()
		if !slices.Contains(s.shut, user) {
			s.shut = append(s.shut, user)
		}
		s.mu.Unlock()
	}
	return nil
}

// Lift gives back what Fence took.
func (s *Store) Lift(ctx context.Context, undo []byte) error {
	var before map[string]Former
	if err := json.Unmarshal(undo, &before); err != nil {
		return fmt.Errorf("read what the fence took away: %w", err)
	}
	for user, former := range before {
		if err := s.LiftFence(ctx, s.fenceOf(user), former); err != nil {
			return err
		}
		s.mu.Lock()
		s.shut = slices.DeleteFunc(s.shut, func(u string) bool { return u == user })
		s.mu.Unlock()
	}
	return nil
}

// fenceOf is the fence of a user that leaves it to read all keys below the prefix.
func (s *Store) fenceOf(user string) Fence {
	return Fence{User: user, Readable: []string{"*"}, Probes: []string{"stopover-probe"}}
}

// shutOut gives the users that this process has shut out.
func (s *Store) shutOut() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shut)
}

var _ store.Fencer = (*Store)(nil)
