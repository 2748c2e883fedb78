package sqlaction

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// The statements that set a mirror up and take it away. Both stand in the
// transaction of the section that they belong to.
var (
	//go:embed mirror_begin.sql
	mirrorBegin string
	//go:embed mirror_end.sql
	mirrorEnd string
)

// mirrored makes the action of a section with mirrors: those that end are
// taken away first, those that begin are set up last, when the section has
// made their columns.
func mirrored(d sqltext.Dialect, section store.Section, kinds []sqltext.Statement) (store.Action, error) {
	before, err := mirrorStatements(d, section, section.Ends, mirrorEnd)
	if err != nil {
		return nil, err
	}
	behind, err := mirrorStatements(d, section, section.Begins, mirrorBegin)
	if err != nil {
		return nil, err
	}
	action := newAction(section, slices.Concat(before, kinds, behind))
	for i := range action.Parts {
		action.Parts[i].Made = i < len(before) || i >= len(before)+len(kinds)
	}
	return action, nil
}

// mirrorStatements gives one statement for each mirror.
func mirrorStatements(d sqltext.Dialect, section store.Section, mirrors []store.Mirror, template string) ([]sqltext.Statement, error) {
	var all []sqltext.Statement
	for _, m := range mirrors {
		text, err := mirrorText(d, m, template)
		if err == nil {
			var made []sqltext.Statement
			made, err = sqltext.Split(d, text, m.Line)
			all = append(all, made...)
		}
		if err != nil {
			return nil, placed(section, err)
		}
	}
	return all, nil
}

func refuse(m store.Mirror, format string, args ...any) error {
	return &sqltext.Error{Line: m.Line, Message: fmt.Sprintf(format, args...)}
}

// mirrorText fills a template in for a mirror.
func mirrorText(d sqltext.Dialect, m store.Mirror, template string) (string, error) {
	if d != sqltext.Postgres {
		return "", refuse(m, "%s has no trigger that can change a row on its way into the table: an INSERT of new code would fail where the old column is NOT NULL, and the application's own triggers would run twice. Let a bridging release write both columns, and set writers= on the backfill", d)
	}
	table, ok := sqltext.ParseName(d, m.Table)
	if !ok {
		return "", refuse(m, "table=%s is not the name of a table", m.Table)
	}
	old, err := mirrorColumn(d, m, m.Old)
	if err != nil {
		return "", err
	}
	fresh, err := mirrorColumn(d, m, m.New)
	if err != nil {
		return "", err
	}
	up, err := mirrorExpression(d, m, "up", m.Up, old)
	if err != nil {
		return "", err
	}
	down, err := mirrorExpression(d, m, "down", m.Down, fresh)
	if err != nil {
		return "", err
	}
	name := mirrorName(m.Name)
	return strings.NewReplacer(
		"@table@", table.Text, "@table:text@", literal(table.Text), "@shown@", literal(table.String()),
		"@old@", m.Old, "@old:text@", literal(old), "@new@", m.New, "@new:text@", literal(fresh),
		"@up:text@", literal(up), "@down:text@", literal(down),
		"@function@", name, "@function:text@", literal(name), "@trigger@", "zz_"+name, "@trigger:text@", literal("zz_"+name),
		"@migration:text@", literal(m.Name),
	).Replace(template), nil
}

// mirrorColumn gives the name that a column is written for. The function's own
// variables would hide some.
func mirrorColumn(d sqltext.Dialect, m store.Mirror, written string) (string, error) {
	name, ok := sqltext.ParseName(d, written)
	if !ok || name.Schema != "" {
		return "", refuse(m, "%s is not the name of a column", written)
	}
	if base := strings.ToLower(name.Base); base == "old" || base == "new" || strings.HasPrefix(base, "tg_") || strings.HasPrefix(base, "stopover_") {
		return "", refuse(m, "a column %s cannot be in a mirror: its trigger function has variables of this name", written)
	}
	return name.Base, nil
}

// mirrorExpression checks that an expression is one, and about its column. What
// else it must not be is for the server to say.
func mirrorExpression(d sqltext.Dialect, m store.Mirror, key, text, column string) (string, error) {
	if text == "" {
		return quoted(column), nil
	}
	parts, err := sqltext.Split(d, "SELECT "+text, m.Line)
	switch {
	case err != nil:
		return "", err
	case len(parts) != 1 || strings.Contains(text, ";"):
		return "", refuse(m, "%s=%q is not one expression", key, text)
	case strings.Contains(text, "$mirror$") || strings.Contains(text, "$stopover$"):
		return "", refuse(m, "%s contains a mark that the trigger function is quoted with: use another one", key)
	}
	for r := parts[0].Reader(); !r.AtEnd(); r.Next() {
		if t := r.Peek(0); (t.Kind == sqltext.Word || t.Kind == sqltext.Quoted) && sqltext.Identifier(d, t) == column {
			return text, nil
		}
	}
	return "", refuse(m, "%s=%q does not use the column %s", key, text, column)
}

// mirrorName gives the function's name, from which those of the triggers are
// made: zz_NAME_insert. They fit into 63 bytes. The trigger begins with zz_
// because triggers fire in the order of their names, and this one has to see
// what the application's own have changed.
func mirrorName(name string) string {
	const longest = maxName - len("zz_") - len("_insert")
	full := "stopover_mirror_" + strings.ToLower(strings.NewReplacer(`"`, "", "$", "").Replace(name))
	if len(full) <= longest {
		return full
	}
	sum := sha256.Sum256([]byte(name))
	return strings.ToValidUTF8(full[:longest-9], "") + "_" + hex.EncodeToString(sum[:4])
}

// quoted writes a name so that it means exactly itself.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal writes text as a literal that means the same whatever
// standard_conforming_strings says.
func literal(text string) string {
	text = strings.ReplaceAll(text, "'", "''")
	if strings.Contains(text, `\`) {
		return "E'" + strings.ReplaceAll(text, `\`, `\\`) + "'"
	}
	return "'" + text + "'"
}
