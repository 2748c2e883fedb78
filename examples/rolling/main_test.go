package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// The test binary is the program itself where it is started as one of the
// story's parts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"migrate", "serve", "roll"}, os.Args[1]) {
		main()
	}
	os.Exit(testserver.Run(m))
}

// TestStory plays the upgrade twice, the second time with its death on the way:
// nothing is lost and nothing doubled, and the way is the planned one.
func TestStory(t *testing.T) {
	t.Setenv("DATABASE_URL", "") // private servers
	t.Setenv("REDIS_URL", "")
	for _, args := range [][]string{{}, {"-kill"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var out, errs strings.Builder
			if code := run(t.Context(), args, &out, &errs); code != 0 {
				t.Fatalf("exit code %d: %s\n%s", code, errs.String(), out.String())
			}
			for _, line := range []string{
				`live, 2 stops, 7 rollouts, 11 steps`,
				`(?s)STOP at 1\.5.*STOP at 1\.6`,
				`0044_drop_cur_code\.contract +done`,
				`0003_visits\.contract +done .*500 rows`,
				`\n[1-9]\d* writes made, 0 lost, 0 doubled\.\n$`,
			} {
				if !regexp.MustCompile(line).MatchString(out.String()) {
					t.Errorf("nothing like %s in\n%s", line, out.String())
				}
			}
			if killed := strings.Contains(out.String(), "The upgrade was killed."); killed != (len(args) > 0) {
				t.Errorf("the upgrade was killed: %v\n%s", killed, out.String())
			}
		})
	}
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][]string{{"-nothing"}, {"more"}, {"-every", "0s"}, {"serve", "-what"}} {
		var out, errs strings.Builder
		if code := run(t.Context(), args, &out, &errs); code != 2 {
			t.Errorf("%q: exit code %d, %s", args, code, errs.String())
		}
	}
}
