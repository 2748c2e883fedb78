package main

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestAnonymous(t *testing.T) {
	m := machine{host: "vm", user: "root"}
	for text, want := range map[string]string{
		"$ cd /tmp/stopover-demo-12":                       "$ cd /home/ana/shop",
		"main  file /var/x/stopover-demo-77/shop.db":       "main  file /home/ana/shop/shop.db",
		"$ kill -9 535":                                    "$ kill -9 4711",
		"waiting for the lease of vm (pid 535, root, last": "waiting for the lease of laptop (pid 4711, ana, last",
		"since 2026-11-20 23:47:53 by root on vm":          "since 2026-11-20 23:47:53 by ana on laptop",
	} {
		if got := anonymous(text, m); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestChosen(t *testing.T) {
	got := chosen([]string{
		"   $ cd /home/ana/shop", "", "\x1b[1;36m1  A shop\x1b[0m", "   $ stopover init --yes", "",
		"5  What is found", "   $ stopover verify", "   3 violations", "     id=1, total=1", "     id=2, total=2", "     id=3, total=3",
		"   $ stopover cleanup", "   Not now.", "   next: stopover plan", "",
		"9  The old forms", "   $ stopover cleanup --yes", "   done", "   $ stopover status", "   nothing to do", "",
		"10 The account", "  orders  3  equal", "next: stopover --help", "",
	})
	want := []string{"\x1b[1m$ stopover demo\x1b[0m", "",
		"5  What is found", "   $ stopover verify", "   3 violations", "     id=1, total=1", "     id=2, total=2", "   \x1b[2m...\x1b[0m",
		"   $ stopover cleanup", "   Not now.", "",
		"9  The old forms", "   $ stopover cleanup --yes", "   done", "",
		"10 The account", "  orders  3  equal"}
	if !slices.Equal(got, want) {
		t.Errorf("chosen:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSVG(t *testing.T) {
	picture := svg("a <demo>", []string{"plain \x1b[1;32mbold & green\x1b[0m", strings.Repeat("x", columns), strings.Repeat("y", columns+1)})
	decoder := xml.NewDecoder(strings.NewReader(picture))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for text, there := range map[string]bool{
		`<text x="20.0" y="51" textLength="39.0" fill="#c9d1d9">plain</text>`:                    true,
		`<text x="66.8" y="51" textLength="31.2" fill="#7ee787" font-weight="bold">bold</text>`:  true,
		`<text x="105.8" y="51" textLength="7.8" fill="#7ee787" font-weight="bold">&amp;</text>`: true,
		strings.Repeat("x", columns): true, "yy": false, "\x1b": false,
	} {
		if strings.Contains(picture, text) != there {
			t.Errorf("%q is in the picture: %t, want %t", text, !there, there)
		}
	}
}
