package ui

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", file, got)
	}
}

func rendered(t *testing.T, doc wire.Document, look Look) string {
	t.Helper()
	var out strings.Builder
	if err := Render(&out, doc, look); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRender(t *testing.T) {
	for name, doc := range samples() {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".txt", rendered(t, doc, Look{}))
			golden(t, name+".json", rendered(t, doc, Look{Format: JSON}))
			if strings.HasPrefix(name, "plan") {
				golden(t, name+".md", rendered(t, doc, Look{Format: Markdown}))
				golden(t, name+".mmd", rendered(t, doc, Look{Format: Mermaid}))
			}
		})
	}
}

func TestRenderVerbose(t *testing.T) {
	all := samples()
	for _, name := range []string{"plan", "status", "list"} {
		golden(t, name+"_verbose.txt", rendered(t, all[name], Look{Verbose: true, Zone: time.FixedZone("CET", 3600)}))
	}
}

// Without the escapes the coloured text is the plain one: columns stay where
// they are.
func TestColoursChangeNothingElse(t *testing.T) {
	for name, doc := range samples() {
		colored := rendered(t, doc, Look{Color: true})
		if !strings.Contains(colored, "\x1b[") && name != "new" && name != "version" && name != "import_out" {
			t.Errorf("%s has no colour", name)
		}
		for _, code := range inks {
			if code != "" {
				colored = strings.ReplaceAll(colored, "\x1b["+code+"m", "")
			}
		}
		if got, want := strings.ReplaceAll(colored, "\x1b[0m", ""), rendered(t, doc, Look{}); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// What a row of somebody's table holds must not reach the terminal as a
// command to it.
func TestNoControlCharacters(t *testing.T) {
	for name, doc := range samples() {
		for _, format := range []Format{Text, JSON, Markdown, Mermaid} {
			out := rendered(t, doc, Look{Format: format})
			if at := strings.IndexFunc(out, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }); at >= 0 {
				t.Errorf("%s as %s: %q", name, format, out[max(0, at-20):at+1])
			}
			for line := range strings.Lines(out) {
				if format == Text && strings.TrimRight(line, " \n") != strings.TrimRight(line, "\n") {
					t.Errorf("%s: blanks at the end of %q", name, line)
				}
			}
		}
	}
}

func TestErrorsGoTheirOwnWay(t *testing.T) {
	var out, errs strings.Builder
	doc := samples()["report_failed"]
	if err := RenderTo(&out, &errs, doc, Look{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "error:") || !strings.Contains(out.String(), "0042_currency.expand") {
		t.Errorf("out:\n%s", out.String())
	}
	if !strings.HasPrefix(errs.String(), "error: main 0042_currency.backfill: ") || !strings.HasSuffix(errs.String(), "next: mend the file, then stopover apply\n") {
		t.Errorf("errs:\n%s", errs.String())
	}
	out.Reset()
	errs.Reset()
	if err := RenderTo(&out, &errs, samples()["report_not_now"], Look{}); err != nil || out.Len() > 0 || !strings.HasPrefix(errs.String(), "Not now. ") {
		t.Errorf("a refusal: %v, out %q, errs %q", err, out.String(), errs.String())
	}
	out.Reset()
	errs.Reset()
	if err := RenderTo(&out, &errs, doc, Look{Format: JSON}); err != nil || errs.Len() > 0 || !strings.HasPrefix(out.String(), "{") {
		t.Errorf("as JSON: %v, out %q, errs %q", err, out.String(), errs.String())
	}
	// What went wrong before there was a plan is no runbook.
	if got := rendered(t, samples()["failure"], Look{Format: Markdown}); !strings.HasPrefix(got, "error: ") {
		t.Errorf("got:\n%s", got)
	}
}

func TestToldReportOnlySumsUp(t *testing.T) {
	got := rendered(t, samples()["report"], Look{Told: true})
	if strings.Contains(got, "0044_geo") || !strings.HasPrefix(got, "2 steps done in 22 min, 3 steps to do, 1 contract later\nSTOP at 1.5\n") {
		t.Errorf("got:\n%s", got)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("pipe closed") }

func TestRenderReportsAFailingWriter(t *testing.T) {
	for _, format := range []Format{Text, JSON, Markdown, Mermaid} {
		if err := Render(closed{}, shopPlan(), Look{Format: format}); err == nil || !strings.HasSuffix(err.Error(), "pipe closed") {
			t.Errorf("%s: got %v", format, err)
		}
	}
}

func TestExcerptOfALongLine(t *testing.T) {
	line := strings.Repeat("a", 150) + "X" + strings.Repeat("b", 150)
	text, column := excerpt(line, 151)
	if !strings.HasPrefix(text, "... a") || !strings.HasSuffix(text, "b ...") || len(text) > excerptWidth+8 {
		t.Errorf("got %q", text)
	}
	if column < 1 || text[column-1] != 'X' {
		t.Errorf("the caret is at %d of %q", column, text)
	}
	if text, column := excerpt("short", 9); text != "short" || column != 0 {
		t.Errorf("beyond the line: %q, %d", text, column)
	}
	if text, column := excerpt("short", 0); text != "short" || column != 0 {
		t.Errorf("unknown: %q, %d", text, column)
	}
	if text, column := excerpt("äöü x", 5); text != "äöü x" || column != 5 {
		t.Errorf("by characters: %q, %d", text, column)
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		exact(0): "0", exact(999): "999", exact(1000): "1,000", exact(-41_000_000): "-41,000,000",
		about(853): "853", about(31_000): "31k", about(3_140): "3.1k", about(41_000_000): "41 M", about(15_700_000): "15.7 M",
		about(999_960): "1 M", about(123_456_789): "123 M", about(2e9): "2 bn", about(0.4): "0",
		span(0): "< 1 s", span(0.99): "< 1 s", span(1): "1 s", span(99.4): "99 s", span(100): "2 min", span(840): "14 min",
		span(3000): "50 min", span(7200): "2 h", span(7500): "2 h 5 min", span(48 * 3600): "2 d", span(50 * 3600): "2 d 2 h",
		hours(86400): "24 h", hours(90): "90 s", hours(5400): "90 min", hours(30 * 86400): "30 d",
		size(812): "812 B", size(40_000_000): "40 MB", size(1_200_000_000): "1.2 GB", size(1500): "1.5 kB", size(3e12): "3 TB",
		many(1, "step"): "1 step", many(0, "step"): "0 steps", many(1200, "step"): "1,200 steps", rows(1): "1 row", rows(2): "2 rows",
		sentence(""): "", sentence("it is."): "It is.", sentence("änd"): "Änd.",
		fmt.Sprint(between([]string{"1", "2", "3", "4"})): "1 to 4", between([]string{"1", "2"}): "1, 2",
		wayBack(back("a", "", "b", "")): "only what runs", wayBack(back("a", "", "b", "1")): "b 1", wayBack(nil): "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
