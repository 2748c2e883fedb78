package expr

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Change says what becomes of the fields of a record. All expressions see the
// record as it was. Make one with NewChange.
type Change struct {
	set    []assignment
	rename [][2]string
	remove []string
	where  *Program
	reads  []string
}

type assignment struct {
	field   string
	program *Program
}

// Fields are what a Change is made of.
type Fields struct {
	Set    map[string]string // expressions by field; one that gives nil leaves its field as it is
	Rename map[string]string // new name by old
	Remove []string
	Where  string // the condition under which a record is changed; "": always
}

// NewChange compiles a change and refuses one that contradicts itself.
func NewChange(f Fields) (*Change, error) {
	c := &Change{remove: slices.Sorted(slices.Values(f.Remove))}
	for _, field := range sorted(f.Set) {
		program, err := Compile(f.Set[field])
		if err != nil {
			return nil, fmt.Errorf("set %s: %w", field, err)
		}
		c.set = append(c.set, assignment{field, program})
	}
	for _, old := range sorted(f.Rename) {
		c.rename = append(c.rename, [2]string{old, f.Rename[old]})
	}
	if f.Where != "" {
		var err error
		if c.where, err = Compile(f.Where); err != nil {
			return nil, fmt.Errorf("where: %w", err)
		}
	}
	c.reads = c.looked()
	return c, c.contradicts()
}

// contradicts finds a field for which two things are said.
func (c *Change) contradicts() error {
	if len(c.set)+len(c.rename)+len(c.remove) == 0 {
		return errors.New("nothing is set, renamed or removed")
	}
	var named []string
	for _, a := range c.set {
		named = append(named, a.field)
	}
	for _, r := range c.rename {
		named = append(named, r[0], r[1])
	}
	named = append(named, c.remove...)
	slices.Sort(named)
	for i := 1; i < len(named); i++ {
		if named[i] == named[i-1] {
			return fmt.Errorf("two things are said of the field %s", named[i])
		}
	}
	return nil
}

// Reads gives the names of all fields that the change looks at or writes,
// sorted: a record of these is enough for Of.
func (c *Change) Reads() []string { return c.reads }

func (c *Change) looked() []string {
	var all []string
	for _, a := range c.set {
		all = append(append(all, a.field), a.program.fields...)
	}
	for _, r := range c.rename {
		all = append(all, r[0], r[1])
	}
	all = append(all, c.remove...)
	if c.where != nil {
		all = append(all, c.where.fields...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Edit is what is to be done to one record.
type Edit struct {
	Set    []Value
	Remove []string
}

// Value is a field with its new value.
type Value struct {
	Field string
	Value any
}

// Empty tells whether nothing is to be done.
func (e Edit) Empty() bool { return len(e.Set)+len(e.Remove) == 0 }

// Of gives what is to be done to a record, of which missing fields are not in
// the map. Done to a record that has been changed already it gives nothing, as
// far as the expressions do. The error is an *UnconvertibleError.
func (c *Change) Of(record map[string]any) (Edit, error) { return c.edit(record, equalText) }

// edit is Of with a way of its own to tell whether two values are the same.
func (c *Change) edit(record map[string]any, equal equality) (Edit, error) {
	var edit Edit
	if c.where != nil {
		if holds, err := c.where.Holds(record); err != nil || !holds {
			return Edit{}, err
		}
	}
	for _, a := range c.set {
		value, err := a.program.Run(record)
		if err != nil {
			return Edit{}, of(a.field, err)
		}
		if same, err := equal(value, record[a.field]); err != nil {
			return Edit{}, of(a.field, err)
		} else if value != nil && !same {
			edit.Set = append(edit.Set, Value{a.field, value})
		}
	}
	if err := c.renamed(record, &edit, equal); err != nil {
		return Edit{}, err
	}
	for _, field := range c.remove {
		if _, there := record[field]; there {
			edit.Remove = append(edit.Remove, field)
		}
	}
	return edit, nil
}

// renamed adds what renaming does. A field that is there under both names with
// different values is nobody's to decide.
func (c *Change) renamed(record map[string]any, edit *Edit, equal equality) error {
	for _, r := range c.rename {
		value, there := record[r[0]]
		if !there {
			continue
		}
		other, both := record[r[1]]
		if same, err := equal(value, other); both && (err != nil || !same) {
			return &UnconvertibleError{Field: r[0], Reason: "the record has another value as " + r[1] + " already"}
		}
		if !both {
			edit.Set = append(edit.Set, Value{r[1], value})
		}
		edit.Remove = append(edit.Remove, r[0])
	}
	return nil
}

// equality tells whether two values are the same where they are written.
type equality func(a, b any) (bool, error)

// equalText compares values as a hash holds them.
func equalText(a, b any) (bool, error) {
	if a == nil || b == nil {
		return a == nil && b == nil, nil
	}
	x, err := Text(a)
	if err != nil {
		return false, err
	}
	y, err := Text(b)
	return err == nil && x == y, err
}

// of adds the field to an error.
func of(field string, err error) error {
	if wrong, ok := errors.AsType[*UnconvertibleError](err); ok {
		return &UnconvertibleError{Field: cmp.Or(wrong.Field, field), Reason: wrong.Reason}
	}
	return err
}

// String says everything that the change does, a line each.
func (c *Change) String() string {
	var b strings.Builder
	for _, a := range c.set {
		fmt.Fprintf(&b, "set %s = %s\n", a.field, a.program)
	}
	for _, r := range c.rename {
		fmt.Fprintf(&b, "rename %s to %s\n", r[0], r[1])
	}
	for _, field := range c.remove {
		fmt.Fprintf(&b, "remove %s\n", field)
	}
	if c.where != nil {
		fmt.Fprintf(&b, "where %s\n", c.where)
	}
	return b.String()
}

func sorted(m map[string]string) []string {
	all := make([]string, 0, len(m))
	for key := range m {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}
