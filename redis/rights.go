package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// surveyRights finds what the user may not do: by asking the server to imagine
// it, where the user may ask that, else by doing what changes nothing.
func (s *Store) surveyRights(ctx context.Context, survey *store.Survey) error {
	node, err := s.net.owner(ctx, slot(s.books))
	if err != nil {
		return s.fault(ctx, err)
	}
	missing, asked := s.imagine(ctx, node, s.needed())
	if err := ctx.Err(); err != nil {
		return err
	}
	survey.Missing = append(survey.Missing, missing...)
	answer, err := s.ask(ctx, probeScript, []string{s.books, s.books + ":none"})
	if err != nil {
		return err
	}
	refused, _ := answer.([]any)
	for i := 0; i+1 < len(refused); i += 2 {
		switch word := firstWord(text(refused[i+1])); word {
		case "READONLY", "MISCONF", "NOREPLICAS":
			survey.ReadOnly = true
			if word != "READONLY" {
				survey.Missing = appendNew(survey.Missing, s.refusal(word, fmt.Errorf("%v", refused[i+1])).(*store.RightsError).Missing)
			}
		case "WRONGTYPE":
			return s.refusal(word, fmt.Errorf("%v", refused[i+1]))
		default:
			if !asked {
				survey.Missing = appendNew(survey.Missing, text(refused[i])+" on "+s.prefix+"*")
			}
		}
	}
	return nil
}

func appendNew(list []string, line string) []string {
	if slices.Contains(list, line) {
		return list
	}
	return append(list, line)
}

// imagine asks by ACL DRYRUN (Redis 7, Valkey) what the user may do. asked is
// false where the server does not tell.
func (s *Store) imagine(ctx context.Context, node *goredis.Client, needed [][]any) (missing []string, asked bool) {
	user, err := node.Do(ctx, "ACL", "WHOAMI").Text()
	if err != nil {
		return nil, false
	}
	pipe := node.Pipeline()
	answers := make([]*goredis.Cmd, len(needed))
	for i, command := range needed {
		answers[i] = pipe.Do(ctx, append([]any{"ACL", "DRYRUN", user}, command...)...)
	}
	_, _ = pipe.Exec(ctx) // each has its own error
	for i, answer := range answers {
		said, err := answer.Text()
		if err != nil {
			return nil, false
		}
		if said == "OK" {
			continue
		}
		line := commandOf(needed[i])
		if strings.Contains(said, "key") {
			line += " on " + s.prefix + "*"
		}
		missing = appendNew(missing, line)
	}
	return missing, true
}

// needed lists the commands that the books, steps and their undoing take.
func (s *Store) needed() [][]any {
	key := s.full("any")
	list := [][]any{
		{"EVAL", "return 1", "1", s.books}, {"EVALSHA", lookScript.sha, "1", s.books},
		{"HGET", s.books, "f"}, {"HSET", s.books, "f", "v"}, {"HDEL", s.books, "f"}, {"HEXISTS", s.books, "f"}, {"HKEYS", s.books},
		{"TIME"}, {"INFO", "server"}, {"SCAN", "0"}, {"COMMAND", "INFO", "get"}, {"COMMAND", "GETKEYS", "get", "a"},
		{"DUMP", key}, {"PEXPIRETIME", key}, {"DEL", key}, {"RESTORE", key, "0", "x"},
	}
	if s.net.cluster {
		list = append(list, []any{"CLUSTER", "SLOTS"}, []any{"CLUSTER", "NODES"}, []any{"GET", key}, []any{"SET", key, "1"})
	}
	return list
}
