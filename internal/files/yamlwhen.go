package files

import (
	"bytes"
	"encoding/json"

	"github.com/goccy/go-yaml/ast"
)

// whenForAll gives the predicate that stands beside the steps to those that have
// none of their own.
func (y *yamlReader) whenForAll(m *Migration, value ast.Node) {
	text, line := y.predicate(value), y.place(value).Line
	for i := range m.Sections {
		if s := &m.Sections[i]; !s.Undo && s.When == "" {
			s.When, s.WhenLine = text, line
		}
	}
}

// predicate reads a `when`: a text as it is, a mapping of texts and lists of
// texts as JSON, which is YAML in one line. The store's kind understands it.
func (y *yamlReader) predicate(value ast.Node) string {
	bare := y.bare(value)
	switch bare.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		return y.text(value, keyWhen)
	}
	all := map[string]any{}
	for _, e := range y.pairs(bare, keyWhen) {
		if _, isList := y.bare(e.value).(*ast.SequenceNode); isList {
			all[e.key] = y.texts(e.value, keyWhen+"."+e.key)
		} else {
			all[e.key] = y.text(e.value, keyWhen+"."+e.key)
		}
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // templates are full of < and >
	if err := encoder.Encode(all); err != nil {
		y.problem(y.place(value), "", "%s: %s", keyWhen, err)
	}
	return string(bytes.TrimSpace(line.Bytes()))
}
