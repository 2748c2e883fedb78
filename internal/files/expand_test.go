package files

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const canary = "pa55-CANARY"

func lookupIn(values map[string]string) Lookup {
	return func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	}
}

func expandProject(t *testing.T, store string) *Project {
	t.Helper()
	p, err := Load(fstest.MapFS{
		ConfigName:     {Data: []byte("stores:\n  main: " + store + "\n")},
		"secrets/db":   {Data: []byte("postgres://u:" + canary + "@h/d\r\n")},
		"secrets/none": {Data: []byte("\n")},
	}, "shop/stopover.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExpand(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(outside, []byte("postgres://outside\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lookup := lookupIn(map[string]string{"DATABASE_URL": "postgres://u:" + canary + "@h/d", "USER_NAME": "ana", "EMPTY": ""})
	for _, c := range []struct{ url, want, fault string }{
		{url: "${DATABASE_URL}", want: "postgres://u:" + canary + "@h/d"},
		{url: "postgres://${USER_NAME}:a$b@h/d?x=${USER_NAME}", want: "postgres://ana:a$b@h/d?x=ana"},
		{url: "${file:secrets/db}", want: "postgres://u:" + canary + "@h/d"},
		{url: "${file:" + outside + "}", want: "postgres://outside"},
		{url: "${MISSING}", fault: "shop/stopover.yaml:2: store main: url wants the variable MISSING, which is not set; export MISSING=..., or write it into .env"},
		{url: "${EMPTY}", fault: "shop/stopover.yaml:2: store main: url wants the variable EMPTY, which is not set; export EMPTY=..., or write it into .env"},
		{url: "${file:secrets/nil}", fault: "shop/stopover.yaml:2: store main: url wants the file secrets/nil, which is not there; make the file, or correct its name"},
		{url: "${file:/nowhere/at/all}", fault: "shop/stopover.yaml:2: store main: url wants the file /nowhere/at/all, which is not there; make the file, or correct its name"},
		{url: "${file:secrets/none}", fault: "shop/stopover.yaml:2: store main: url wants the file secrets/none, which is empty; write the value into it"},
		{url: "${file:secrets}", fault: "shop/stopover.yaml:2: store main: url wants the file secrets, which cannot be read: invalid argument"},
		{url: "${DATABASE_URL} ${MISSING", fault: "shop/stopover.yaml:2: store main: url has a ${ that is not closed; close it with }"},
		{url: "${" + canary + "}", fault: "shop/stopover.yaml:2: store main: url has a ${..} without the name of a variable; write ${NAME} or ${file:/path}"},
	} {
		got, err := expandProject(t, "{url: '"+c.url+"'}").Expand("main", lookup)
		fault := ""
		if err != nil {
			fault = err.Error()
		}
		if got.URL != c.want || fault != c.fault {
			t.Errorf("%s: %q, %q", c.url, got.URL, fault)
		}
		if strings.Contains(fault, canary) {
			t.Errorf("%s: a secret is shown", c.url)
		}
	}
}

func TestExpandGivesOptions(t *testing.T) {
	p := expandProject(t, `{url: x, schema: shop, prefix: "shop:", role: owner, direct_url: "${DIRECT}", pool: 0012}`)
	got, err := p.Expand("main", lookupIn(map[string]string{"DIRECT": "postgres://direct"}))
	want := map[string]string{"schema": "shop", "prefix": "shop:", "role": "owner", "direct_url": "postgres://direct", "pool": "0012"}
	if err != nil || !maps.Equal(got.Options, want) {
		t.Errorf("%v, %v", got.Options, err)
	}
	if _, err = p.Expand("main", lookupIn(nil)); err == nil || !strings.Contains(err.Error(), "direct_url wants the variable DIRECT") {
		t.Errorf("%v", err)
	}
}

func TestExpandNamesWhatIsMissing(t *testing.T) {
	p := expandProject(t, "{kind: sqlite}")
	for store, want := range map[string]string{
		"main": "shop/stopover.yaml:2: store main has no url; add `url: ${DATABASE_URL}` to it",
		"mian": `no store "mian", did you mean main?`,
	} {
		_, err := p.Expand(store, lookupIn(nil))
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", store, err)
		}
		var problems *Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: %T", store, err)
		}
	}
	if got, err := expandProject(t, "{url: x}").Expand("main", lookupIn(nil)); err != nil || len(got.Options) != 0 {
		t.Errorf("options that were not given: %v, %v", got.Options, err)
	}
	if text, err := p.ExpandText("scratch", "${A}/x", lookupIn(map[string]string{"A": "b"})); err != nil || text != "b/x" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := p.ExpandText("scratch", "${A}", lookupIn(nil)); err == nil {
		t.Error("an unset variable was expanded")
	}
}
