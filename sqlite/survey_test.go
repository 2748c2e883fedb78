package sqlite

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

func TestLookingDoesNotMakeAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.db")
	s := opened(t, "sqlite:"+file)
	view, err := s.Look(t.Context())
	if err != nil || len(view.Notes) != 0 || view.Now.IsZero() {
		t.Errorf("look: %+v, %v", view, err)
	}
	survey, err := s.Survey(t.Context())
	if err != nil || !survey.Empty || survey.Stamped || !strings.Contains(survey.Place, "not there yet") {
		t.Errorf("survey: %+v, %v", survey, err)
	}
	if lines, err := s.Describe(t.Context()); err != nil || len(lines) != 0 {
		t.Errorf("describe: %q, %v", lines, err)
	}
	if _, err := s.Swap(t.Context(), nil, store.Note{Key: "a", Value: []byte(`1`)}); !errors.Is(err, errNoBooks) {
		t.Errorf("swap: %v, want that there are no books", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a file now: %v", err)
	}
}

func TestAWrongPlaceIsNamed(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database at all ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"sqlite:" + filepath.Join(folder, "none", "shop.db"): "no folder " + filepath.Join(folder, "none"),
		"sqlite:" + folder: "is a folder",
		"sqlite:" + text:   "not a SQLite database",
	} {
		s := opened(t, url)
		_, surveyErr := s.Survey(t.Context())
		_, lookErr := s.Look(t.Context())
		for call, err := range map[string]error{"Survey": surveyErr, "Look": lookErr, "Prepare": s.Prepare(t.Context())} {
			unreachable, ok := errors.AsType[*store.UnreachableError](err)
			if !ok || !strings.Contains(unreachable.Error(), want) {
				t.Errorf("%s of %s: %v, want an UnreachableError about %q", call, url, err, want)
			}
		}
	}
}

func TestEvidenceShowsWhatIsThere(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE zebra (a);
CREATE TABLE orders (id INTEGER PRIMARY KEY);
INSERT INTO orders WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 10500;
INSERT INTO orders VALUES (41000);
CREATE INDEX by_a ON zebra (a);
CREATE VIEW v AS SELECT a FROM zebra`)
	survey, err := s.Survey(t.Context())
	want := []string{"table orders (about 41,000 rows)", "table zebra (0 rows)", "index by_a", "view v"}
	if err != nil || survey.Empty || !slices.Equal(survey.Evidence, want) {
		t.Errorf("evidence %q, error %v, want %q", survey.Evidence, err, want)
	}
	for _, name := range strings.Split("abcdefghijklmnopqrstu", "") {
		run(t, s, `CREATE TABLE `+name+name+` (a)`)
	}
	survey, err = s.Survey(t.Context())
	if err != nil || len(survey.Evidence) != 20 || survey.Evidence[19] != "and 6 more" {
		t.Errorf("evidence of 25 objects: %q, error %v", survey.Evidence, err)
	}
}

// TestRightsOfAnotherUser runs itself again as a user who may not write.
func TestRightsOfAnotherUser(t *testing.T) {
	if folder := os.Getenv("STOPOVER_TEST_READONLY"); folder != "" {
		checkReadOnly(t, folder)
		return
	}
	// Not below t.TempDir, which only this user may enter.
	folder, err := os.MkdirTemp("/tmp", "stopover-rights-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	s := opened(t, "sqlite:"+filepath.Join(folder, "shop.db"))
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(folder, "test")
	copyFile(t, os.Args[0], binary)
	for path, mode := range map[string]os.FileMode{filepath.Join(folder, "shop.db"): 0o444, binary: 0o755, folder: 0o555} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	child := exec.Command(binary, "-test.run=^TestRightsOfAnotherUser$", "-test.v")
	child.Dir = "/"
	child.Env = append(os.Environ(), "STOPOVER_TEST_READONLY="+folder, "TMPDIR=/tmp")
	if os.Getuid() == 0 { // root may write everywhere
		child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("as another user: %v\n%s", err, out)
	}
	_ = os.Chmod(folder, 0o755)
}

func checkReadOnly(t *testing.T, folder string) {
	s := opened(t, "sqlite:"+filepath.Join(folder, "shop.db"))
	survey, err := s.Survey(t.Context())
	if err != nil || !survey.Stamped || !survey.ReadOnly || len(survey.Missing) != 2 {
		t.Errorf("survey %+v, error %v, want read only with two rights missing", survey, err)
	}
	if _, err := s.Look(t.Context()); err != nil {
		t.Errorf("look: %v", err)
	}
	wantRights(t, "swap", second(s.Swap(t.Context(), nil, store.Note{Key: "a", Value: []byte(`1`)})))
	wantRights(t, "do", second(s.Do(t.Context(), store.Task{Action: act(store.Whole, `CREATE TABLE t (a)`)})))
	other := opened(t, "sqlite:"+filepath.Join(folder, "other.db"))
	wantRights(t, "prepare", other.Prepare(t.Context()))
	survey, err = other.Survey(t.Context())
	if err != nil || !survey.ReadOnly || len(survey.Missing) != 1 {
		t.Errorf("survey of a missing file: %+v, error %v", survey, err)
	}
}

func TestAFileOpenedForReadingOnly(t *testing.T) {
	s := prepared(t, "")
	ro := opened(t, "sqlite:"+s.place.file+"?mode=ro")
	survey, err := ro.Survey(t.Context())
	if err != nil || !survey.ReadOnly {
		t.Errorf("survey %+v, error %v", survey, err)
	}
	wantRights(t, "swap", second(ro.Swap(t.Context(), nil, store.Note{Key: "a", Value: []byte(`1`)})))
}

func wantRights(t *testing.T, call string, err error) {
	t.Helper()
	if _, ok := errors.AsType[*store.RightsError](err); !ok {
		t.Errorf("%s: %v, want a RightsError", call, err)
	}
}

func second[T any](_ T, err error) error { return err }

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// run performs statements as a task that must succeed.
func run(t *testing.T, s *Store, text string) {
	t.Helper()
	if _, err := s.Do(t.Context(), store.Task{Action: act(store.Whole, text)}); err != nil {
		t.Fatal(err)
	}
}
