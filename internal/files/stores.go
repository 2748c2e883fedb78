package files

import (
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/stopover-dev/stopover/internal/spelling"
	"github.com/stopover-dev/stopover/plan"
)

// storeKeys lists the keys of a store that mean the same for every kind.
var storeKeys = []string{"url", "kind", "schema", "prefix", "direct_url", "lease_url", "role", "migrations", "clients", "fence"}

// kindKeys lists keys of some kinds that look like one of those misspelled.
var kindKeys = []string{"probe"}

func (c *configReader) stores(node ast.Node) {
	for _, entry := range c.pairs(node, "stores") {
		c.checkIdentifier(entry, "store")
		c.p.Stores = append(c.p.Stores, c.store(entry))
	}
	if len(c.p.Stores) == 0 && len(c.problems) == 0 {
		c.problem(c.place(node), "", "stores lists no store")
	}
}

func (c *configReader) store(entry pair) Store {
	s := Store{Name: entry.key, Line: entry.place.Line, Migrations: path.Join("migrations", entry.key)}
	given := false
	for _, key := range c.pairs(entry.value, "store "+entry.key) {
		what := entry.key + ": " + key.key
		switch key.key {
		case "url":
			s.URL = c.text(key.value, what)
		case "kind":
			s.Kind = c.text(key.value, what)
		case "schema":
			s.Schema = c.text(key.value, what)
		case "prefix":
			s.Prefix = c.text(key.value, what)
		case "direct_url":
			s.DirectURL = c.text(key.value, what)
		case "lease_url":
			s.LeaseURL = c.text(key.value, what)
		case "role":
			s.Role = c.text(key.value, what)
		case "migrations":
			s.Migrations, given = c.folder(key, what), true
		case "clients":
			s.Ignore = c.clients(key.value, what)
		case "fence":
			s.Fences = c.fences(key.value, what)
		default:
			c.option(&s, key, what)
		}
	}
	if info, err := fs.Stat(c.p.fsys, s.Migrations); !given && (err != nil || !info.IsDir()) {
		s.Migrations = ""
	}
	return s
}

// folder reads the name of a folder below the project's.
func (c *configReader) folder(key pair, what string) string {
	text := c.text(key.value, what)
	if text == "" {
		return ""
	}
	clean := path.Clean(strings.ReplaceAll(text, "\\", "/"))
	if !fs.ValidPath(clean) || strings.Contains(text, "://") { // a URL is not shown
		c.problem(c.place(key.value), "name it relative to the folder of "+ConfigName, "%s: the folder is not below the project's", what)
		return ""
	}
	info, err := fs.Stat(c.p.fsys, clean)
	switch {
	case err == nil && info.IsDir():
		return clean
	case err != nil:
		c.problem(c.place(key.value), "make the folder, or start from the folder it is relative to", "%s: no folder %s", what, shown(c.p.Dir, clean))
	default:
		c.problem(c.place(key.value), "", "%s: %s is no folder", what, shown(c.p.Dir, clean))
	}
	return ""
}

func (c *configReader) clients(node ast.Node, what string) []string {
	var ignore []string
	for _, key := range c.pairs(node, what) {
		if key.key != "ignore" {
			c.problem(key.place, "", "%s: unknown key %q%s", what, excerpt(key.key), spelling.Meant(key.key, []string{"ignore"}))
			continue
		}
		ignore = c.texts(key.value, what+".ignore")
	}
	return ignore
}

// fences reads how the writers of each component are known to a store.
func (c *configReader) fences(node ast.Node, what string) map[string]FenceRule {
	rules := map[string]FenceRule{}
	for _, component := range c.pairs(node, what) {
		c.fenced = append(c.fenced, component)
		var rule FenceRule
		for _, key := range c.pairs(component.value, what+"."+component.key) {
			text := c.text(key.value, what+"."+component.key+"."+key.key)
			switch key.key {
			case "login":
				rule.Login = text
			case "sessions":
				rule.Name = text
			default:
				c.problem(key.place, "", "%s: unknown key %q%s", what, excerpt(key.key), spelling.Meant(key.key, []string{"login", "sessions"}))
				continue
			}
			if !strings.Contains(text, releasePart) {
				c.problem(c.place(key.value), "", "%s: a fence tells releases apart: write %s into it, as in \"%s/%s\"", what, releasePart, component.key, releasePart)
			}
		}
		if (rule.Login == "") == (rule.Name == "") {
			c.problem(component.place, "", "%s: %s is known by its login or by the names of its sessions: give one of login and sessions", what, component.key)
		}
		rules[component.key] = rule
	}
	return rules
}

// option keeps a key that is none of the common ones for the store's kind,
// unless it is one of them misspelled.
func (c *configReader) option(s *Store, key pair, what string) {
	if near := spelling.Nearest(key.key, storeKeys); near != "" && !oneOf(key.key, kindKeys) {
		c.problem(key.place, "", "store %s: unknown key %q, did you mean %s?", s.Name, excerpt(key.key), near)
		return
	}
	if s.Options == nil {
		s.Options = map[string]string{}
	}
	s.Options[key.key] = c.text(key.value, what)
}

func (c *configReader) components(node ast.Node) {
	for _, entry := range c.pairs(node, "components") {
		c.checkIdentifier(entry, "component")
		component := Component{Name: entry.key, Line: entry.place.Line, Uses: map[string]plan.Role{}}
		for _, use := range c.pairs(entry.value, "component "+entry.key) {
			component.Uses[use.key] = c.role(use, entry.key)
			c.used = append(c.used, use)
		}
		c.p.Components = append(c.p.Components, component)
	}
}

func (c *configReader) role(use pair, component string) plan.Role {
	switch c.text(use.value, component+": "+use.key) {
	case "rw":
		return plan.ReadWrite
	case "ro":
		return plan.ReadOnly
	}
	c.problem(c.place(use.value), "", "component %s uses a store as rw (reads and writes) or ro (only reads)", component)
	return plan.Unused
}

// shown gives a path below the project as people see it.
func shown(dir, name string) string {
	if dir == "" || dir == "." {
		return name
	}
	return strings.TrimSuffix(dir, "/") + "/" + name
}
