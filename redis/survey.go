package redis

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/stopover-dev/stopover/store"
)

// Survey looks the store over.
func (s *Store) Survey(ctx context.Context) (store.Survey, error) {
	survey := store.Survey{Place: s.place, Server: "Redis"}
	var err error
	_, survey.Stamped, err = s.look(ctx, "\x7f")
	if err := lacking(&survey, err); err != nil {
		return store.Survey{}, err
	}
	for _, part := range []func(context.Context, *store.Survey) error{s.surveyServer, s.surveyRights, s.surveyKeys} {
		if err := lacking(&survey, part(ctx, &survey)); err != nil {
			return store.Survey{}, fmt.Errorf("survey: %w", err)
		}
	}
	return survey, nil
}

// lacking puts a right that is missing into the survey instead of failing.
func lacking(survey *store.Survey, err error) error {
	if right, ok := errors.AsType[*store.RightsError](err); ok && !strings.HasPrefix(right.Missing, "a login") {
		survey.Missing = append(survey.Missing, right.Missing)
		return nil
	}
	return err
}

// surveyServer asks who the server is, and what of it endangers the books.
func (s *Store) surveyServer(ctx context.Context, survey *store.Survey) error {
	node, err := s.net.owner(ctx, slot(s.books))
	if err != nil {
		return s.fault(ctx, err)
	}
	info, err := node.Info(ctx).Result()
	if err != nil {
		return s.fault(ctx, err)
	}
	survey.Server = "Redis " + infoField(info, "redis_version")
	if version := infoField(info, "valkey_version"); version != "" {
		survey.Server = "Valkey " + version
	}
	if s.net.cluster {
		masters, err := s.net.masters(ctx)
		if err != nil {
			return s.fault(ctx, err)
		}
		survey.Server += fmt.Sprintf(", %d masters", len(masters))
	}
	if infoField(info, "role") == "slave" {
		survey.ReadOnly = true
	}
	if policy := infoField(info, "maxmemory_policy"); strings.HasPrefix(policy, "allkeys-") {
		survey.Missing = append(survey.Missing, "a maxmemory-policy under which keys without a time to live stay: it is "+policy+", and the books could be evicted")
	}
	return nil
}

// evidenceKeys is how many keys are looked at for evidence.
const evidenceKeys = 10_000

// surveyKeys looks for keys below the prefix. It stops when it has seen enough;
// that there are none it says only after having gone over all.
func (s *Store) surveyKeys(ctx context.Context, survey *store.Survey) error {
	sorts := map[string]int{}
	examples := map[string]string{}
	total := 0
	var cursor []byte
	for done := false; !done && total < evidenceKeys; {
		if err := ctx.Err(); err != nil {
			return err
		}
		keys, next, end, err := s.scan(ctx, "*", cursor, 1000)
		if err != nil {
			return err
		}
		for _, key := range keys {
			sort := sortOf(key)
			if sorts[sort]++; sorts[sort] == 1 {
				examples[sort] = key
			}
		}
		total += len(keys)
		cursor, done = next, end
	}
	survey.Empty = total == 0
	survey.Evidence = evidence(sorts, examples, total >= evidenceKeys)
	return nil
}

// sortOf gives what keys of one sort have in common: their first word.
func sortOf(key string) string {
	if word, _, more := strings.Cut(key, ":"); more {
		return word + ":*"
	}
	return key
}

// evidence describes at most 20 sorts of keys, the most frequent first.
func evidence(sorts map[string]int, examples map[string]string, more bool) []string {
	var names []string
	for name := range sorts {
		names = append(names, name)
	}
	sort.Slice(names, func(a, b int) bool {
		if sorts[names[a]] != sorts[names[b]] {
			return sorts[names[a]] > sorts[names[b]]
		}
		return names[a] < names[b]
	})
	var lines []string
	for i, name := range names {
		if i == 19 && len(names) > 20 {
			return append(lines, fmt.Sprintf("and %d more sorts of keys", len(names)-i))
		}
		line := "key " + shortened(name)
		if strings.HasSuffix(name, ":*") {
			count := fmt.Sprint(sorts[name])
			if more {
				count = "at least " + count
			}
			line = fmt.Sprintf("keys %s (%s, for example %s)", shortened(name), count, shortened(examples[name]))
		}
		lines = append(lines, line)
	}
	return lines
}
