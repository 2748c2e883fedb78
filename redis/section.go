package redis

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/stopover-dev/stopover/internal/spelling"
	"github.com/stopover-dev/stopover/store"
)

// everyStep are the keys that steps of all kinds of stores have. They have been
// read before.
var everyStep = []string{"requires", "offline", "writers", "readers", "needs", "when", "lock_timeout"}

// parse understands a section of a migration file:
//
//	backfill:
//	  offline: true
//	  copy:
//	    - {from: "tenant:<tenant:[^:]+>:<rest...>", to: "tenant:{<tenant>}:<rest...>", over: ["..."]}
//	  keep: ["session:<id>"]
//	  drop: ["cache:<id>"]
//	verify: full
//	contract: {writers: "1.6", readers: "1.6", delete: sources}
//
// or one with rewrite, see sectionReader.rewrite. With
//
//	cutover: {needs: "1.6", fence: {user: "shop", writable: ["tenant:{*}:*"]}}
//
// the copy follows its writers instead of being offline; fence may be left out.
func parse(section store.Section) (store.Parsed, error) {
	r := &sectionReader{section: section}
	if section.Predicate {
		return r.predicate()
	}
	root, err := r.root()
	if err != nil {
		return store.Parsed{}, err
	}
	switch {
	case section.Contract:
		return r.contract(root)
	case section.Cutover:
		return r.cutover(root)
	case section.Shape == store.Stretched:
		if _, rewrites := r.find(root, "rewrite"); rewrites {
			rewrite, err := r.rewrite(root)
			return store.Parsed{Action: rewrite}, err
		}
		layout, err := r.layout(root)
		if err != nil {
			return store.Parsed{}, err
		}
		switch offline, stated := r.find(root, "offline"); {
		case stated && section.Followed:
			return store.Parsed{}, r.wrong(offline, "the copy follows its writers until the cutover of this file: leave out `offline`, or the cutover")
		case !stated && !section.Followed:
			return store.Parsed{}, r.wrong(root, "a copy alone does not follow writers: add a `cutover:` to the file, or say `offline: true`, so that none are there")
		}
		return store.Parsed{Action: Copy{Layout: layout, Live: section.Followed}}, nil
	case section.Shape == store.Query:
		return r.verify(root)
	}
	return store.Parsed{}, r.wrong(root, "a Redis store has a backfill, a verify, a cutover and a contract in files; other steps are written in Go")
}

// verify understands "full", which is about the backfill of the same file.
func (r *sectionReader) verify(root ast.Node) (store.Parsed, error) {
	if text, ok := root.(*ast.StringNode); !ok || text.Value != "full" {
		return store.Parsed{}, r.wrong(root, "a verification of a Redis store is `verify: full`")
	}
	about, copied, err := r.about(root, "that could be verified")
	if err != nil {
		return store.Parsed{}, err
	}
	if _, rewrites := about.find(copied, "rewrite"); rewrites {
		rewrite, err := about.rewrite(copied)
		return store.Parsed{Action: Rewritten{Rewrite: rewrite}}, err
	}
	layout, err := about.layout(copied)
	if err != nil {
		return store.Parsed{}, err
	}
	return store.Parsed{Action: Compare{Layout: layout, Live: r.section.Followed}}, nil
}

// contract understands "delete: sources", which is about the copy of the same
// file.
func (r *sectionReader) contract(root ast.Node) (store.Parsed, error) {
	if err := r.only(root, append([]string{"delete"}, everyStep...)...); err != nil {
		return store.Parsed{}, err
	}
	value, there := r.find(root, "delete")
	if !there {
		value = root
	}
	if text, ok := value.(*ast.StringNode); !ok || text.Value != "sources" {
		return store.Parsed{}, r.wrong(value, "a contract of a Redis store is `delete: sources`")
	}
	about, copied, err := r.about(root, "whose sources could be deleted")
	if err != nil {
		return store.Parsed{}, err
	}
	if _, rewrites := about.find(copied, "rewrite"); rewrites {
		return store.Parsed{}, r.wrong(value, "a rewrite has no sources that could be deleted: it changes values in place")
	}
	layout, err := about.layout(copied)
	if err != nil {
		return store.Parsed{}, err
	}
	return store.Parsed{Action: DeleteSources{Layout: layout, Live: r.section.Followed}}, nil
}

// about gives the backfill of the same file.
func (r *sectionReader) about(root ast.Node, what string) (*sectionReader, ast.Node, error) {
	if r.section.About == nil {
		return nil, nil, r.wrong(root, "there is no backfill in the file %s", what)
	}
	about := &sectionReader{section: *r.section.About}
	copied, err := about.root()
	return about, copied, err
}

// sectionReader reads the YAML below a step's key.
type sectionReader struct{ section store.Section }

func (r *sectionReader) wrong(node ast.Node, format string, args ...any) error {
	line := r.section.Line
	if node != nil && node.GetToken() != nil {
		line += node.GetToken().Position.Line - 1
	}
	return &store.SyntaxError{File: r.section.File, Line: line, Message: fmt.Sprintf(format, args...)}
}

// root gives what stands below the step's key, whose line is the section's.
func (r *sectionReader) root() (ast.Node, error) {
	file, err := parser.ParseBytes([]byte("step:"+r.section.Text), 0)
	if known := yaml.Error(nil); errors.As(err, &known) {
		return nil, r.wrong(nil, "not understood as YAML: %s", known.GetMessage())
	}
	if err != nil || len(file.Docs) == 0 {
		return nil, r.wrong(nil, "not understood as YAML")
	}
	values := r.values(file.Docs[0].Body)
	if len(values) != 1 {
		return nil, r.wrong(nil, "not understood as YAML")
	}
	return values[0].Value, nil
}

// values gives the entries of a mapping; none if it is none.
func (r *sectionReader) values(node ast.Node) []*ast.MappingValueNode {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

func (r *sectionReader) find(node ast.Node, key string) (ast.Node, bool) {
	for _, entry := range r.values(node) {
		if entry.Key.GetToken().Value == key {
			return entry.Value, true
		}
	}
	return nil, false
}

// only refuses keys that are not known.
func (r *sectionReader) only(node ast.Node, known ...string) error {
	entries := r.values(node)
	if len(entries) == 0 {
		return r.wrong(node, "not a mapping with keys (known: %s)", strings.Join(known, ", "))
	}
	for _, entry := range entries {
		if key := entry.Key.GetToken().Value; !slices.Contains(known, key) {
			return r.wrong(entry.Key, "unknown key %q%s", shortened(key), spelling.Meant(key, known))
		}
	}
	return nil
}

// layout reads copy, keep and drop.
func (r *sectionReader) layout(root ast.Node) (Layout, error) {
	if err := r.only(root, append([]string{"copy", "keep", "drop"}, everyStep...)...); err != nil {
		return nil, err
	}
	list, _ := r.find(root, "copy")
	entries, ok := list.(*ast.SequenceNode)
	if !ok || len(entries.Values) == 0 {
		return nil, r.wrong(root, "say below copy: what becomes of which keys, as a list of {from: ..., to: ...}")
	}
	var renamings []Renaming
	for _, entry := range entries.Values {
		renaming, err := r.renaming(entry)
		if err != nil {
			return nil, err
		}
		if _, err := Templates([]Renaming{{From: renaming.From, To: renaming.To}}, nil, nil); err != nil {
			return nil, r.wrong(entry, "%s", err)
		}
		renamings = append(renamings, renaming)
	}
	keep, err := r.texts(root, "keep")
	if err != nil {
		return nil, err
	}
	drop, err := r.texts(root, "drop")
	if err != nil {
		return nil, err
	}
	layout, err := Templates(renamings, keep, drop)
	if err != nil {
		return nil, r.wrong(list, "%s", err)
	}
	return layout, nil
}

func (r *sectionReader) renaming(node ast.Node) (Renaming, error) {
	if err := r.only(node, "from", "to", "over"); err != nil {
		return Renaming{}, err
	}
	var renaming Renaming
	for i, into := range []*string{&renaming.From, &renaming.To} {
		key := []string{"from", "to"}[i]
		value, _ := r.find(node, key)
		text, ok := value.(*ast.StringNode)
		if !ok {
			return Renaming{}, r.wrong(node, "%s: is missing, or is not text", key)
		}
		*into = text.Value
	}
	over, err := r.texts(node, "over")
	renaming.Over = over
	return renaming, err
}

// texts reads a list of texts, which may be missing.
func (r *sectionReader) texts(node ast.Node, key string) ([]string, error) {
	value, there := r.find(node, key)
	if !there {
		return nil, nil
	}
	list, ok := value.(*ast.SequenceNode)
	if !ok {
		return nil, r.wrong(value, "%s: is not a list of texts", key)
	}
	var all []string
	for _, entry := range list.Values {
		text, ok := entry.(*ast.StringNode)
		if !ok {
			return nil, r.wrong(entry, "%s: is not a list of texts", key)
		}
		all = append(all, text.Value)
	}
	return all, nil
}
