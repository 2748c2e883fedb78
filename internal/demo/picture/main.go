// Command picture plays the demo and draws the most telling part of its
// terminal: go run ./internal/demo/picture, in the module's folder, writes
// docs/demo.svg.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strings"
)

func main() {
	out := flag.String("out", "docs/demo.svg", "the picture's `file`")
	in := flag.String("in", "", "draw this `file`, what a demo with --color always wrote, and play none")
	flag.Parse()
	if err := draw(*in, *out); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func draw(in, out string) error {
	shown, err := played(in)
	if err != nil {
		return err
	}
	lines := chosen(strings.Split(strings.TrimRight(anonymous(shown, here()), "\n"), "\n"))
	return os.WriteFile(out, []byte(svg("stopover demo", lines)), 0o644)
}

// played gives what the demo shows.
func played(in string) (string, error) {
	if in != "" {
		text, err := os.ReadFile(in)
		return string(text), err
	}
	play := exec.Command("go", "run", "./cmd/stopover", "demo", "--color", "always")
	play.Stderr = os.Stderr
	text, err := play.Output()
	if err != nil {
		return "", fmt.Errorf("go run ./cmd/stopover demo: %w", err)
	}
	return string(text), nil
}

// machine is what the picture must not show.
type machine struct{ host, user string }

func here() machine {
	var m machine
	if name, err := os.Hostname(); err == nil {
		m.host = name
	}
	if u, err := user.Current(); err == nil {
		m.user = u.Username
	}
	return m
}
