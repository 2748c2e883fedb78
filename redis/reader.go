package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// Reader reads keys below the prefix.
type Reader struct {
	store   *Store
	checked bool // what is read is remembered with a digest
	reads   []read
}

// read is a command with the digest of its answer.
type read struct {
	digest string
	words  []string
	keys   []string
}

// Read performs a command that reads, on the node that has its keys, which are
// given without the prefix. The answer is of strings, int64, nil, and lists of
// them; a hash is a list of fields and values.
func (r *Reader) Read(ctx context.Context, args ...any) (any, error) {
	words, info, err := r.store.command(ctx, args)
	if err != nil {
		return nil, err
	}
	if !info.reads {
		return nil, fmt.Errorf("%s is not a command that only reads", args[0])
	}
	keys := info.keys(words)
	if r.checked {
		err = r.store.together(keys)
	} else {
		err = r.store.inOneSlot(keys)
	}
	if err != nil {
		return nil, err
	}
	answer, err := r.store.ask(ctx, readScript, keys, texts(words)...)
	if err != nil {
		return nil, err
	}
	pair, ok := answer.([]any)
	if !ok || len(pair) != 2 {
		return nil, fmt.Errorf("%s: the answer %v is not understood", args[0], answer)
	}
	if r.checked {
		r.reads = append(r.reads, read{digest: text(pair[1]), words: words, keys: keys})
	}
	return pair[0], nil
}

// Scan gives keys below the prefix that match the rest of a pattern, as
// Sweep.Scan does.
func (r *Reader) Scan(ctx context.Context, match string, cursor []byte, size int) (keys []string, next []byte, done bool, err error) {
	return r.store.scan(ctx, match, cursor, size)
}

// commandInfo is what the server says of a command.
type commandInfo struct {
	reads, writes, movable bool
	first, last, step      int // positions of keys, the command's name is 0
}

// keys gives the keys among the words of a command.
func (c commandInfo) keys(words []string) []string {
	var all []string
	for _, i := range c.positions(len(words)) {
		all = append(all, words[i])
	}
	return all
}

func (c commandInfo) positions(words int) []int {
	last := c.last
	if last < 0 {
		last += words
	}
	var all []int
	for i := c.first; c.first > 0 && i <= last && i < words; i += max(c.step, 1) {
		all = append(all, i)
	}
	return all
}

// command turns arguments into words, with the prefix put before the keys.
func (s *Store) command(ctx context.Context, args []any) ([]string, commandInfo, error) {
	if len(args) == 0 {
		return nil, commandInfo{}, errors.New("an empty command")
	}
	words := make([]string, len(args))
	for i, arg := range args {
		word, err := wordOf(arg)
		if err != nil {
			return nil, commandInfo{}, fmt.Errorf("%v: argument %d: %w", args[0], i, err)
		}
		words[i] = word
	}
	const most = 4000 // what Lua takes at once
	if len(words) > most {
		return nil, commandInfo{}, fmt.Errorf("%s with %d arguments: at most %d are possible", words[0], len(words), most)
	}
	info, err := s.commandInfo(ctx, words)
	if err != nil {
		return nil, commandInfo{}, err
	}
	positions := info.positions(len(words))
	if info.movable || len(positions) == 0 {
		return nil, commandInfo{}, fmt.Errorf("%s: where its keys are cannot be told from its name; use a Script", words[0])
	}
	for _, i := range positions {
		words[i] = s.full(words[i])
	}
	return words, info, nil
}

func wordOf(arg any) (string, error) {
	switch v := arg.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'g', 17, 64), nil
	}
	return "", fmt.Errorf("a %T is none of string, []byte, int, int64, float64", arg)
}

// commandInfo asks the server once about each command.
func (s *Store) commandInfo(ctx context.Context, words []string) (commandInfo, error) {
	name := strings.ToLower(words[0])
	if known, ok := s.commands.Load(name); ok {
		return known.(commandInfo), nil
	}
	node, err := s.net.owner(ctx, slot(s.books))
	if err != nil {
		return commandInfo{}, s.fault(ctx, err)
	}
	entry, err := infoOf(ctx, node, name)
	if err != nil {
		return commandInfo{}, s.fault(ctx, err)
	}
	if len(entry) > 9 && len(words) > 1 {
		if list, ok := entry[9].([]any); ok && len(list) > 0 {
			name += "|" + strings.ToLower(words[1])
			if entry, err = infoOf(ctx, node, name); err != nil {
				return commandInfo{}, s.fault(ctx, err)
			}
			return readInfo(entry, words[0]) // by its first word alone it is not known
		}
	}
	info, err := readInfo(entry, words[0])
	if err == nil {
		s.commands.Store(name, info)
	}
	return info, err
}

func infoOf(ctx context.Context, node *goredis.Client, name string) ([]any, error) {
	answer, err := node.Do(ctx, "COMMAND", "INFO", name).Slice()
	if err != nil || len(answer) != 1 {
		return nil, err
	}
	entry, _ := answer[0].([]any)
	return entry, nil
}

func readInfo(entry []any, name string) (commandInfo, error) {
	if len(entry) < 6 {
		return commandInfo{}, fmt.Errorf("%s: the server has no such command", name)
	}
	var info commandInfo
	flags, _ := entry[2].([]any)
	for _, flag := range flags {
		switch flag {
		case "readonly":
			info.reads = true
		case "write":
			info.writes = true
		case "movablekeys":
			info.movable = true
		}
	}
	for i, into := range []*int{&info.first, &info.last, &info.step} {
		n, _ := entry[3+i].(int64)
		*into = int(n)
	}
	return info, nil
}
