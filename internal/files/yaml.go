package files

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// yamlReader walks over a YAML file and keeps what is wrong with it. It reads
// scalars by their token's text, so that no number is ever made of one, and it
// never shows a value in a message: values may be URLs.
type yamlReader struct {
	file     string
	strict   bool // no aliases: what they repeat has no end that is known
	anchors  map[string]ast.Node
	problems []Problem
}

// pair is one key of a mapping.
type pair struct {
	key   string
	place Place
	value ast.Node
}

func (y *yamlReader) problem(place Place, next, format string, args ...any) {
	y.problems = append(y.problems, Problem{Place: place, Message: fmt.Sprintf(format, args...), Next: next})
}

// parse gives the root of the file's only document; nil: empty, or a problem.
func (y *yamlReader) parse(data []byte) ast.Node {
	if len(data) > longestFile {
		y.problem(Place{File: y.file}, "", "is longer than %d MiB", longestFile>>20)
		return nil
	}
	if line := tooDeep(data); line > 0 {
		y.problem(Place{File: y.file, Line: line}, "", "nested too deeply")
		return nil
	}
	file, err := parser.ParseBytes([]byte(strings.TrimPrefix(string(data), byteOrderMark)), 0)
	if err != nil {
		place, message := Place{File: y.file}, "not understood as YAML"
		var known yaml.Error
		if errors.As(err, &known) {
			if t := known.GetToken(); t != nil && t.Position != nil {
				place.Line, place.Column = t.Position.Line, t.Position.Column
			}
			if said := known.GetMessage(); !strings.Contains(said, "://") {
				message += ": " + said
			}
		}
		y.problem(place, "", "%s", message)
		return nil
	}
	var root ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			y.problem(y.place(doc.Body), "", "a second document in the file")
			return nil
		}
		root = doc.Body
	}
	return root
}

// deepest bounds how many brackets a file may have open, and longestFile how
// long it may be, before it is given to the parser.
// The parser's memory grows with the square of the depth: 100,000 brackets took
// all that the machine had.
const (
	deepest     = 100
	longestFile = 4 << 20 // bytes
)

// tooDeep gives the line at which a file nests too deep; 0: it does not. Brackets in texts count too: no honest file has a hundred of them
// open.
func tooDeep(data []byte) int {
	line, open, indent, blank := 1, 0, 0, true
	for _, c := range data {
		switch {
		case c == '\n':
			line, indent, blank = line+1, 0, true
			continue
		case blank && (c == ' ' || c == '-' || c == '?'):
			indent++
		case c == '[' || c == '{':
			open++
			blank = false
		case c == ']' || c == '}':
			open = max(0, open-1)
			blank = false
		default:
			blank = false
		}
		if open > deepest || indent > 20*deepest {
			return line
		}
	}
	return 0
}

func (y *yamlReader) place(node ast.Node) Place { return y.at(node.GetToken()) }

func (y *yamlReader) at(t *token.Token) Place {
	place := Place{File: y.file}
	if t != nil && t.Position != nil {
		place.Line, place.Column = t.Position.Line, t.Position.Column
	}
	return place
}

// bare takes anchors, aliases and tags away from a node.
func (y *yamlReader) bare(node ast.Node) ast.Node {
	for range 100 { // aliases of aliases; a ring ends here
		switch n := node.(type) {
		case *ast.AnchorNode:
			if y.anchors == nil {
				y.anchors = map[string]ast.Node{}
			}
			y.anchors[n.Name.GetToken().Value] = n.Value
			node = n.Value
		case *ast.AliasNode:
			if y.strict {
				return nil
			}
			node = y.anchors[n.Value.GetToken().Value]
		case *ast.TagNode:
			node = n.Value
		default:
			return node
		}
	}
	return nil
}

// pairs gives the keys of a mapping in their order. what names it.
func (y *yamlReader) pairs(node ast.Node, what string) []pair {
	bare := y.bare(node)
	var values []*ast.MappingValueNode
	switch n := bare.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		y.problem(y.place(node), "", "%s wants keys with values", what)
		return nil
	}
	list := make([]pair, 0, len(values))
	for _, v := range values {
		if v.Key == nil || v.Key.IsMergeKey() || v.Value == nil {
			y.problem(y.place(v), "write the keys out", "%s: a merge of mappings is not understood here", what)
			continue
		}
		key, ok := scalar(y.bare(v.Key))
		if !ok || key == "" {
			y.problem(y.place(v.Key), "", "%s: a key is no text", what)
			continue
		}
		if strings.Contains(key, "://") { // not shown: it may hold a password
			y.problem(y.place(v.Key), "write `url: \"...\"`", "%s: a URL stands where a key is wanted", what)
			continue
		}
		list = append(list, pair{key: key, place: y.place(v.Key), value: v.Value})
	}
	return list
}

// list gives the entries of a sequence. what names it.
func (y *yamlReader) list(node ast.Node, what string) []ast.Node {
	sequence, ok := y.bare(node).(*ast.SequenceNode)
	if !ok {
		y.problem(y.place(node), "", "%s wants a list: [a, b]", what)
		return nil
	}
	return sequence.Values
}

// text gives a scalar as it was written. what names it.
func (y *yamlReader) text(node ast.Node, what string) string {
	bare := y.bare(node)
	text, ok := scalar(bare)
	switch {
	case !ok:
		y.problem(y.place(node), "", "%s wants a text", what)
	case strings.TrimSpace(text) == "":
		y.problem(y.place(node), "", "%s is empty", what)
	}
	return text
}

// texts gives a list of scalars. what names it.
func (y *yamlReader) texts(node ast.Node, what string) []string {
	var list []string
	for _, entry := range y.list(node, what) {
		list = append(list, y.text(entry, "an entry of "+what))
	}
	return list
}

// truth gives a scalar that is true or false. what names it.
func (y *yamlReader) truth(node ast.Node, what string) bool {
	b, ok := y.bare(node).(*ast.BoolNode)
	if !ok {
		y.problem(y.place(node), "", "%s is true or false", what)
		return false
	}
	return b.Value
}

// scalar gives the text of a scalar's token: 1.10 stays "1.10". A null is the
// empty text.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.NullNode:
		return "", true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.MappingKeyNode:
		return scalar(n.Value)
	}
	return "", false
}
