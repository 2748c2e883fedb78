package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/store"
)

const killRounds = 20

// TestKilledAtAnyMoment lets a child do tasks, batches and stretches in a loop,
// kills it at a random moment, and compares what the data says with what the
// notes say.
func TestKilledAtAnyMoment(t *testing.T) {
	if file := os.Getenv("STOPOVER_TEST_VICTIM"); file != "" {
		beVictim(t, file)
		return
	}
	random := rand.New(rand.NewPCG(42, 6))
	for _, query := range []string{"", "?_pragma=journal_mode(WAL)"} {
		s := prepared(t, query)
		run(t, s, `CREATE TABLE tag (name TEXT PRIMARY KEY);
CREATE TABLE item (id INTEGER PRIMARY KEY, touched INTEGER NOT NULL DEFAULT 0);
INSERT INTO item (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 50`)
		worked := 0
		for round := range killRounds / 2 {
			kill(t, s.place.file, time.Duration(random.IntN(25_000))*time.Microsecond)
			worked = checkAfterKill(t, s, round)
		}
		if worked == 0 {
			t.Error("the victims did nothing before they were killed")
		}
	}
}

func kill(t *testing.T, file string, after time.Duration) {
	t.Helper()
	victim := exec.Command(os.Args[0], "-test.run=^TestKilledAtAnyMoment$")
	victim.Env = append(os.Environ(), "STOPOVER_TEST_VICTIM="+file)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	// It says when it begins: its start takes longer than the whole round.
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Errorf("the victim did not begin: %v", err)
	}
	time.Sleep(after)
	_ = victim.Process.Kill()
	_ = victim.Wait()
}

// beVictim works until it is killed.
func beVictim(t *testing.T, file string) {
	s := opened(t, "sqlite:"+file)
	if _, err := s.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Println("begin")
	tag := func(i int) store.Task {
		name := fmt.Sprintf("%d-%d", os.Getpid(), i)
		return store.Task{Action: act(store.Whole, inserts2(name)), Record: recorded("done/" + name)}
	}
	for i := 0; ; i += 10 {
		if _, err := s.Do(t.Context(), tag(i)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DoAll(t.Context(), []store.Task{tag(i + 1), tag(i + 2), tag(i + 3)}); err != nil {
			t.Fatal(err)
		}
		if err := stretchOnce(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func inserts2(name string) string {
	return fmt.Sprintf("INSERT INTO tag VALUES ('%s a'); INSERT INTO tag VALUES ('%s b')", name, name)
}

// stretchOnce goes on from the cursor in the note, from the begin at the end.
func stretchOnce(ctx context.Context, s *Store) error {
	view, err := s.Look(ctx, "cursor")
	if err != nil {
		return err
	}
	var cursor []byte
	if len(view.Notes) == 1 {
		cursor = view.Notes[0].Value
	}
	_, err = s.Do(ctx, store.Task{Action: act(store.Stretched, `UPDATE item SET touched = touched + 1`), Cursor: cursor, Size: 7, Record: func(p store.Progress) []store.Note {
		return []store.Note{{Key: "cursor", Rev: store.Any, Value: p.Cursor}} // at the end nil: deleted
	}})
	return err
}

// checkAfterKill gives the number of tasks done so far.
func checkAfterKill(t *testing.T, s *Store, round int) int {
	t.Helper()
	view, err := s.Look(t.Context(), "done/")
	if err != nil {
		t.Fatal(err)
	}
	var noted []string
	for _, n := range view.Notes {
		name := n.Key[len("done/"):]
		noted = append(noted, name+" a", name+" b")
	}
	slices.Sort(noted)
	if tags := ask[string](t, s, `SELECT name FROM tag ORDER BY name`); !slices.Equal(tags, noted) {
		t.Errorf("round %d: %d tags, the notes tell of %d", round, len(tags), len(noted))
	}
	// Rows up to the cursor were touched once more than those behind it.
	borders := ask[int](t, s, `SELECT count(*) FROM (SELECT touched, lag(touched) OVER (ORDER BY id) AS before FROM item) WHERE touched <> before`)
	border := ask[string](t, s, `SELECT coalesce((SELECT json_array('' || a.id) FROM item a JOIN item b ON b.id = a.id + 1 WHERE b.touched = a.touched - 1), 'none')`)
	cursor := ask[string](t, s, `SELECT coalesce((SELECT value FROM stopover_note WHERE key = 'cursor'), 'none')`)
	if borders[0] > 1 || border[0] != cursor[0] {
		t.Errorf("round %d: %d borders between touched rows, the last at %s, the cursor says %s", round, borders[0], border[0], cursor[0])
	}
	if sound := ask[string](t, s, `PRAGMA integrity_check`); sound[0] != "ok" {
		t.Errorf("round %d: %q", round, sound)
	}
	return len(view.Notes)
}
