package files

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// TestFormsOfYAML reads one project in several spellings.
func TestFormsOfYAML(t *testing.T) {
	for _, text := range []string{
		"application: shop\nstores: {main: {url: x, schema: &n shop, role: *n}}\nreleases: [1.10, 0042.1]\n",
		"\ufeffapplication: |-\n  shop\nstores:\n  \"main\":\n    url: 'x'\n    schema: !!str shop\n    role: \"shop\"\nreleases:\n- 1.10\n- id: 0042.1\n",
		"# first\r\napplication: shop # name\r\nstores:\r\n  main:\r\n    url: x\r\n    schema: shop\r\n    role: >-\r\n      shop\r\nreleases: ['1.10', '0042.1']\r\n",
	} {
		p, err := Load(fstest.MapFS{ConfigName: {Data: []byte(text)}}, ConfigName)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if p.Application != "shop" || p.Stores[0].Schema != "shop" || p.Stores[0].Role != "shop" || p.Stores[0].Migrations != "" {
			t.Errorf("%q: %+v", text, p)
		}
		if len(p.Releases) != 2 || p.Releases[0].ID != "1.10" || p.Releases[1].ID != "0042.1" {
			t.Errorf("%q: %+v", text, p.Releases)
		}
	}
}

func TestTooDeepAndRingsAreRefused(t *testing.T) {
	deep := "backfill: {a: " + strings.Repeat("[", 200) + "1" + strings.Repeat("]", 200) + "}\n"
	m := Migration{File: "f.yaml"}
	if problems := parseYAML(&m, []byte(deep)); len(problems) == 0 || problems[0].Message != "nested too deeply" {
		t.Errorf("%v", problems)
	}
	_, err := Load(fstest.MapFS{ConfigName: {Data: []byte("stores: {main: {url: &a [*a]}}\n")}}, ConfigName)
	if err == nil || !strings.Contains(err.Error(), "main: url wants a text") {
		t.Errorf("%v", err)
	}
}

func TestAfterInYAML(t *testing.T) {
	m := Migration{File: "f.yaml"}
	problems := parseYAML(&m, []byte("after: [0001_a, 0002_b]\nverify: full\ncutover:\n  requires: main:1, main:2\n"))
	if len(problems) > 0 || len(m.After) != 2 || len(m.Sections) != 2 || len(m.Sections[1].Requires) != 2 {
		t.Errorf("%+v, %v", m, problems)
	}
}

// brokenFS fails to open one name.
type brokenFS struct {
	fstest.MapFS
	name string
}

func (b brokenFS) Open(name string) (fs.File, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.Open(name)
}

func (b brokenFS) ReadFile(name string) ([]byte, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.ReadFile(name)
}

func (b brokenFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.MapFS.ReadDir(name)
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for name, want := range map[string]string{
		"stopover.yaml":                      "shop/stopover.yaml: cannot be read: permission denied",
		"migrations/main/0041_orders.sql":    "shop/migrations/main/0041_orders.sql: cannot be read: permission denied",
		"migrations/main/y":                  "shop/migrations/main/y: the folder cannot be read: permission denied",
		"migrations/cache/0007_hashtag.yaml": "shop/migrations/cache/0007_hashtag.yaml: cannot be read: permission denied",
	} {
		if _, err := Load(brokenFS{shopFiles(), name}, "shop/stopover.yaml"); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
