package sqltext

// ChangeKind says what an action of ALTER TABLE does.
type ChangeKind uint8

// The kinds of changes that are told apart.
const (
	OtherChange ChangeKind = iota
	AddColumn
	DropColumn
	RenameColumn
	RenameTable
	SetSchema
	AlterType
	SetNotNull
	DropNotNull
	DropDefault
	AddConstraint
	ValidateConstraint
	Rewrite // SET LOGGED, SET TABLESPACE, SET ACCESS METHOD
	AttachPartition
	DetachPartition
)

// Change is one action of an ALTER TABLE.
type Change struct {
	Kind   ChangeKind
	Line   int
	Column string  // the column; for constraints their name; "" if it has none
	To     string  // the new name, or the new schema
	Body   *Reader // what follows the name: a column's type and constraints, a constraint's definition
}

// Changes gives the actions of an ALTER TABLE (or VIEW, or the like) in order.
func (s Statement) Changes() []Change {
	if s.Verb != "ALTER" {
		return nil
	}
	r := s.Reader()
	r.Take("ALTER")
	takeObject(r)
	r.Take("IF", "EXISTS")
	r.Take("ONLY")
	r.Name()
	r.Take("*")
	var changes []Change
	for _, item := range r.Items() {
		if !item.AtEnd() {
			changes = append(changes, readChange(item))
		}
	}
	return changes
}

// readChange reads one action; the reader ends where the action ends.
func readChange(r *Reader) Change {
	c := Change{Line: r.Peek(0).Line, Body: r}
	switch {
	case r.Take("ADD"):
		c.add(r)
	case r.Take("DROP", "CONSTRAINT"), r.Take("DROP", "EXPRESSION"):
	case r.Take("DROP"):
		c.column(DropColumn, r)
	case r.Take("RENAME"):
		c.rename(r)
	case r.Take("ALTER", "CONSTRAINT"):
	case r.Take("ALTER"):
		c.alterColumn(r)
	case r.Take("VALIDATE", "CONSTRAINT"):
		c.Kind = ValidateConstraint
		c.Column, _, _ = r.Identifier()
	case r.Take("SET", "SCHEMA"):
		c.Kind = SetSchema
		c.To, _, _ = r.Identifier()
	case r.Is("SET", "LOGGED"), r.Is("SET", "UNLOGGED"), r.Is("SET", "TABLESPACE"), r.Is("SET", "ACCESS", "METHOD"):
		c.Kind = Rewrite
	case r.Is("ATTACH", "PARTITION"):
		c.Kind = AttachPartition
	case r.Is("DETACH", "PARTITION"):
		c.Kind = DetachPartition
	}
	return c
}

// column reads [COLUMN] [IF [NOT] EXISTS] name.
func (c *Change) column(kind ChangeKind, r *Reader) {
	r.Take("COLUMN")
	if !r.Take("IF", "EXISTS") {
		r.Take("IF", "NOT", "EXISTS")
	}
	c.Kind = kind
	c.Column, _, _ = r.Identifier()
}

func (c *Change) add(r *Reader) {
	if r.Take("CONSTRAINT") {
		c.Kind = AddConstraint
		c.Column, _, _ = r.Identifier()
		return
	}
	if r.Peek(0).IsAny("CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "EXCLUDE") || r.Is("NOT", "NULL") {
		c.Kind = AddConstraint
		return
	}
	c.column(AddColumn, r)
}

func (c *Change) rename(r *Reader) {
	switch {
	case r.Take("TO"):
		c.Kind = RenameTable
	case r.Take("CONSTRAINT"):
		return
	default:
		c.column(RenameColumn, r)
		r.Take("TO")
	}
	c.To, _, _ = r.Identifier()
}

func (c *Change) alterColumn(r *Reader) {
	c.column(OtherChange, r)
	switch {
	case r.Take("TYPE"), r.Take("SET", "DATA", "TYPE"):
		c.Kind = AlterType
	case r.Take("SET", "NOT", "NULL"):
		c.Kind = SetNotNull
	case r.Take("DROP", "NOT", "NULL"):
		c.Kind = DropNotNull
	case r.Take("DROP", "DEFAULT"):
		c.Kind = DropDefault
	}
}
