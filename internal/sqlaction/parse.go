package sqlaction

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// Parse understands a section as statements of the dialect. What must not be
// run is refused with a *store.SyntaxError that says what to write instead.
func Parse(d sqltext.Dialect, section store.Section) (store.Parsed, error) {
	kinds, err := sqltext.Split(d, section.Text, section.Line)
	if err != nil {
		return store.Parsed{}, placed(section, err)
	}
	if len(kinds) > 0 || len(section.Begins) == 0 {
		if err := checkAll(d, section, kinds); err != nil {
			return store.Parsed{}, err
		}
	}
	action := newAction(section, kinds)
	action.Facts = facts(d, section, action)
	parsed := store.Parsed{Action: action, Facts: action.Facts}
	if len(section.Begins)+len(section.Ends) > 0 {
		parsed.Action, err = mirrored(d, section, kinds)
		return parsed, err
	}
	if section.Shape != store.Stretched {
		return parsed, nil
	}
	cut, err := sqltext.Ranged(kinds[0], section.Table)
	if err != nil {
		return store.Parsed{}, placed(section, err)
	}
	action.Range = newRange(cut)
	action.Key = key(section, cut.Table.Text)
	parsed.Repeatable = cut.Repeatable
	if text := cut.Matching("*", ""); text != "" {
		parsed.Match = match(d, section, cut, text)
	}
	return parsed, nil
}

func newAction(section store.Section, kinds []sqltext.Statement) *Action {
	action := &Action{Form: section.Shape, Each: section.Each, Kinds: kinds, Key: key(section, section.Table)}
	for _, kind := range kinds {
		alone := kind.Alone != ""
		action.Parts = append(action.Parts, store.Statement{Text: kind.Text, Line: kind.Line, Alone: alone})
		action.Each = action.Each || alone
	}
	return action
}

// match makes the query for what a repeatable action would still change.
func match(d sqltext.Dialect, section store.Section, cut *sqltext.Cut, text string) store.Action {
	kinds, err := sqltext.Split(d, text, section.Line)
	if err != nil || len(kinds) != 1 {
		return nil
	}
	section.Shape, section.Each, section.Text = store.Query, false, text
	action := newAction(section, kinds)
	action.Range = matchRange(cut)
	return action
}

func key(section store.Section, table string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%v\x00%s\x00%s\x00%+v\x00%+v", section.Shape, section.Each, table, section.Text, section.Begins, section.Ends))
	return hex.EncodeToString(sum[:])
}

// placed makes an error of sqltext one of the seam.
func placed(section store.Section, err error) error {
	var at *sqltext.Error
	if errors.As(err, &at) {
		return &store.SyntaxError{File: section.File, Line: at.Line, Message: at.Message}
	}
	return fmt.Errorf("parse section of %s: %w", section.File, err)
}
