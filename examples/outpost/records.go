package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stopover-dev/stopover"
)

// migrations are those that Outpost's tool knows by the same names.
var migrations = []string{"001_hash_tags", "002_timestamps", "003_entity"}

// What Outpost's tool writes into the record of a migration.
const (
	applied       = "applied"
	notApplicable = "not_applicable"
)

func (s settings) recordKey(migration string) string {
	return s.below("outpost:migration:" + migration)
}

// adopt takes the store over where Outpost's tool has left it: what that one has
// applied, and verified, is done.
func (m *migrator) adopt(ctx context.Context) error {
	at, gap := "outpost:none", ""
	for _, name := range migrations {
		status, err := m.client.HGet(ctx, m.settings.recordKey(name), "status").Result()
		there := err == nil && (status == applied || status == notApplicable)
		switch {
		case err != nil && err.Error() != "redis: nil":
			return fmt.Errorf("read %s: %w", m.settings.recordKey(name), err)
		case there && gap != "":
			return fmt.Errorf("%s says that it is %s, and %s does not: only you can tell which is right; delete the wrong one of the two records, or write status applied into the other",
				m.settings.recordKey(name), status, m.settings.recordKey(gap))
		case there:
			at = "outpost:" + name
		case gap == "":
			gap = name
		}
	}
	app, err := stopover.Open(m.config())
	if err != nil {
		return err
	}
	defer app.Close()
	report, err := app.Adopt(ctx, stopover.AdoptOptions{At: at, Uncleaned: true})
	if err != nil {
		return err
	}
	fmt.Fprintf(m.t.Err, "taken over at %s: %d steps count as done\n", at[len("outpost:"):], len(report.Did))
	return nil
}

// record tells Outpost's tool what is done, so that its own check before a start
// gives the right answer and nobody runs it over newer data. It is repeated by
// every command that changes anything: a process that dies before it does no harm.
func (m *migrator) record(ctx context.Context) error {
	app, err := stopover.Open(m.config())
	if err != nil {
		return err
	}
	defer app.Close()
	list, err := app.List(ctx)
	if err != nil {
		return err
	}
	reasons := map[string]string{}
	open := map[string]bool{}
	for _, step := range list.Stores[0].Steps {
		switch {
		case step.Step == stopover.Contract.String() || step.State == "done":
		case step.State == "not applicable":
			reasons[step.Migration] = step.Because
		default:
			open[step.Migration] = true
		}
	}
	now := time.Now().Format(time.RFC3339)
	for _, name := range migrations {
		fields := map[string]any{"status": applied, "applied_at": now}
		if reason, none := reasons[name]; none && m.settings.deployment != "" { // as that tool does; on a fresh installation all are applied to it
			fields = map[string]any{"status": notApplicable, "checked_at": now, "reason": reason}
		}
		key := m.settings.recordKey(name)
		status, err := m.client.HGet(ctx, key, "status").Result()
		if open[name] || err == nil && status == fields["status"] {
			continue
		}
		if err := m.client.HSet(ctx, key, slices.Collect(flat(fields))...).Err(); err != nil {
			return fmt.Errorf("record %s for Outpost's tool: %w", key, err)
		}
	}
	return nil
}

// flat gives names and values in turns, in one order.
func flat(fields map[string]any) func(func(any) bool) {
	return func(yield func(any) bool) {
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if !yield(name) || !yield(fields[name]) {
				return
			}
		}
	}
}
