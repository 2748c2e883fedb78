package files

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// TestStrongestLayerWins takes the layers away one by one.
func TestStrongestLayerWins(t *testing.T) {
	env := map[string]string{"STOPOVER_LOCK_WAIT": "2m", "STOPOVER_EMPTY": "", "A": "env"}
	l := Layers{
		Flags:    map[string]string{"lock-wait": "1m"},
		Env:      lookupIn(env),
		DotEnv:   map[string]string{"STOPOVER_LOCK_WAIT": "3m", "STOPOVER_EMPTY": "dot", "A": "dot", "B": "dot"},
		File:     map[string]string{"lock_wait": "4m"},
		Defaults: map[string]string{"lock-wait": "5m"},
	}
	check := func(want Setting) {
		t.Helper()
		if got, found := l.Find("lock-wait"); !found || got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	check(Setting{"1m", "--lock-wait"})
	l.Flags = nil
	check(Setting{"2m", "STOPOVER_LOCK_WAIT"})
	if got, _ := l.Find("empty"); got.Value != "dot" {
		t.Errorf("an empty variable counts: %+v", got)
	}
	if a, _ := l.Variable("A"); a != "env" {
		t.Errorf("A is %q", a)
	}
	if b, _ := l.Variable("B"); b != "dot" {
		t.Errorf("B is %q", b)
	}
	l.Env = nil
	check(Setting{"3m", "STOPOVER_LOCK_WAIT in .env"})
	l.DotEnv = nil
	check(Setting{"4m", "lock_wait in stopover.yaml"})
	l.File = nil
	check(Setting{"5m", "default"})
	l.Defaults = nil
	if got, found := l.Find("lock-wait"); found {
		t.Errorf("from nowhere: %+v", got)
	}
	if _, found := l.Variable("A"); found {
		t.Error("a variable from nowhere")
	}
}

func TestDotEnv(t *testing.T) {
	read := func(text string) (map[string]string, error) {
		return DotEnv(fstest.MapFS{".env": {Data: []byte(text)}})
	}
	values, err := read("# shop\nexport STOPOVER_DOTENV_TEST=\"a b\"\nB=c\n")
	if err != nil || values["STOPOVER_DOTENV_TEST"] != "a b" || values["B"] != "c" {
		t.Errorf("%v, %v", values, err)
	}
	if _, set := os.LookupEnv("STOPOVER_DOTENV_TEST"); set {
		t.Error("the process's environment was changed")
	}
	if values, err = DotEnv(fstest.MapFS{}); err != nil || values != nil {
		t.Errorf("no file: %v, %v", values, err)
	}
	_, err = read("A=1\n" + canary + " is the password\nC=2\n")
	if want := ".env:2: not understood; write lines of the form NAME=value"; err == nil || err.Error() != want || strings.Contains(err.Error(), canary) {
		t.Errorf("%v", err)
	}
}
