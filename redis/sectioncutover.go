package redis

import (
	"github.com/goccy/go-yaml/ast"

	"github.com/stopover-dev/stopover/store"
)

// cutover understands a cutover, which is about the copy of the same file:
//
//	cutover: {needs: "1.6", fence: acl}
//
// where the users of old releases are those that stopover.yaml names, or with a
// fence of its own before one user that writes both the old and the new keys.
func (r *sectionReader) cutover(root ast.Node) (store.Parsed, error) {
	if _, empty := root.(*ast.NullNode); !empty && len(r.values(root)) > 0 {
		if err := r.only(root, append([]string{"fence"}, everyStep...)...); err != nil {
			return store.Parsed{}, err
		}
	}
	about, copied, err := r.about(root, "that could be cut over")
	if err != nil {
		return store.Parsed{}, err
	}
	if _, rewrites := about.find(copied, "rewrite"); rewrites {
		return store.Parsed{}, r.wrong(root, "a rewrite has nothing that could be cut over to: it changes values in place")
	}
	layout, err := about.layout(copied)
	if err != nil {
		return store.Parsed{}, err
	}
	fence, err := r.fence(root, layout)
	return store.Parsed{Action: Cutover{Layout: layout, Fence: fence}}, err
}

// fence reads a fence of the step's own; nil: none.
func (r *sectionReader) fence(root ast.Node, layout Layout) (*Fence, error) {
	node, stated := r.find(root, "fence")
	if !stated {
		return nil, nil
	}
	if text, ok := node.(*ast.StringNode); ok {
		if text.Value == "acl" {
			return nil, nil
		}
		return nil, r.wrong(node, "a fence is `acl`, for the users that stopover.yaml names, or {user: .., writable: [..]}")
	}
	if err := r.only(node, "user", "readable", "writable"); err != nil {
		return nil, err
	}
	fence := &Fence{Readable: []string{"*"}}
	user, _ := r.find(node, "user")
	name, ok := user.(*ast.StringNode)
	if !ok || name.Value == "" {
		return nil, r.wrong(node, "user: is missing: who writes the old keys?")
	}
	fence.User = name.Value
	var err error
	if _, stated := r.find(node, "readable"); stated {
		if fence.Readable, err = r.texts(node, "readable"); err != nil {
			return nil, err
		}
	}
	if fence.Writable, err = r.texts(node, "writable"); err != nil {
		return nil, err
	}
	for _, source := range layout.Sources() {
		fence.Probes = append(fence.Probes, source+"stopover-probe")
	}
	return fence, nil
}
