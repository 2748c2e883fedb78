package files

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// archive reads a case: the files of a project, each below a line
// "-- name --", and what is wanted of them as the last, "want".
func archive(t *testing.T, name string) (files fstest.MapFS, want string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files = fstest.MapFS{}
	var open *fstest.MapFile
	for line := range strings.SplitAfterSeq(string(data), "\n") {
		if file, found := strings.CutSuffix(line, " --\n"); found && strings.HasPrefix(file, "-- ") {
			open = &fstest.MapFile{}
			files[file[3:]] = open
		} else if open != nil {
			open.Data = append(open.Data, line...)
		}
	}
	if w := files["want"]; w != nil {
		want = string(w.Data)
	}
	delete(files, "want")
	return files, want
}

// golden compares, or with -update writes, the part "want" of a case.
func golden(t *testing.T, name, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	if !*update {
		t.Errorf("got\n%s\nwant\n%s", got, want)
		return
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(data), "-- want --\n")
	if err := os.WriteFile(name, []byte(before+"-- want --\n"+got), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestBadInput loads what is wrong in one way each and compares every word of
// the complaint.
func TestBadInput(t *testing.T) {
	cases, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(cases) < 50 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			files, want := archive(t, name)
			_, err := Load(files, "shop/stopover.yaml")
			if err == nil {
				t.Fatal("loaded")
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Error("a secret is shown")
			}
			golden(t, name, err.Error()+"\n", want)
		})
	}
}
