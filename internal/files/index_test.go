package files

import (
	"testing"

	"github.com/stopover-dev/stopover/plan"
)

func TestIndexReadsWhatPeopleType(t *testing.T) {
	_, index, _ := loadShop(t).Catalogue()
	for ref, want := range map[string]string{
		"main:0042_currency.backfill": "main:0042_currency.backfill",
		"main:0042.contract":          "main:0042_currency.contract",
		"main:42.verify":              "main:0042_currency.verify",
		"cache:7.cutover":             "cache:0007_hashtag.cutover",
	} {
		id, err := index.Step(ref)
		if err != nil || id.Ref() != want {
			t.Errorf("%s: %s, %v", ref, id.Ref(), err)
		}
	}
	if id, err := index.Step("main:0042"); err != nil || id != (plan.StepID{Store: "main", Migration: "0042_currency"}) {
		t.Errorf("%+v, %v", id, err)
	}
	for ref, want := range map[string]string{
		"0042":                      `"0042" is not STORE:MIGRATION or STORE:MIGRATION.STEP`,
		"mian:0042":                 `no store "mian", did you mean main?`,
		"mian:0042.expand":          "no store \"mian\", did you mean main?; see `stopover list`",
		"main:0043":                 `store main has no migration "0043"`,
		"main:0042_curency":         `store main has no migration "0042_curency", did you mean 0042_currency?`,
		"main:0042_currency.expnad": "\"expnad\" is no step, did you mean expand?; see `stopover list`",
		"main:0041_orders.verify":   "0041_orders has no verify; see `stopover list`",
	} {
		if _, err := index.Step(ref); err == nil || err.Error() != want {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestIndexLeadsBack(t *testing.T) {
	p := loadShop(t)
	p.Releases = p.Releases[:2]
	_, index, _ := p.Catalogue("1.4.7")
	if index.ID(0) != "1.4" || index.ID(plan.NoRelease) != "" || index.Any(0) != "any 1.4.x" || index.Any(1) != "" {
		t.Errorf("%q %q %q", index.ID(0), index.Any(0), index.Any(1))
	}
	if got := index.Range(0, 2); got != "1.4 to 1.5" || index.Range(2, 2) != "1.5" {
		t.Error(got)
	}
	if got := index.Newest(9); len(got) != 2 || got[0] != "1.4" || got[1] != "1.5" {
		t.Errorf("%v", got)
	}
	id := plan.StepID{Store: "main", Migration: "0042_currency", Kind: plan.Verify}
	if m, s := index.Section(id); m == nil || s == nil || s.Kind != plan.Verify {
		t.Error("no section")
	}
	if got := index.Place(id).String(); got != "shop/migrations/main/y/0042_currency.sql:7" {
		t.Error(got)
	}
	id.Migration = "0042_other"
	if m, _ := index.Section(id); m != nil || index.Place(id) != (Place{}) {
		t.Error("found what is not there")
	}
	if len(index.Migrations("main")) != 2 {
		t.Error("migrations")
	}
}

// TestMigrationsInGo puts one between files, as the root package does.
func TestMigrationsInGo(t *testing.T) {
	p := loadShop(t)
	section := Section{Kind: plan.Expand, Sum: "go:1", Needs: "1.10"}
	p.Migrations = append(p.Migrations,
		Migration{Store: "main", Name: "0041_orders_more", File: "more in Go", Sections: []Section{section}},
		Migration{Store: "main", Name: "0042_currency", File: "currency in Go", Sections: []Section{section}},
		Migration{Store: "nowhere", Name: "0001_x", File: "x in Go"})
	cat, _, problems := p.Catalogue()
	if cat.Steps[1].ID.Migration != "0041_orders_more" {
		t.Errorf("%v", cat.Steps)
	}
	var got string
	for i := range problems {
		got += problems[i].Error() + "\n"
	}
	want := "currency in Go: a second migration 0042_currency, the first is shop/migrations/main/y/0042_currency.sql; rename one: the name is what the ledger knows a migration by\n" +
		"more in Go: 0041_orders_more has the same number as 0041_orders, and nothing says which comes first; give the newer one the next number, or write `-- stopover: migration after=0041_orders` into it\n" +
		"x in Go: migration 0001_x is for a store \"nowhere\" that the project does not have\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
