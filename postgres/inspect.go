package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// Inspect tells what became of a statement outside a transaction. A session
// that still works on it comes first: what it leaves can only be judged when it
// is gone.
func (s *Store) Inspect(ctx context.Context, action store.Action, statement int) (store.Effect, error) {
	work, err := workOf(store.Task{Action: action, Only: max(statement, 1)})
	if err != nil || work.goes != nil {
		return store.Effect{Because: "an action in Go has no effect that can be looked up"}, err
	}
	kind := work.parts[0].kind
	running, err := s.working(ctx, kind)
	if err != nil {
		return store.Effect{}, err
	}
	if running != nil {
		return store.Effect{State: store.Running, Session: running, Because: "session " + running.ID + " still works on it"}, nil
	}
	switch {
	case kind.Verb == "CREATE" && kind.Object == "INDEX" && kind.Concurrently:
		return s.inspectIndex(ctx, kind)
	case kind.Verb == "DROP" && kind.Object == "INDEX" && kind.Concurrently:
		return s.inspectDrop(ctx, kind)
	case kind.Verb == "REINDEX" && kind.Concurrently:
		return s.inspectReindex(ctx, kind)
	case kind.Verb == "VACUUM", kind.Verb == "REINDEX", kind.Verb == "CLUSTER":
		return store.Effect{State: store.Missing, Because: kind.Verb + " may be run as often as one likes"}, nil
	case kind.Partition.Base != "":
		return s.inspectDetach(ctx, kind)
	}
	return store.Effect{Because: "what became of this statement cannot be told: look, and record it as done or as to be run"}, nil
}

// working finds a session that runs this very statement.
func (s *Store) working(ctx context.Context, kind sqltext.Statement) (*store.Session, error) {
	var found []store.Session
	var m message
	m.ask("SELECT "+sessionColumns+` FROM pg_stat_activity a
		WHERE a.datname = current_database() AND a.state = 'active' AND a.pid <> pg_backend_pid()
		AND starts_with(a.query, left(`+quote(kind.Text)+`, 250))`, s.readSessions(&found))
	if completed, err := s.run(ctx, &m); err != nil {
		return nil, fmt.Errorf("look for sessions of %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
	}
	if len(found) == 0 {
		return nil, nil
	}
	return &found[0], nil
}

// indexState is one index as the catalogue has it.
type indexState struct {
	name  string // qualified and quoted
	table string
	valid bool
}

const indexColumns = `SELECT quote_ident(n.nspname) || '.' || quote_ident(x.relname), i.indrelid::regclass::text, i.indisvalid AND i.indisready AND i.indislive
	FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace WHERE `

// indexes asks the catalogue with the search_path of tasks.
func (s *Store) indexes(ctx context.Context, where string) ([]indexState, error) {
	var found []indexState
	var m message
	s.beginLook(&m)
	m.own(s.settingsSQL(store.Task{}))
	m.ask(indexColumns+where+" ORDER BY 1", func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			row := r.Values()
			found = append(found, indexState{name: string(row[0]), table: string(row[1]), valid: string(row[2]) == "t"})
		}
		return nil
	})
	m.own("COMMIT")
	if completed, err := s.run(ctx, &m); err != nil {
		return nil, fmt.Errorf("look at the indexes of %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
	}
	return found, nil
}

// inspectIndex: an index is created in its table's schema, so a name without a
// schema is looked for there.
func (s *Store) inspectIndex(ctx context.Context, kind sqltext.Statement) (store.Effect, error) {
	name := kind.Name()
	table := "to_regclass(" + quote(kind.Table.Text) + ")"
	found, err := s.indexes(ctx, "x.relname = "+quote(name.Base)+" AND x.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = "+table+")")
	if err != nil {
		return store.Effect{}, err
	}
	if len(found) == 0 {
		return store.Effect{State: store.Missing, Because: "index " + name.Base + " does not exist"}, nil
	}
	if onTable, err := s.indexes(ctx, "i.indexrelid = "+quote(found[0].name)+"::regclass AND i.indrelid = "+table); err != nil || len(onTable) == 0 {
		return store.Effect{Because: fmt.Sprintf("there is an index %s, but on table %s", name.Base, found[0].table)}, err
	}
	if found[0].valid {
		return store.Effect{State: store.Complete, Because: "index " + name.Base + " is valid"}, nil
	}
	return s.broken(found, "index "+name.Base+" is invalid")
}

// inspectDrop: a half dropped index can simply be dropped again.
func (s *Store) inspectDrop(ctx context.Context, kind sqltext.Statement) (store.Effect, error) {
	found, err := s.indexes(ctx, "i.indexrelid = to_regclass("+quote(kind.Name().Text)+")")
	if err != nil {
		return store.Effect{}, err
	}
	if len(found) == 0 {
		return store.Effect{State: store.Complete, Because: "index " + kind.Name().Base + " does not exist any more"}, nil
	}
	return store.Effect{State: store.Missing, Because: "index " + kind.Name().Base + " is still there"}, nil
}

// inspectReindex: REINDEX may be run again, once the copies of a half one are
// gone.
func (s *Store) inspectReindex(ctx context.Context, kind sqltext.Statement) (store.Effect, error) {
	object := "to_regclass(" + quote(kind.Name().Text) + ")"
	found, err := s.indexes(ctx, `NOT i.indisvalid AND x.relname ~ '_cc(new|old)[0-9]*$' AND (i.indrelid = `+object+
		` OR i.indrelid = (SELECT t.indrelid FROM pg_index t WHERE t.indexrelid = `+object+`))`)
	if err != nil {
		return store.Effect{}, err
	}
	if len(found) == 0 {
		return store.Effect{State: store.Missing, Because: "REINDEX may be run as often as one likes"}, nil
	}
	return s.broken(found, "index "+found[0].name+" is left of a REINDEX")
}

// broken makes the repair: each index is dropped by itself.
func (s *Store) broken(indexes []indexState, because string) (store.Effect, error) {
	text := ""
	for _, index := range indexes {
		text += "DROP INDEX CONCURRENTLY IF EXISTS " + index.name + ";\n"
	}
	repair, err := sqlaction.Parse(sqltext.Postgres, store.Section{File: "repair", Line: 1, Text: text, Shape: store.Whole, Each: true})
	if err != nil {
		return store.Effect{}, fmt.Errorf("make the repair of %s: %w", because, err)
	}
	return store.Effect{State: store.Broken, Because: because, Repair: repair.Action}, nil
}

// inspectDetach: a detachment that is pending can only be finished, not taken
// back, so it is not offered as a repair.
func (s *Store) inspectDetach(ctx context.Context, kind sqltext.Statement) (store.Effect, error) {
	there, pending := false, false
	var m message
	s.beginLook(&m)
	m.own(s.settingsSQL(store.Task{}))
	m.ask("SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass("+quote(kind.Partition.Text)+
		") AND inhparent = to_regclass("+quote(kind.Table.Text)+")", func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			there, pending = true, string(r.Values()[0]) == "t"
		}
		return nil
	})
	m.own("COMMIT")
	if completed, err := s.run(ctx, &m); err != nil {
		return store.Effect{}, fmt.Errorf("look at partition %s of %s: %w", kind.Partition, s.place, s.fault(ctx, &m, completed, err, 0))
	}
	switch {
	case pending:
		return store.Effect{Because: fmt.Sprintf("partition %s is half detached: run ALTER TABLE %s DETACH PARTITION %s FINALIZE, then record the statement as done",
			kind.Partition, kind.Table.Text, kind.Partition.Text)}, nil
	case there:
		return store.Effect{State: store.Missing, Because: fmt.Sprintf("%s is still a partition of %s", kind.Partition, kind.Table)}, nil
	}
	return store.Effect{State: store.Complete, Because: fmt.Sprintf("%s is no partition of %s", kind.Partition, kind.Table)}, nil
}

var _ store.Inspector = (*Store)(nil)
