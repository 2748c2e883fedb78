package redis

import (
	"github.com/goccy/go-yaml/ast"
)

// rewrite reads what values become in place:
//
//	backfill:
//	  rewrite:
//	    - keys: "tenant:<tenant:[^:]+>:tenant"
//	      set: {created_at: "unixms(created_at)"}
//	      rename: {mail: email}
//	      remove: [legacy]
//	      where: 'kind == "tenant"'
//	      unconvertible: quarantine
//	      quarantine: "odd:<tenant>"
func (r *sectionReader) rewrite(root ast.Node) (Rewrite, error) {
	if err := r.only(root, append([]string{"rewrite"}, everyStep...)...); err != nil {
		return Rewrite{}, err
	}
	list, _ := r.find(root, "rewrite")
	entries, ok := list.(*ast.SequenceNode)
	if !ok || len(entries.Values) == 0 {
		return Rewrite{}, r.wrong(root, "say below rewrite: what becomes of which values, as a list of {keys: ..., set: ...}")
	}
	var all []Rewriting
	for _, entry := range entries.Values {
		rewriting, err := r.rewriting(entry)
		if err != nil {
			return Rewrite{}, err
		}
		if _, err := NewRewrite(rewriting); err != nil {
			return Rewrite{}, r.wrong(entry, "%s", err)
		}
		all = append(all, rewriting)
	}
	rewrite, err := NewRewrite(all...)
	if err != nil {
		return Rewrite{}, r.wrong(list, "%s", err)
	}
	return rewrite, nil
}

func (r *sectionReader) rewriting(node ast.Node) (Rewriting, error) {
	if err := r.only(node, "keys", "set", "rename", "remove", "where", "unconvertible", "quarantine"); err != nil {
		return Rewriting{}, err
	}
	var w Rewriting
	policy := string(Fail)
	for key, into := range map[string]*string{"keys": &w.Keys, "where": &w.Where, "unconvertible": &policy, "quarantine": &w.Quarantine} {
		value, there := r.find(node, key)
		if !there {
			continue
		}
		text, ok := value.(*ast.StringNode)
		if !ok {
			return Rewriting{}, r.wrong(value, "%s: is not text", key)
		}
		*into = text.Value
	}
	if w.Keys == "" {
		return Rewriting{}, r.wrong(node, "keys: is missing")
	}
	w.Unconvertible = Policy(policy)
	var err error
	if w.Set, err = r.textsByName(node, "set"); err != nil {
		return Rewriting{}, err
	}
	if w.Rename, err = r.textsByName(node, "rename"); err != nil {
		return Rewriting{}, err
	}
	w.Remove, err = r.texts(node, "remove")
	return w, err
}

// textsByName reads a mapping of texts, which may be missing.
func (r *sectionReader) textsByName(node ast.Node, key string) (map[string]string, error) {
	value, there := r.find(node, key)
	if !there {
		return nil, nil
	}
	entries := r.values(value)
	if len(entries) == 0 {
		return nil, r.wrong(value, "%s: is not a mapping of fields", key)
	}
	all := map[string]string{}
	for _, entry := range entries {
		text, ok := entry.Value.(*ast.StringNode)
		if !ok {
			return nil, r.wrong(entry.Key, "%s: what stands for %s is not text; write it in quotes", key, entry.Key.GetToken().Value)
		}
		all[entry.Key.GetToken().Value] = text.Value
	}
	return all, nil
}
