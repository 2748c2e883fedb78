package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

func TestURLsNameFiles(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:shop.db":                               "/base/shop.db",
		"sqlite:data/shop.db":                          "/base/data/shop.db",
		"sqlite://shop.db":                             "/base/shop.db",
		"sqlite:///abs/shop.db":                        "/abs/shop.db",
		"sqlite:/abs/shop.db":                          "/abs/shop.db",
		"sqlite3:///abs/shop.db":                       "/abs/shop.db",
		"sqlite:shop%20one.db?_pragma=foreign_keys(1)": "/base/shop one.db",
		"file:shop.db?mode=ro":                         "/base/shop.db",
		"file:///abs/shop.db#part":                     "/abs/shop.db",
		"file://localhost/abs/shop.db":                 "/abs/shop.db",
		"../shop.db":                                   "/shop.db",
		"/abs/100%?.db":                                "/abs/100%?.db",
	} {
		p, err := parsePlace(url, "/base")
		if err != nil || p.file != want {
			t.Errorf("%s: file %q, error %v, want %q", url, p.file, err, want)
		}
	}
}

func TestURLsThatNameNoFileAreRefused(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:":                    "names no file",
		"sqlite::memory:":            "memory",
		":memory:":                   "memory",
		"file::memory:?cache=shared": "memory",
		"file:shop.db?mode=memory":   "memory",
		"sqlite:a%zz.db":             "file name",
		"sqlite:a.db?_pragma=%zz":    "settings",
	} {
		if _, err := parsePlace(url, "/base"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one about %q", url, err, want)
		}
	}
	_, err := Kind().Open(t.Context(), store.Settings{Name: "main", URL: "sqlite:a.db", Options: map[string]string{"schema": "shop"}})
	if err == nil || !strings.Contains(err.Error(), `"schema"`) {
		t.Errorf("a setting that SQLite has not: %v", err)
	}
}

func TestNamesWithSignsOfURLsAreOpened(t *testing.T) {
	for _, name := range []string{"a b.db", "100%.db", "what?.db", "number#1.db", "ünï.db", "a'b\"c.db"} {
		file := filepath.Join(t.TempDir(), name)
		s := opened(t, file)
		if err := s.Prepare(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(file); err != nil {
			t.Errorf("%s was opened as something else: %v", name, err)
		}
	}
}

// opened opens a store that is closed at the end of the test.
func opened(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Kind().Open(context.Background(), store.Settings{Name: "main", URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.(*Store)
}

// prepared opens a store with books in a file of its own.
func prepared(t *testing.T, query string) *Store {
	t.Helper()
	s := opened(t, "sqlite:"+filepath.Join(t.TempDir(), "shop.db")+query)
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
