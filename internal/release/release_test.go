package release

import (
	"slices"
	"strings"
	"testing"
)

// read parses with an order that was picked from the text alone.
func read(t *testing.T, text string) ID {
	t.Helper()
	id, err := Order{}.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestOlderStandsBeforeNewer(t *testing.T) {
	for _, line := range []string{
		"1.9.0 1.10.0 2.0.0",
		"0.8.0rc1 0.8.0 0.8.1",
		"1.0.0.dev2 1.0.0.dev10 1.0.0a1 1.0.0b1 1.0.0rc1 1.0.0rc2.dev1 1.0.0rc2 1.0.0rc10 1.0.0 1.0.0.post1 1.0.1",
		"1.5.0-rc2 1.5.0-rc10 1.5.0",
		"1.5.0-alpha 1.5.0-alpha.1 1.5.0-beta 1.5.0-rc.1 v1.5.0",
		"1.4.0 1.4.0-3-gabc1234 1.4.0-12-gabc1234 1.4.1",
		"v1.2.3 V1.2.4 1.3 2",
		"9 10 1565 20000000",
		"2026-04-30 20260501 2026-05-02",
		"18446744073709551614 18446744073709551615",
	} {
		ids := strings.Fields(line)
		order, err := OrderOf(ids)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		for i := range ids {
			for j := range ids {
				a, errA := order.Parse(ids[i])
				b, errB := order.Parse(ids[j])
				if errA != nil || errB != nil {
					t.Fatalf("%s: %v %v", line, errA, errB)
				}
				want := 0
				if i < j {
					want = -1
				} else if i > j {
					want = 1
				}
				if got := Compare(a, b); got != want {
					t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, want)
				}
			}
		}
	}
}

func TestSameReleaseWrittenInTwoWays(t *testing.T) {
	for _, pair := range [][2]string{
		{"1.5.0", "v1.5.0"}, {"1.5", "1.5.0"}, {"1.0.0rc1", "1.0.0-rc.1"}, {"1.0.0-rc1", "1.0.0-rc.1"},
		{"1.28.2+k3s1", "1.28.2"}, {"01.5.0", "1.5.0"}, {"2026-05-01", "20260501"}, {"0042", "42"},
	} {
		if a, b := read(t, pair[0]), read(t, pair[1]); Compare(a, b) != 0 {
			t.Errorf("%s and %s differ", a, b)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		short, full string
		want        bool
	}{
		{"1.5", "1.5.3", true}, {"1.5", "1.5", true}, {"1.5", "1.5.0-rc1", true}, {"1.5", "1.6.0", false},
		{"1.5", "1.50.0", false}, {"v1", "1.5", true}, {"v1", "1.5.3", true}, {"1.5", "v1", false}, {"1.0", "v1", false},
		{"1.5.3", "1.5.3", true}, {"1.5.3", "1.5.30", false}, {"1.5.3", "1.5.3-rc1", false}, {"1.5.3", "v1.5.3+k3s1", true},
		{"1565", "1565", true}, {"1565", "1566", false},
	} {
		if got := Covers(read(t, c.short), read(t, c.full)); got != c.want {
			t.Errorf("Covers(%s, %s) = %v", c.short, c.full, got)
		}
	}
}

func TestMeets(t *testing.T) {
	for _, c := range []struct {
		release, floor string
		want           bool
	}{
		{"1.5.3", "1.5", true}, {"1.5", "1.5.0", true}, {"1.4.9", "1.5", false}, {"1.10.0", "1.9", true},
		{"1.5.0-rc1", "1.5.0", true}, {"1.5.0-rc1", "1.5", true}, {"0.8.0rc1", "0.8.0", true},
		{"1.5.0-rc1", "1.5.0-rc2", false}, {"1.5.0-rc1", "1.5.1", false}, {"1.5.1-rc1", "1.5.0", true},
		{"1.5", "1.5.3", false}, {"1.4.0-3-gabc1234", "1.4.0", true}, {"1.0.0-rc1", "1.0.0.post1", false},
		{"1564", "1565", false}, {"2026-05-02", "2026-05-01", true},
	} {
		if got := Meets(read(t, c.release), read(t, c.floor)); got != c.want {
			t.Errorf("Meets(%s, %s) = %v", c.release, c.floor, got)
		}
	}
}

func TestDevelopmentBuilds(t *testing.T) {
	for text, want := range map[string]bool{
		"1.5.0": false, "1.5.0-rc.1": false, "0.8.0rc1": false, "1.28.2+k3s1": false, "1.0.post1": false, "1565": false,
		"2.0.0+incompatible": false, "1.5.0.dev3": true, "1.5.0-dev": true, "1.5.0-SNAPSHOT": true, "1.5.0+dirty": true,
		"0.9.0.dev3+gabc1234": true, "0.9.0+gabc1234.d20260501": true, "1.4.0-3-gabc1234": true, "1.4.0-0-gabc1234": false,
		"1.4.0-dirty": true, "0.9.0+gabc1234": true, "v0.0.0-20260501120000-abcdef123456": true, "v1.2.4-0.20260501120000-abcdef123456": true,
		"(devel)": true, "dev": true, "head": true, "": true,
	} {
		if got := Development(text); got != want {
			t.Errorf("Development(%q) = %v", text, got)
		}
	}
	if !read(t, "0.9.0.dev3").Development() || read(t, "0.9.0").Development() {
		t.Error("ID.Development")
	}
}

func TestSchemeIsPickedForAll(t *testing.T) {
	for _, c := range []struct {
		ids  string
		want Scheme
	}{
		{"1.9 2", Version}, {"2 3", Number}, {"1564 1565", Number}, {"20260501 20260601", Date}, {"20260501 7", Number},
		{"2026-05-01 20260601", Date}, {"2026.1 2026", Version}, {"1.5.0", Version},
	} {
		order, err := OrderOf(strings.Fields(c.ids))
		if err != nil || order.Scheme() != c.want {
			t.Errorf("%s: %v, %v", c.ids, order.Scheme(), err)
		}
	}
}

func TestBadIDsAreNamed(t *testing.T) {
	for _, c := range []struct{ ids, want string }{
		{"1.4 1565", "releases 1.4 and 1565 are of different kinds: use versions (1.5, 1.5.3), numbers (1565) or dates (2026-05-01) for all of them"},
		{"1.4 1.5 2026-05-01", "releases 1.4 and 2026-05-01 are of different kinds: use versions (1.5, 1.5.3), numbers (1565) or dates (2026-05-01) for all of them"},
		{"1.4 latest", `"latest" is not a release: write a version (1.5.3), a number (1565) or a date (2026-05-01)`},
		{"2026-05-01 2026-13-01", `"2026-13-01" is not a release: write a version (1.5.3), a number (1565) or a date (2026-05-01)`},
	} {
		_, err := OrderOf(strings.Fields(c.ids))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v", c.ids, err)
		}
	}
	for ids, want := range map[string]string{
		"1.4":        `"x" is not a release: versions are written like 1.5, 1.5.3 or 1.6.0-rc.1`,
		"1565":       `"x" is not a release: releases here are whole numbers like 1565`,
		"2026-05-01": `"x" is not a release: releases here are dates like 2026-05-01`,
	} {
		order, err := OrderOf([]string{ids})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = order.Parse("x"); err == nil || err.Error() != want {
			t.Errorf("%s: %v", ids, err)
		}
	}
	for _, text := range []string{"", " ", "v", "1.", "1..2", ".1", "1.2.3.4", "1.5.0-", "1.5.0+", "1.5.0-rc..1", "1.5 ", "-1", "1.5x", "99999999999999999999.1", "1.5.0-rc99999999999999999999"} {
		if id, err := (Order{}).Parse(text); err == nil {
			t.Errorf("%q was taken for %v release %v", text, id.Scheme(), id)
		}
	}
}

func TestShortIDs(t *testing.T) {
	for text, want := range map[string]bool{"1.5": true, "2": false, "v3": true, "1.5.0": false, "1.5-rc1": false, "1565": false} {
		if got := read(t, text).Short(); got != want {
			t.Errorf("%s: Short = %v", text, got)
		}
	}
}

// FuzzParse looks for panics, and for ids whose order depends on who is asked
// first.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"1.5", "v1.5.0-rc.1+x", "0.8.0rc1.post2.dev3", "1.4.0-3-gabc1234-dirty", "2026-05-01", "42"} {
		f.Add(seed, "1.5.0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		Development(a)
		order, err := OrderOf([]string{a, b})
		if err != nil {
			return
		}
		x, errX := order.Parse(a)
		y, errY := order.Parse(b)
		if errX != nil || errY != nil {
			t.Fatalf("%q fits no more: %v %v", []string{a, b}, errX, errY)
		}
		if Compare(x, y) != -Compare(y, x) || Compare(x, x) != 0 || !Meets(x, x) || !Covers(x, x) {
			t.Fatalf("%q and %q are in no order", a, b)
		}
		if Compare(x, y) >= 0 && !Meets(x, y) {
			t.Fatalf("%q does not meet %q", a, b)
		}
	})
}

func TestSortIsStableUnderShuffling(t *testing.T) {
	ids := []ID{read(t, "1.10.0"), read(t, "1.9"), read(t, "1.9.0rc1"), read(t, "v1.9.5")}
	slices.SortFunc(ids, Compare)
	var got []string
	for _, id := range ids {
		got = append(got, id.String())
	}
	if want := "1.9.0rc1 1.9 v1.9.5 1.10.0"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}
