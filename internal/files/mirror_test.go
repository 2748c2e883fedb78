package files

import (
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/plan"
)

// migration parses a file that is sound.
func migration(t *testing.T, text string) *Migration {
	t.Helper()
	m := &Migration{File: "f.sql"}
	if problems := parseSQL(m, text); len(problems) > 0 {
		t.Fatalf("%q: %v", text, &Problems{List: problems})
	}
	return m
}

const mirrored = `-- stopover: expand needs=1.5
ALTER TABLE orders ADD b text;
-- stopover: mirror table=orders old=a new=b
SELECT 1;
-- stopover: contract
SELECT 2;
`

func TestMirrorDerives(t *testing.T) {
	m := migration(t, mirrored)
	expand := m.Section(plan.Expand, false)
	if expand.Text != "ALTER TABLE orders ADD b text;\n\nSELECT 1;\n" || len(expand.Mirrors) != 1 || expand.Mirrors[0].Line != 3 {
		t.Errorf("the expand is %+v", expand)
	}
	var kinds []string
	for i := range m.Sections {
		kinds = append(kinds, m.Sections[i].Name())
	}
	if got := strings.Join(kinds, " "); got != "expand backfill verify contract" {
		t.Errorf("the sections are %s", got)
	}
	backfill, verify := m.Section(plan.Backfill, false), m.Section(plan.Verify, false)
	if backfill.Text != "UPDATE orders SET b = a WHERE b IS NULL AND a IS NOT NULL;\n" || backfill.Line != 3 || backfill.Table != "orders" || !backfill.Derived {
		t.Errorf("the backfill is %+v", backfill)
	}
	if verify.Text != "SELECT * FROM orders WHERE b IS DISTINCT FROM a AND (b IS NULL OR a IS DISTINCT FROM b);\n" {
		t.Errorf("the verification is %q", verify.Text)
	}
}

func TestMirrorsDeriveTogether(t *testing.T) {
	m := migration(t, `-- stopover: expand
-- stopover: mirror table=orders old=a new=b
-- stopover: mirror table=orders old=c new=d up="upper(c)" down="lower(d)"
-- stopover: backfill needs=1.6 lock_timeout=1s
-- stopover: verify
SELECT 7;
-- stopover: contract
SELECT 2;
`)
	backfill, verify := m.Section(plan.Backfill, false), m.Section(plan.Verify, false)
	want := "UPDATE orders SET b = coalesce(b, a), d = coalesce(d, (upper(c))) WHERE b IS NULL AND a IS NOT NULL OR d IS NULL AND (upper(c)) IS NOT NULL;\n"
	if backfill.Text != want || backfill.Needs != "1.6" || backfill.Directive != 4 {
		t.Errorf("the backfill is %+v", backfill)
	}
	if verify.Text != "SELECT 7;\n" || verify.Derived {
		t.Errorf("the verification is %+v", verify)
	}
}

// TestMirrorIsPartOfTheSum shows that a mirror cannot be edited after its
// expand, that layout does not matter, and that the sums of what is derived
// hang on the declaration alone.
func TestMirrorIsPartOfTheSum(t *testing.T) {
	kinds := []plan.Kind{plan.Expand, plan.Backfill, plan.Verify}
	first := migration(t, mirrored)
	same := migration(t, strings.Replace(mirrored, "mirror table=orders old=a new=b", `mirror  new=b  table="orders" old=a`, 1))
	other := migration(t, strings.Replace(mirrored, "new=b", `new=b up="a" down="b"`, 1))
	without := migration(t, strings.Replace(mirrored, "-- stopover: mirror table=orders old=a new=b", "", 1))
	for _, kind := range kinds {
		sum := first.Section(kind, false).Sum
		if same.Section(kind, false).Sum != sum {
			t.Errorf("layout changes the sum of %s", kind)
		}
		if other.Section(kind, false).Sum == sum {
			t.Errorf("an expression does not change the sum of %s", kind)
		}
	}
	if without.Section(plan.Expand, false).Sum == first.Section(plan.Expand, false).Sum {
		t.Error("an expand with a mirror has the sum of one without")
	}
	if first.Section(plan.Backfill, false).Sum == first.Section(plan.Verify, false).Sum {
		t.Error("backfill and verify have one sum")
	}
}
