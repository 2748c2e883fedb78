package demo

import (
	"bytes"
	"fmt"
	"testing"
)

// A long output is shown from its beginning, and how much is missing is said.
// All of it is kept.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := &screen{stage: &stage{out: &out}, most: 2}
	for _, piece := range []string{"main 0001.expand  begins\none", "\ntwo\nthr", "ee\n", "four"} {
		if n, err := s.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got, want := s.end(), "main 0001.expand  begins\none\ntwo\nthree\nfour"; got != want {
		t.Errorf("kept %q, want %q", got, want)
	}
	if got, want := out.String(), "   one\n   two\n   (2 more lines)\n"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 200_000: "200,000", 1_234_567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestPaintsOnlyWhereColoursAre(t *testing.T) {
	for color, want := range map[bool]string{true: "\x1b[1mx\x1b[0m", false: "x"} {
		if got := (&stage{color: color}).paint("1", "x"); got != want {
			t.Errorf("color %t: %s", color, fmt.Sprintf("%q", got))
		}
	}
}
