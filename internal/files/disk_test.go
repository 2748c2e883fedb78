package files

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// Disk is os.DirFS for whoever reads through it.
func TestDiskIsAFileSystem(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "a.sql"), "SELECT 1;\n")
	writeFile(t, filepath.Join(dir, "sub", "b.sql"), "SELECT 2;\n")
	if err := fstest.TestFS(Disk(dir), "a.sql", "sub/b.sql"); err != nil {
		t.Error(err)
	}
}

func TestTextReaderReadsWhatAnyReaderReads(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty.sql": "", "short.sql": "SELECT 1;\n",
		"full.sql": strings.Repeat("x", 64<<10), "long.sql": strings.Repeat("y", 200<<10),
	} {
		writeFile(t, filepath.Join(dir, name), text)
	}
	if err := os.Symlink("short.sql", filepath.Join(dir, "link.sql")); err != nil {
		t.Fatal(err)
	}
	reader := textReader{fsys: Disk(dir)}
	for _, name := range []string{"long.sql", "short.sql", "full.sql", "empty.sql", "link.sql", "short.sql"} {
		want, err := fs.ReadFile(os.DirFS(dir), name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := reader.text(name)
		if err != nil || got != string(want) {
			t.Errorf("%s: %d bytes (%v), want %d", name, len(got), err, len(want))
		}
	}
	for _, name := range []string{"none.sql", "../" + filepath.Base(dir) + "/short.sql", "."} {
		_, want := fs.ReadFile(os.DirFS(dir), name)
		if _, err := reader.text(name); err == nil || want == nil || err.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
