package redismodel

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Seed writes the tenants that are there at first, nine of ten. About every
// twentieth key has an end, in an hour and more. What was there before by the
// same names must be gone.
func (m *Model) Seed(ctx context.Context, side Side) error {
	if err := m.claim(); err != nil {
		return err
	}
	defer m.release()
	chance, now := m.chance(0), time.Now().UnixMilli()
	for i := range m.keys {
		k := &m.keys[i]
		k.generation, k.count, k.until, k.unsure = 0, 0, 0, false
		if k.tenant%10 == 9 {
			continue
		}
		k.generation, k.count = 1, 1+chance.Int64N(4)
		if chance.IntN(20) == 0 {
			k.until = now + 3_600_000 + chance.Int64N(3_600_000)
		}
	}
	l := newLink(side)
	defer l.close()
	for part := range slices.Chunk(m.keys, 500) {
		var commands [][]any
		for i := range part {
			commands = append(commands, part[i].seeding(side.name(&part[i]))...)
		}
		answers, err := l.all(ctx, commands)
		if err != nil {
			return fmt.Errorf("seed: %w", err)
		}
		for i, answer := range answers {
			if failed, ok := answer.(error); ok {
				return fmt.Errorf("seed: %v: %w", commands[i], failed)
			}
		}
	}
	return nil
}

// all performs many commands, those of a node in one pipeline. An answer may be
// an error of the server; what only has to be asked elsewhere is asked there.
func (l *link) all(ctx context.Context, commands [][]any) ([]any, error) {
	byNode := map[string][]int{}
	for i, args := range commands {
		addr, err := l.owner(args[1].(string))
		if err != nil {
			return nil, err
		}
		byNode[addr] = append(byNode[addr], i)
	}
	answers := make([]any, len(commands))
	for addr, places := range byNode {
		if err := l.pipeline(ctx, addr, commands, places, answers); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func (l *link) pipeline(ctx context.Context, addr string, commands [][]any, places []int, answers []any) error {
	pipe := l.node(addr).Pipeline()
	for _, place := range places {
		pipe.Do(ctx, commands[place]...)
	}
	results, _ := pipe.Exec(ctx) // each command has its own error
	for i, place := range places {
		err := results[i].Err()
		answer, _ := results[i].(interface{ Val() any })
		switch what, _ := classify(err); what {
		case "":
			answers[place] = answer.Val()
		case "refused", "denied":
			answers[place] = err
		case "MOVED", "ASK", "later", "dial":
			again, fate, err := l.do(ctx, commands[place]...)
			if fate == unknown || fate == unsent {
				return err
			}
			answers[place] = again
			if err != nil {
				answers[place] = err
			}
		default:
			return fmt.Errorf("%s: %w", addr, err)
		}
	}
	return nil
}
