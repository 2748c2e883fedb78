package ui

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestConfirm(t *testing.T) {
	for input, want := range map[string]Answer{
		"y\n": Yes, "Y\n": Yes, "yes\r\n": Yes, " YES \n": Yes, "y": Yes,
		"n\n": No, "\n": No, "yep\n": No, "no": No, "": Nobody, strings.Repeat("y", 5000): No,
	} {
		var out strings.Builder
		got, err := Confirm(strings.NewReader(input), &out, "Run 1 contract?")
		if err != nil || got != want {
			t.Errorf("%.20q: got %v, %v, want %v", input, got, err, want)
		}
		if out.String() != "Run 1 contract? [y/N] " {
			t.Errorf("asked %q", out.String())
		}
	}
}

func TestConfirmName(t *testing.T) {
	for input, want := range map[string]Answer{"shop\n": Yes, "y\n": No, "Shop\n": No, "": Nobody} {
		var out strings.Builder
		got, err := ConfirmName(strings.NewReader(input), &out, "This removes data.", "shop")
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", input, got, err, want)
		}
		if out.String() != "This removes data.\nType \"shop\" to go on: " {
			t.Errorf("asked %q", out.String())
		}
	}
}

// The second question must find its answer where the first one stopped.
func TestConfirmTwice(t *testing.T) {
	in := strings.NewReader("y\nn\nrest")
	first, _ := Confirm(in, io.Discard, "a?")
	second, _ := Confirm(in, io.Discard, "b?")
	rest, _ := io.ReadAll(in)
	if first != Yes || second != No || string(rest) != "rest" {
		t.Errorf("got %v, %v, and %q is left", first, second, rest)
	}
}

// An input without an end (/dev/zero, "yes" without lines) is no answer.
func TestConfirmEndsByItself(t *testing.T) {
	in := strings.NewReader(strings.Repeat("y", 5000))
	if got, err := Confirm(in, io.Discard, "a?"); got != No || err != nil || in.Len() != 5000-longestAnswer {
		t.Errorf("got %v, %v, and %d bytes are left", got, err, in.Len())
	}
}

func TestConfirmFails(t *testing.T) {
	if got, err := Confirm(iotest.ErrReader(errors.New("gone")), io.Discard, "a?"); got != Nobody || fmt.Sprint(err) != "read the answer: gone" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := Confirm(strings.NewReader("y\n"), closed{}, "a?"); got != Nobody || fmt.Sprint(err) != "ask: pipe closed" {
		t.Errorf("got %v, %v", got, err)
	}
}
