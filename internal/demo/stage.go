package demo

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
)

// stage shows the play, and keeps it for the document.
type stage struct {
	out   io.Writer // nil: nobody watches
	color bool
	title string // of the act
	count int
	acts  []wire.Act
}

// act begins the next one.
func (s *stage) act(title string) {
	s.count++
	s.title = title
	s.say("\n" + s.paint("1;36", fmt.Sprintf("%-2d %s", s.count, title)))
}

// tell says what happens and why.
func (s *stage) tell(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		s.say("   " + s.paint("3", strings.TrimRight(line, "\n")))
	}
}

// typed shows a command as a user types it.
func (s *stage) typed(command string) {
	s.say("   " + s.paint("1", "$ "+command))
}

// done keeps a command that has ended.
func (s *stage) done(command string, exit int, output string, seconds float64) {
	s.acts = append(s.acts, wire.Act{Title: s.title, Command: command, Exit: exit, Output: escapes.ReplaceAllString(output, ""), Seconds: seconds})
}

// escapes are the colours in an output.
var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

func (s *stage) say(line string) {
	if s.out != nil {
		_, _ = fmt.Fprintln(s.out, line) // whoever watches may look away
	}
}

func (s *stage) paint(ink, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + ink + "m" + text + "\x1b[0m"
}

// screen shows the output of a command line by line as it comes, and keeps all
// of it. Of a long one only the beginning is shown, and how much is not.
type screen struct {
	stage *stage
	most  int // lines shown
	text  strings.Builder
	rest  string // of a line that has not ended
	lines int
}

// Write never fails.
func (s *screen) Write(data []byte) (int, error) {
	s.text.Write(data)
	s.rest += string(data)
	for {
		line, rest, whole := strings.Cut(s.rest, "\n")
		if !whole {
			return len(data), nil
		}
		s.rest = rest
		s.show(line)
	}
}

// passing are lines that a terminal draws over at once: they would only be in
// the way here.
var passing = regexp.MustCompile(` begins$`)

func (s *screen) show(line string) {
	if passing.MatchString(escapes.ReplaceAllString(line, "")) {
		return
	}
	s.lines++
	if s.lines <= s.most {
		s.stage.say("   " + line)
	}
}

// end shows what is left, and says what was not shown.
func (s *screen) end() string {
	if s.rest != "" {
		s.show(s.rest)
		s.rest = ""
	}
	if hidden := s.lines - s.most; hidden > 0 {
		s.stage.say(fmt.Sprintf("   (%d more lines)", hidden))
	}
	return s.text.String()
}
