package sqlaction

import (
	"errors"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

func TestBooksAreLeftAlone(t *testing.T) {
	for _, d := range []sqltext.Dialect{sqltext.Postgres, sqltext.SQLite} {
		for _, text := range []string{"DELETE FROM stopover_note", "DROP TABLE STOPOVER_NOTE", "UPDATE stopover_note SET value = '{}'",
			"CREATE TABLE stopover_note (a int)", "ALTER TABLE stopover_note ADD COLUMN a int", "INSERT INTO stopover_note VALUES (1)",
			"DROP VIEW stopover_ledger", `TRUNCATE "stopover_note"`, "CREATE INDEX i ON stopover_note (at)"} {
			if d == sqltext.SQLite && strings.HasPrefix(text, "TRUNCATE") {
				continue
			}
			_, err := Parse(d, store.Section{File: "f.sql", Line: 3, Text: text, Shape: store.Whole})
			var wrong *store.SyntaxError
			if !errors.As(err, &wrong) || wrong.Line != 3 || !strings.Contains(wrong.Message, "own books") {
				t.Errorf("%s: %v", text, err)
			}
		}
		if _, err := Parse(d, store.Section{File: "f.sql", Line: 1, Text: "SELECT 1 FROM stopover_note WHERE false", Shape: store.Query}); err != nil {
			t.Errorf("reading them: %v", err)
		}
	}
}
