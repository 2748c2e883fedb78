package files

import (
	"github.com/goccy/go-yaml/ast"

	"github.com/stopover-dev/stopover/internal/spelling"
)

var releaseKeys = []string{"id", "withdrawn", "peers", "line", "base", "contains"}

func (c *configReader) releases(node ast.Node) {
	for _, entry := range c.list(node, "releases") {
		r := Release{Place: c.place(entry)}
		switch c.bare(entry).(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			c.release(&r, entry)
		default:
			r.ID = c.text(entry, "an entry of releases")
		}
		if r.ID != "" {
			c.p.Releases = append(c.p.Releases, r)
		}
	}
}

func (c *configReader) release(r *Release, node ast.Node) {
	entries := c.pairs(node, "an entry of releases")
	if len(entries) > 0 {
		r.Place = entries[0].place
	}
	for _, key := range entries {
		switch key.key {
		case "id":
			r.ID, r.Place = c.text(key.value, "id"), c.place(key.value)
		case "withdrawn":
			r.Withdrawn = c.truth(key.value, "withdrawn")
		case "peers":
			for _, peer := range c.pairs(key.value, "peers") {
				r.Peers = append(r.Peers, Peer{Component: peer.key, AtLeast: c.atLeast(peer), Place: peer.place})
			}
		case "line":
			r.Line = c.text(key.value, "line")
		case "base":
			r.Base = c.text(key.value, "base")
		case "contains":
			r.Contains = c.texts(key.value, "contains")
		default:
			c.problem(key.place, "", "release: unknown key %q%s", excerpt(key.key), spelling.Meant(key.key, releaseKeys))
		}
	}
	if r.ID == "" && len(c.problems) == 0 {
		c.problem(r.Place, "", "a release without an id")
	}
}

// atLeast reads the lower bound of a peer, with or without its sign.
func (c *configReader) atLeast(peer pair) string {
	d := directive{place: c.place(peer.value)}
	bound := d.release(peer.key, c.text(peer.value, "peers: "+peer.key))
	c.problems = append(c.problems, d.problems...)
	return bound
}
