package redismodel

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// operation is a write: what is sent, what the answer has to be, and the state
// of the key once it is acknowledged.
type operation struct {
	args  []any
	want  string
	after key
}

// Operations, in percent. A third of those that set an end set one so near that
// it comes.
const (
	increments = 70
	deletions  = 12
	endings    = 13
)

// next chooses a write to a key. A key that is not there can only be made.
func (k *key) next(name string, now int64, chance *rand.Rand) operation {
	if !k.alive(now) {
		k.count, k.until = 0, 0
		return k.increment(name)
	}
	after := *k
	switch roll := chance.IntN(100); {
	case roll < increments:
		return k.increment(name)
	case roll < increments+deletions:
		after.count, after.until = 0, 0
		return operation{args: []any{"DEL", name}, want: "1", after: after}
	case roll < increments+deletions+endings:
		after.until = now + 3_600_000 + chance.Int64N(3_600_000)
		if chance.IntN(3) == 0 {
			after.until = now + 400 + chance.Int64N(2500)
		}
		return operation{args: []any{"PEXPIREAT", name, after.until}, want: "1", after: after}
	}
	after.until = 0
	op := operation{args: []any{"PERSIST", name}, want: "1", after: after}
	if k.until == 0 {
		op.want = "0"
	}
	return op
}

// increment adds one to a key, or begins a generation with one.
func (k *key) increment(name string) operation {
	after := *k
	by := int64(1)
	if k.count == 0 {
		after.generation++
		by += after.generation * generations
	}
	after.count++
	op := operation{after: after}
	switch k.sort {
	case hash:
		op.args, op.want = []any{"HINCRBY", name, "n", by}, strconv.FormatInt(after.value(), 10)
	case zset:
		op.args, op.want = []any{"ZINCRBY", name, by, "n"}, strconv.FormatInt(after.value(), 10)
	case set:
		op.args, op.want = []any{"SADD", name, after.element()}, "1"
	case list:
		op.args, op.want = []any{"RPUSH", name, after.element()}, strconv.FormatInt(after.count, 10)
	case number:
		op.args, op.want = []any{"INCRBY", name, by}, strconv.FormatInt(after.value(), 10)
	case stream:
		op.args, op.want = []any{"XADD", name, after.element(), "a", "1"}, after.element()
	}
	return op
}

// seeding are the commands that make a key as it stands.
func (k *key) seeding(name string) [][]any {
	var made [][]any
	whole := *k
	whole.generation, whole.count = k.generation-1, 0
	for range k.count {
		op := whole.increment(name)
		made, whole = append(made, op.args), op.after
	}
	if k.until != 0 {
		made = append(made, []any{"PEXPIREAT", name, k.until})
	}
	return made
}

// reading are the commands that say what a key holds, see found.
func (k *key) reading(name string) [][]any {
	end := []any{"PEXPIRETIME", name}
	switch k.sort {
	case hash:
		return [][]any{{"HGET", name, "n"}, end}
	case zset:
		return [][]any{{"ZSCORE", name, "n"}, end}
	case set:
		return [][]any{{"SRANDMEMBER", name}, {"SCARD", name}, end}
	case list:
		return [][]any{{"LINDEX", name, -1}, {"LLEN", name}, end}
	case stream:
		return [][]any{{"XREVRANGE", name, "+", "-", "COUNT", 1}, {"XLEN", name}, end}
	default:
		return [][]any{{"GET", name}, end}
	}
}

// found makes a state of the answers to reading.
func (k *key) found(answers []any) (key, error) {
	f := key{tenant: k.tenant, what: k.what, sort: k.sort}
	end, ok := answers[len(answers)-1].(int64)
	if !ok {
		return f, fmt.Errorf("the answer to PEXPIRETIME is %v", answers[len(answers)-1])
	}
	if end == -2 || answers[0] == nil { // it went away between the two
		return f, nil
	}
	f.until = max(end, 0)
	if k.sort == hash || k.sort == zset || k.sort == number {
		value, err := strconv.ParseFloat(fmt.Sprint(answers[0]), 64)
		f.generation, f.count = int64(value)/generations, int64(value)%generations
		return f, err
	}
	f.count, _ = answers[1].(int64)
	text, format := fmt.Sprint(answers[0]), "%d:%d"
	if entries, ok := answers[0].([]any); k.sort == stream && ok {
		if len(entries) == 0 {
			return key{tenant: k.tenant, what: k.what, sort: k.sort}, nil
		}
		entry, _ := entries[0].([]any)
		text, format = fmt.Sprint(entry[0]), "%d-%d"
	}
	var serial int64
	if _, err := fmt.Sscanf(text, format, &f.generation, &serial); err != nil {
		return f, fmt.Errorf("the element %q: %w", text, err)
	}
	return f, nil
}
