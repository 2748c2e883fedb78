package stopover

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestRowWrittenWhileTheProofIsAsked has a writer in the middle of a transaction
// when a contract is run: the row of the old form that it commits is found, and
// the contract takes nothing away (G4).
func TestRowWrittenWhileTheProofIsAsked(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id {serial}, cur_code text);\nINSERT INTO orders (cur_code) VALUES ('EUR');\n")
	s.finish(t, []string{"init"})
	s.migration("0002_currency", `-- stopover: expand
ALTER TABLE orders ADD COLUMN currency text;
-- stopover: backfill
UPDATE orders SET currency = cur_code WHERE currency IS NULL;
-- stopover: verify
SELECT id FROM orders WHERE currency IS NULL;
-- stopover: contract
ALTER TABLE orders DROP COLUMN cur_code;
`)
	s.finish(t, []string{"apply"})
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("INSERT INTO orders (cur_code) VALUES ('CHF')"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	a := s.app()
	go func() {
		_, err := a.Cleanup(wait(t), CleanupOptions{})
		ended <- err
	}()
	eventually(t, func() bool {
		return s.one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") != "0"
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	var f *Failure
	select {
	case err = <-ended:
	case <-time.After(time.Minute):
		t.Fatal("cleanup does not end")
	}
	if !errors.As(err, &f) || f.Exit != ExitViolated || !strings.Contains(f.Error(), "1 violation") {
		t.Fatalf("cleanup beside the old writer ended with %v", err)
	}
	if got := s.one("SELECT cur_code FROM orders WHERE currency IS NULL"); got != "CHF" {
		t.Errorf("the row of the old form has %q", got)
	}
}
