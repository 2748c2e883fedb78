package files

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/stopover-dev/stopover/internal/spelling"
)

// configKeys lists what stopover.yaml may contain.
var configKeys = []string{"application", "stores", "components", "releases", "soak", "before_no_return", "roll", "notify", "scratch"}

// configReader reads stopover.yaml into a project.
type configReader struct {
	yamlReader
	p      *Project
	roll   []pair
	used   []pair // stores that components name
	fenced []pair // components that fences name
}

// readConfig reads the text of stopover.yaml into p, whose File is set.
func readConfig(p *Project, data []byte) []Problem {
	c := &configReader{yamlReader: yamlReader{file: p.File}, p: p}
	root := c.parse(data)
	switch {
	case len(c.problems) > 0:
		return c.problems
	case root == nil:
		c.problem(Place{File: p.File}, "write application: and stores: into it", "the file is empty")
		return c.problems
	}
	seen := map[string]bool{}
	for _, entry := range c.pairs(root, p.File) {
		seen[entry.key] = true
		c.top(entry)
	}
	if !seen["stores"] && len(c.problems) == 0 {
		c.problem(Place{File: p.File, Line: 1}, "add `stores: {main: {url: \"${DATABASE_URL}\"}}`", "stores is missing")
	}
	c.checkNames()
	return c.problems
}

// top reads one key of the outermost mapping.
func (c *configReader) top(entry pair) {
	switch entry.key {
	case "application":
		c.p.Application = c.text(entry.value, entry.key)
	case "stores":
		c.stores(entry.value)
	case "components":
		c.components(entry.value)
	case "releases":
		c.releases(entry.value)
	case "soak":
		c.soak(entry.value)
	case "before_no_return":
		c.p.BeforeNoReturn = c.setting(entry)
	case "roll":
		c.rolls(entry.value)
	case "notify":
		c.p.Notify = c.setting(entry)
	case "scratch":
		c.p.Scratch = c.setting(entry)
	default:
		c.problem(entry.place, "", "unknown key %q%s", excerpt(entry.key), spelling.Meant(entry.key, configKeys))
	}
}

// setting reads a key that flags and the environment may overrule.
func (c *configReader) setting(entry pair) string {
	text := c.text(entry.value, entry.key)
	c.p.given[entry.key] = text
	return text
}

func (c *configReader) soak(node ast.Node) {
	text := c.text(node, "soak")
	soak, err := parseDuration(text)
	if err != nil {
		c.problem(c.place(node), "", "soak wants a time with its unit, like 24h or 7d")
		return
	}
	c.p.Soak, c.p.given["soak"] = soak, text
}

func (c *configReader) rolls(node ast.Node) {
	c.roll = c.pairs(node, "roll")
	c.p.Roll = make(map[string]string, len(c.roll))
	for _, entry := range c.roll {
		c.p.Roll[entry.key] = c.text(entry.value, "roll: "+entry.key)
	}
}

// checkNames looks whether what the file's parts say of each other is there.
// It runs last: the parts may stand in any order.
func (c *configReader) checkNames() {
	var stores, components []string
	for _, s := range c.p.Stores {
		stores = append(stores, s.Name)
	}
	for i := range c.p.Components {
		components = append(components, c.p.Components[i].Name)
	}
	for _, fenced := range c.fenced {
		if !oneOf(fenced.key, components) {
			c.problem(fenced.place, "", "a fence names a component %q that is not declared", excerpt(fenced.key))
		}
	}
	for _, used := range c.used {
		if !oneOf(used.key, stores) {
			c.problem(used.place, "", "no store %q is declared%s", used.key, spelling.Meant(used.key, stores))
		}
	}
	for _, entry := range c.roll {
		if !oneOf(entry.key, components) {
			c.problem(entry.place, "", "roll: no component %q is declared%s", entry.key, spelling.Meant(entry.key, components))
		}
	}
	for _, r := range c.p.Releases {
		for _, peer := range r.Peers {
			if !oneOf(peer.Component, components) {
				c.problem(peer.Place, "", "release %s: no component %q is declared%s", r.ID, peer.Component, spelling.Meant(peer.Component, components))
			}
		}
	}
}

// checkIdentifier complains of a name that could not be typed in STORE:MIGRATION.
func (c *configReader) checkIdentifier(entry pair, what string) {
	if strings.IndexFunc(entry.key, func(r rune) bool { return !plain(r) }) >= 0 {
		c.problem(entry.place, "", "%s %q: a name has letters of a to z, digits, _ and - only", what, excerpt(entry.key))
	}
}
