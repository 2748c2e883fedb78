package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
)

func TestMain(m *testing.M) {
	os.Exit(testserver.Run(m))
}

// TestStory plays it in small: nothing is lost, and every phase is in the table,
// with the application's writes.
func TestStory(t *testing.T) {
	url := testserver.Postgres(t).NewURL(t)
	for range 2 { // the first leaves nothing behind
		var out, errs strings.Builder
		if code := run(t.Context(), []string{"-rows", "20000", "-calm", "300ms", "-report", "500ms"}, url, &out, &errs); code != 0 {
			t.Fatalf("exit code %d: %s\n%s", code, errs.String(), out.String())
		}
		for _, line := range []string{
			`waits for a lock \(attempt 1\) of session \d+`,
			`(?m)^ *old release alone +0\.\d+ +[1-9]\d* +\d+\.\d`,
			`(?m)^ *expand +\d+\.\d+ +[1-9]`,
			`(?m)^ *backfill +\d+\.\d+ +[1-9][\d,]* `,
			`(?m)^ *both releases +0\.\d+ +[1-9]`,
			`(?m)^ *new release alone +0\.\d+ +[1-9]`,
			`\n[1-9]\d* writes acknowledged, 20000 rows compared, 0 lost\.\n$`,
		} {
			if !regexp.MustCompile(line).MatchString(out.String()) {
				t.Errorf("nothing like %s in\n%s", line, out.String())
			}
		}
	}
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][]string{{"-rows", "0"}, {"-rate", "-1"}, {"more"}, {"-nothing"}} {
		var out, errs strings.Builder
		if code := run(t.Context(), args, "", &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%q: exit code %d, %q", args, code, errs.String())
		}
	}
	var out, errs strings.Builder
	if code := run(t.Context(), nil, "postgres://shop:hidden@127.0.0.1:1/shop", &out, &errs); code != 1 || strings.Contains(errs.String(), "hidden") {
		t.Errorf("without a server: exit code %d, %q", code, errs.String())
	}
}
