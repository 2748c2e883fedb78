package sqlaction

import (
	"testing"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

func TestParseBackfill(t *testing.T) {
	p, err := Parse(sqltext.Postgres, store.Section{File: "f.sql", Line: 3, Shape: store.Stretched, Table: "orders",
		Text: "-- why\nUPDATE shop.orders o SET currency = cur_code WHERE currency IS NULL -- end\n;"})
	if err != nil {
		t.Fatal(err)
	}
	a := p.Action.(*Action)
	want := "-- why\nUPDATE shop.orders o SET currency = cur_code WHERE (currency IS NULL -- end\n) AND (o.id > 1)"
	if got := a.Range.Text("o.id > 1"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if !p.Repeatable || p.Match == nil || p.Match.Statements()[0].Text != "SELECT * FROM shop.orders o WHERE (currency IS NULL -- end\n)" {
		t.Errorf("%+v", p.Match)
	}
}
