package wire

import (
	"reflect"
	"slices"
	"testing"
)

func inputs() Inputs {
	return Inputs{
		Catalogue: "c1",
		Stores:    []InputStore{{Name: "main", Place: "here", Position: "0041_totals", Sum: "s1"}, {Name: "cache", Place: "there", Sum: "s2"}},
		Steps:     []InputStep{{Step: "main:0042_currency.expand", Sum: "e1"}, {Step: "main:0042_currency.backfill", Sum: "b1"}},
		Fleet:     []Running{{Component: "api", Releases: []string{"1.4", "1.5"}}, {Component: "web"}},
	}
}

func TestInputsNameWhatChanged(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Inputs)
		want   []string
	}{
		{"nothing", func(*Inputs) {}, nil},
		{"the catalogue", func(in *Inputs) { in.Catalogue = "c2" }, []string{"the components, the releases or the soak in stopover.yaml were changed"}},
		{"a store moved", func(in *Inputs) { in.Stores[0].Position = "0042_currency" }, []string{"store main has moved from 0041_totals to 0042_currency"}},
		{"a store moved first", func(in *Inputs) { in.Stores[1].Position = "0001_a" }, []string{"store cache has moved from the beginning to 0001_a"}},
		{"a store elsewhere", func(in *Inputs) { in.Stores[0].Place = "elsewhere" }, []string{"store main is another one: it was here, now it is elsewhere"}},
		{"a store's steps", func(in *Inputs) { in.Stores[0].Sum = "s9" }, []string{"store main is still at 0041_totals, but steps were begun, done or undone, or floors were changed"}},
		{"a store gone and one new", func(in *Inputs) { in.Stores[0].Name = "other" }, []string{"store main is not there any more", "store other is new"}},
		{"an edit", func(in *Inputs) { in.Steps[1].Sum = "b2" }, []string{"step main:0042_currency.backfill was edited"}},
		{"a step more", func(in *Inputs) { in.Steps = append(in.Steps, InputStep{Step: "main:0043_x.expand"}) }, []string{"step main:0043_x.expand is new"}},
		{"a step less", func(in *Inputs) { in.Steps = in.Steps[:1] }, []string{"step main:0042_currency.backfill is not to be done any more"}},
		{"a rollout", func(in *Inputs) { in.Fleet[0].Releases = []string{"1.5"} }, []string{"component api ran 1.4, 1.5, now it runs 1.5"}},
		{"a start", func(in *Inputs) { in.Fleet[1].Releases = []string{"1.5"} }, []string{"component web ran nothing, now it runs 1.5"}},
		{"a component less that ran nothing", func(in *Inputs) { in.Fleet = in.Fleet[:1] }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			was, now := inputs().Seal(), inputs()
			c.change(&now)
			if got := was.Changes(now); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if same := reflect.DeepEqual(inputs(), now); same != (was.Hash == now.Seal().Hash) {
				t.Errorf("the hash says otherwise")
			}
		})
	}
}

func TestInputsEditedByHand(t *testing.T) {
	sealed := inputs().Seal()
	if !sealed.Intact() || sealed.Seal().Hash != sealed.Hash {
		t.Error("a sealed one is not intact")
	}
	sealed.Stores = slices.Clone(sealed.Stores)
	sealed.Stores[0].Position = "0042_currency"
	if sealed.Intact() {
		t.Error("an edited one is")
	}
}
