package sqlaction

import (
	"strings"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// locks notes the changes for which PostgreSQL stops others for as long as it
// reads or rewrites the table.
func (w *witness) locks(s sqltext.Statement, c sqltext.Change) {
	table := s.Name().String()
	switch c.Kind {
	case sqltext.AddColumn:
		w.newColumn(table, c)
	case sqltext.AddConstraint:
		w.newConstraint(table, c)
	case sqltext.ValidateConstraint:
		w.validate(table, c)
	case sqltext.SetNotNull:
		if !w.provenNotNull(table, c.Column) {
			w.note(store.Blocks, table+"."+c.Column, c.Line, "SET NOT NULL reads all of %s while nobody else can use it: add CHECK (%s IS NOT NULL) NOT VALID, VALIDATE it, set NOT NULL and drop the CHECK, with `each`", table, c.Column)
		}
	case sqltext.AlterType:
		w.note(store.Blocks, table+"."+c.Column, c.Line, "a new type of %s.%s rewrites the table while nobody else can use it (but for a few types that are stored alike): add a second column, fill it in a backfill, and drop the old one in contract", table, c.Column)
	case sqltext.Rewrite:
		w.note(store.Blocks, table, c.Line, "this rewrites %s while nobody else can use it: do it in an offline step", table)
	case sqltext.AttachPartition:
		w.note(store.Risky, table, c.Line, "ATTACH PARTITION reads all of the new partition under a lock, unless a valid CHECK says what its bounds say: add that CHECK first")
	case sqltext.DetachPartition:
		if !s.Concurrently && !has(c.Body, "FINALIZE") {
			w.note(store.Blocks, table, c.Line, "DETACH PARTITION stops all readers and writers of %s while it waits for them: write DETACH PARTITION .. CONCURRENTLY", table)
		}
	}
}

const beside = "add the column without it, and fill it in a backfill"

// newColumn notes what makes ADD COLUMN more than an entry in the catalogue.
func (w *witness) newColumn(table string, c sqltext.Change) {
	column := table + "." + c.Column
	blocks := func(why string) {
		w.note(store.Blocks, column, c.Line, "column %s %s while nobody else can use %s", column, why, table)
	}
	switch {
	case isSerial(c.Body), has(c.Body, "AS", "IDENTITY"):
		blocks("is numbered, which rewrites the table (safe: " + beside + ", then set its default)")
	case has(c.Body, "STORED"):
		blocks("is generated and stored, which rewrites the table (safe: " + beside + ", with a trigger that keeps it)")
	}
	if function, volatile := volatileDefault(c.Body); volatile {
		blocks("has a default that " + function + " makes anew for each row, which rewrites the table (safe: " + beside + ", then set the default)")
	} else if function != "" {
		w.note(store.Risky, column, c.Line, "the default of %s calls %s: if that is volatile, the table is rewritten; then add the column without it, set the default, and fill it in a backfill", column, function)
	}
	switch {
	case has(c.Body, "UNIQUE"), has(c.Body, "PRIMARY", "KEY"):
		blocks("builds its unique index (safe: CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT .. USING INDEX)")
	case has(c.Body, "CHECK"):
		blocks("has a CHECK, for which the table is read (safe: ADD CONSTRAINT .. CHECK .. NOT VALID, then VALIDATE CONSTRAINT, with `each`)")
	case has(c.Body, "REFERENCES") && c.Body.Has("DEFAULT"):
		blocks("has a foreign key and a default, for which the table is read (safe: ADD CONSTRAINT .. FOREIGN KEY .. NOT VALID, then VALIDATE CONSTRAINT, with `each`)")
	}
}

// newConstraint notes a constraint that is checked at once, and remembers it.
func (w *witness) newConstraint(table string, c sqltext.Change) {
	object := strings.TrimSuffix(table+"."+c.Column, ".")
	const later = "add it NOT VALID and then VALIDATE CONSTRAINT, with `each`"
	valid := !has(c.Body, "NOT", "VALID")
	switch {
	case c.Body.Is("CHECK"):
		w.checks[table+"\x00"+c.Column] = check{notNull: notNullColumn(c.Body), validated: valid}
		if valid {
			w.note(store.Blocks, object, c.Line, "a CHECK reads all of %s while nobody else can use it: %s", table, later)
		}
	case c.Body.Is("FOREIGN") && valid:
		w.note(store.Blocks, object, c.Line, "a foreign key stops writers of both tables while all of %s is read: %s", table, later)
	case c.Body.Is("NOT", "NULL") && valid:
		w.note(store.Blocks, object, c.Line, "NOT NULL reads all of %s while nobody else can use it: %s", table, later)
	case c.Body.Is("EXCLUDE"):
		w.note(store.Blocks, object, c.Line, "EXCLUDE builds its index while nobody else can use %s, and there is no other way: do it in an offline step", table)
	case (c.Body.Is("UNIQUE") || c.Body.Is("PRIMARY")) && !has(c.Body, "USING", "INDEX"):
		w.note(store.Blocks, object, c.Line, "this constraint builds its index while nobody else can use %s: CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT .. USING INDEX", table)
	}
}

// validate notes a validation in the transaction that added the constraint,
// whose lock it would hold on to.
func (w *witness) validate(table string, c sqltext.Change) {
	key := table + "\x00" + c.Column
	added, here := w.checks[key]
	added.validated = true
	w.checks[key] = added
	if (here || w.addedHere(table, c.Column)) && !w.each {
		w.note(store.Blocks, table+"."+c.Column, c.Line, "%s is validated in the transaction that adds it, whose lock stops %s meanwhile: write `each`, or validate in a later section", c.Column, table)
	}
}

// addedHere says whether an earlier statement of the section adds the
// constraint.
func (w *witness) addedHere(table, constraint string) bool {
	for _, earlier := range w.kinds[:w.at] {
		if earlier.Object != "TABLE" || earlier.Name().String() != table {
			continue
		}
		for _, change := range earlier.Changes() {
			if change.Kind == sqltext.AddConstraint && change.Column == constraint {
				return true
			}
		}
	}
	return false
}

func (w *witness) provenNotNull(table, column string) bool {
	for key, check := range w.checks {
		if check.validated && check.notNull == column && strings.HasPrefix(key, table+"\x00") {
			return true
		}
	}
	return false
}

// notNullColumn gives the column of CHECK (column IS NOT NULL), or "".
func notNullColumn(definition *sqltext.Reader) string {
	r := definition.Fork()
	r.Take("CHECK")
	depth := 0
	for ; r.Take("("); depth++ {
	}
	column, _, found := r.Identifier()
	if !found || !r.Take("IS", "NOT", "NULL") {
		return ""
	}
	for ; depth > 0; depth-- {
		if !r.Take(")") {
			return ""
		}
	}
	return column
}
