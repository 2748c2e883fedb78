package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// command is a program to be run, timed from its start to its end.
type command struct {
	argv []string
	dir  string
	env  []string // beside this process's own
}

// run runs a command under cmd/measure. Its output goes nowhere but into the
// error, should it fail.
func (s *site) run(ctx context.Context, c command) (sample, error) {
	var out, report bytes.Buffer
	cmd := exec.CommandContext(ctx, s.programs["measure"], c.argv...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), c.env...)
	cmd.Stdout, cmd.Stderr = &report, &out
	if err := cmd.Run(); err != nil {
		return sample{}, fmt.Errorf("%s: %w\n%s", strings.Join(c.argv, " "), err, lastLines(out.String(), 20))
	}
	var got struct{ Wall, CPU, Peak int64 }
	if err := json.Unmarshal(report.Bytes(), &got); err != nil {
		return sample{}, fmt.Errorf("read the report of measure: %w", err)
	}
	return sample{wall: time.Duration(got.Wall), cpu: time.Duration(got.CPU), peak: got.Peak}, nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
