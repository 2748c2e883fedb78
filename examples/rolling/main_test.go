package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// build builds the program as anyone does: the story starts it sixty times, and
// with the race detector each start takes more than a second.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "rolling")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// TestStory plays the upgrade twice, the second time with its death on the way:
// nothing is lost and nothing doubled, and the way is the planned one.
func TestStory(t *testing.T) {
	program := build(t)
	for _, args := range [][]string{{}, {"-kill"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var out, errs strings.Builder
			cmd := exec.CommandContext(t.Context(), program, args...)
			cmd.Env = append(os.Environ(), "DATABASE_URL=", "REDIS_URL=") // private servers
			cmd.Stdout, cmd.Stderr = &out, &errs
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v: %s\n%s", err, errs.String(), out.String())
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
	program := build(t)
	for _, args := range [][]string{{"-nothing"}, {"more"}, {"-every", "0s"}, {"serve", "-what"}} {
		var exit *exec.ExitError
		out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		if !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%q: %v, %s", args, err, out)
		}
	}
}
