package files

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAssumption(t *testing.T) {
	name := filepath.Join(t.TempDir(), "night.yaml")
	if err := os.WriteFile(name, []byte("stores: {main: 0041, cache: none}\nfleet:\n  api: [1.10, \"1.4\"]\n  web: 1.30\ntarget: 2.0\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	a, err := ReadAssumption(name)
	if err != nil {
		t.Fatal(err)
	}
	if a.Stores["main"] != "0041" || a.Stores["cache"] != None || a.Fleet["api"][0] != "1.10" || a.Fleet["web"][0] != "1.30" || a.Target != "2.0" {
		t.Errorf("%+v", a)
	}
	for entry, want := range map[string]string{
		"fleet/web":   name + ":4:3: no such component",
		"stores/main": name + ":1:10: no such component",
		"target":      name + ":5:1: no such component",
		"fleet/none":  name + ": no such component",
	} {
		if got := a.Fault(entry, "no such component", ""); got.Error() != want {
			t.Errorf("%s: %v", entry, got)
		}
	}
}

func TestBadAssumption(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "a.yaml: the file is empty; name at least where the stores are: `stores: {main: 0041_name}`",
		"flete: {api: 1.4}\n":        `a.yaml:1:1: unknown key "flete", did you mean fleet?`,
		"stores: [main]\n":           "a.yaml:1:9: stores wants keys with values",
		"fleet: {api: [[1.4]]}\n":    "a.yaml:1:15: an entry of fleet: api wants a text",
		"target: 1.4\ntarget: 1.5\n": `a.yaml:2:1: not understood as YAML: mapping key "target" already defined at [1:1]`,
		"target:\n":                  "a.yaml:1:9: target is empty",
	} {
		if _, err := parseAssumption("a.yaml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, err := ReadAssumption("testdata/nowhere.yaml")
	if want := "testdata/nowhere.yaml: there is no such file; write one: `stores: {main: 0041_name}`, `fleet: {api: [\"1.4\"]}`, `target: \"1.9\"`"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}
