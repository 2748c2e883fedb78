package redis

import (
	"context"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/stopover-dev/stopover/internal/keytemplate"
	"github.com/stopover-dev/stopover/store"
)

// anyKey is the predicate of a step: it finds something if the store has a key of
// one of the forms. It stops at the first one, and gives up only after all keys
// were gone over.
type anyKey struct{ forms []keytemplate.Template }

// Shape tells that it is a query.
func (anyKey) Shape() store.Shape { return store.Query }

// Statements gives one, for people.
func (a anyKey) Statements() []store.Statement {
	return []store.Statement{{Text: "is there a key " + strings.Join(a.names(), " or ")}}
}

func (a anyKey) names() []string {
	all := make([]string, len(a.forms))
	for i, form := range a.forms {
		all[i] = form.String()
	}
	return all
}

func (a anyKey) seek(ctx context.Context, r *Reader, report func(string)) error {
	var prefixes []string
	for _, form := range a.forms {
		prefixes = append(prefixes, form.Prefix())
	}
	match := literal.Replace(beginning(prefixes)) + "*"
	var cursor []byte
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		keys, next, end, err := r.Scan(ctx, match, cursor, scanCount)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if a.takes(key) {
				report(key)
				return nil
			}
		}
		cursor, done = next, end
	}
	return nil
}

func (a anyKey) takes(key string) bool {
	for _, form := range a.forms {
		if form.Matches(key) {
			return true
		}
	}
	return false
}

// predicate reads when a step applies:
//
//	when: {keys: "tenant:<tenant:[^:]+>", else: "no tenant has its old name"}
//
// keys may be a list; else may be missing.
func (r *sectionReader) predicate() (store.Parsed, error) {
	r.section.Text = " " + r.section.Text // behind a colon
	root, err := r.root()
	if err != nil {
		return store.Parsed{}, err
	}
	if len(r.values(root)) == 0 {
		return store.Parsed{}, r.wrong(root, `a Redis step says when it applies as {keys: "FORM", else: "why it does not"}`)
	}
	if err := r.only(root, "keys", "else"); err != nil {
		return store.Parsed{}, err
	}
	var parsed store.Parsed
	if value, there := r.find(root, "else"); there {
		text, ok := value.(*ast.StringNode)
		if !ok {
			return store.Parsed{}, r.wrong(value, "else: is not text")
		}
		parsed.Else = text.Value
	}
	var forms []string
	switch value, _ := r.find(root, "keys"); value := value.(type) {
	case *ast.StringNode:
		forms = []string{value.Value}
	default:
		if forms, err = r.texts(root, "keys"); err != nil {
			return store.Parsed{}, err
		}
	}
	all, err := templates(forms)
	if err != nil {
		return store.Parsed{}, r.wrong(root, "keys: %s", err)
	}
	if len(all) == 0 {
		return store.Parsed{}, r.wrong(root, "keys: is missing: it says of which form a key must be there")
	}
	if parsed.Else == "" {
		parsed.Else = "there is no key " + strings.Join(anyKey{all}.names(), " or ")
	}
	parsed.Action = anyKey{all}
	return parsed, nil
}
