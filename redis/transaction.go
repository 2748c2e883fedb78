package redis

import (
	"context"
	"fmt"
	"strconv"
)

// Transaction is what a step in Go gets: it reads at once, and queues writes
// for the end. What is queued is not seen by Read.
type Transaction struct {
	Reader
	writes  [][]string
	touched []string // keys, with the prefix
}

// Queue adds a command to the end of the transaction. Its keys are given without
// the prefix. Whether the command succeeds shows at the end; if one fails, none
// has an effect.
func (t *Transaction) Queue(ctx context.Context, args ...any) error {
	words, info, err := t.store.command(ctx, args)
	if err != nil {
		return err
	}
	if !info.writes {
		return fmt.Errorf("%s is not a command that writes", args[0])
	}
	keys := info.keys(words)
	if err := t.store.together(keys); err != nil {
		return err
	}
	t.writes = append(t.writes, words)
	t.touched = append(t.touched, keys...)
	return nil
}

// keys gives every key of the transaction once, without the prefix.
func (t *Transaction) keys() []string {
	seen := map[string]bool{}
	var all []string
	add := func(key string) {
		if !seen[key] {
			seen[key] = true
			all = append(all, key[len(t.store.prefix):])
		}
	}
	for _, r := range t.reads {
		for _, key := range r.keys {
			add(key)
		}
	}
	for _, key := range t.touched {
		add(key)
	}
	return all
}

// args gives what commit.lua wants to know.
func (t *Transaction) args() []string {
	all := []string{strconv.Itoa(len(t.reads))}
	for _, r := range t.reads {
		all = append(append(all, r.digest, strconv.Itoa(len(r.words))), r.words...)
	}
	all = append(all, strconv.Itoa(len(t.writes)))
	for _, words := range t.writes {
		all = append(append(all, strconv.Itoa(len(words))), words...)
	}
	return all
}
