package files

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// written makes the files that a scaffold would have written.
func written(lists ...[]Scaffold) fstest.MapFS {
	files := fstest.MapFS{}
	for _, list := range lists {
		for _, s := range list {
			files[s.Name] = &fstest.MapFile{Data: []byte(s.Content)}
		}
	}
	return files
}

func TestScaffoldedProjectLoads(t *testing.T) {
	for kind, url := range map[string]string{"sqlite": "sqlite:my shop.db", "postgres": "${DATABASE_URL}"} {
		files := NewProject("my shop", kind)
		p, err := Load(written(files), ConfigName)
		if err != nil {
			t.Fatal(err)
		}
		if p.Application != "my shop" || len(p.Migrations) != 1 || p.Stores[0].URL != url || p.Stores[0].Kind != kind {
			t.Errorf("%s: %+v", kind, p)
		}
		next, err := NewMigration(p, "main", "add  title", time.Now())
		if err != nil || next[0].Name != "migrations/main/0002_add_title.sql" {
			t.Fatalf("%s: %v, %v", kind, next, err)
		}
		if p, err = Load(written(files, next), ConfigName); err != nil || len(p.Migrations[1].Sections) != 5 {
			t.Errorf("%s: the new migration: %v", kind, err)
		}
		if _, _, problems := p.Catalogue(); len(problems) > 0 {
			t.Errorf("%s: %v", kind, problems)
		}
	}
}

func TestNumberOfTheNextMigration(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 30, 15, 0, time.UTC)
	for _, c := range []struct{ have, want string }{
		{"", "0001"}, {"0001_a", "0002"}, {"0001_a 0009_b", "0010"}, {"9999_a", "10000"}, {"7_a 12_b", "13"}, {"003_a", "004"},
		{"20260401090000_a", "20260501123015"}, {"20260501123015_a", "20260501123016"}, {"20270101000000_a", "20270101000001"},
		{"202604010900_a", "202605011230"}, {"20260401_a", "20260501"}, {"1672749980_a", "1777638615"}, {"12345678_a", "12345679"},
	} {
		files := fstest.MapFS{ConfigName: {Data: []byte("stores: {main: {url: x}}")}}
		for name := range strings.FieldsSeq(c.have) {
			files["migrations/main/"+name+".sql"] = &fstest.MapFile{Data: []byte("-- stopover: expand\nSELECT 1;\n")}
		}
		p, err := Load(files, ConfigName)
		if err != nil {
			t.Fatal(err)
		}
		got, err := NewMigration(p, "main", "x", now)
		if err != nil || got[0].Name != "migrations/main/"+c.want+"_x.sql" {
			t.Errorf("after %q: %v, %v", c.have, got, err)
		}
	}
}

func TestNewMigrationAsYAML(t *testing.T) {
	for _, store := range []string{`{url: "redis://h"}`, `{url: x, kind: mongodb}`, `{url: "${REDIS_URL}"}`} {
		files := []Scaffold{{ConfigName, "stores: {cache: " + store + "}"}}
		p, err := Load(written(files), ConfigName)
		if err != nil {
			t.Fatal(err)
		}
		next, err := NewMigration(p, "cache", "hashtag", time.Now())
		if err != nil || next[0].Name != "migrations/cache/0001_hashtag.yaml" {
			t.Fatalf("%s: %v, %v", store, next, err)
		}
		if p, err = Load(written(files, next), ConfigName); err != nil || len(p.Migrations[0].Sections) != 3 {
			t.Errorf("%s: %v", store, err)
		}
		if next, err = NewMigration(p, "cache", "more", time.Now()); err != nil || next[0].Name != "migrations/cache/0002_more.yaml" {
			t.Errorf("%s: %v, %v", store, next, err)
		}
	}
}

func TestNewMigrationRefuses(t *testing.T) {
	p := loadShop(t)
	for _, c := range []struct{ store, name, want string }{
		{"mian", "x", `no store "mian", did you mean main?`},
		{"main", " ", "a migration wants a name; say what it does: add_currency"},
		{"main", "a/b", `"a/b": the name of a migration has letters of a to z, digits, _ and - only, not "/"`},
	} {
		if _, err := NewMigration(p, c.store, c.name, time.Now()); err == nil || err.Error() != c.want {
			t.Errorf("%s %s: %v", c.store, c.name, err)
		}
	}
}

func TestProjectThatIsNotThere(t *testing.T) {
	_, err := Load(fstest.MapFS{}, "shop/stopover.yaml")
	want := "no stopover.yaml in shop; go to the project's folder, or name its file with --config, or begin with `stopover new project`"
	var problems *Problems
	if err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &problems) {
		t.Errorf("%v", err)
	}
	if _, err = Load(fstest.MapFS{}, "stopover.yaml"); err == nil || !strings.HasPrefix(err.Error(), "no stopover.yaml in this folder;") {
		t.Errorf("%v", err)
	}
	if _, err = Load(fstest.MapFS{"stopover.yaml/x": {}}, "stopover.yaml"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder: %v", err)
	}
}

func TestImplicitProject(t *testing.T) {
	files := fstest.MapFS{"db/0001_a.sql": {Data: []byte("-- stopover: expand\nSELECT 1;\n")}, "migrations/0001_b.sql": {Data: []byte("SELECT 1;\n")}}
	p, err := Implicit(files, "shop", "sqlite:x", "db")
	if err != nil || len(p.Migrations) != 1 || p.Migrations[0].Store != "main" || p.Migrations[0].File != "shop/db/0001_a.sql" {
		t.Fatalf("%+v, %v", p, err)
	}
	if got, err := p.Expand("main", lookupIn(nil)); err != nil || got.URL != "sqlite:x" {
		t.Errorf("%v, %v", got, err)
	}
	cat, index, list := p.Catalogue("1.5")
	if at, known := index.At("1.5"); len(list) > 0 || !cat.Implicit || at != 0 || !known || len(cat.Steps) != 1 {
		t.Errorf("%+v %v", cat, list)
	}
	if _, err = Implicit(files, "shop", "sqlite:x", ""); err == nil || !strings.Contains(err.Error(), "shop/migrations/0001_b.sql:1: the file has no section") {
		t.Errorf("%v", err)
	}
	if _, err = Implicit(files, "shop", "sqlite:x", "nowhere"); err == nil || !strings.HasPrefix(err.Error(), "no stopover.yaml and no folder nowhere in shop;") {
		t.Errorf("%v", err)
	}
}
