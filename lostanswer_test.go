package stopover

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

// TestAnswerOfACommitIsLost cuts the way back from the server after a step's
// work was sent: it is committed, and the runner does not hear of it. It finds
// out before it tries again, however soon the server is back: nothing is done
// twice, nothing is missed.
func TestAnswerOfACommitIsLost(t *testing.T) {
	for _, c := range []struct {
		name, word string // of the statement whose answer is lost
		nth        int    // time that it is sent
	}{
		{"of small steps that go together", "0003.expand", 1},
		{"of a stretch", "touched + 1", 3},
		{"of the last stretch", "touched + 1", 0},
		{"of a statement that stands alone", "CONCURRENTLY", 1},
		{"of one of several statements", "0004.contract", 1},
	} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, books readable %v", c.name, !late), func(t *testing.T) {
				t.Parallel()
				s := newSite(t, "postgres")
				crashStory(t, s, 6000)
				s.open(s.url)
				l := s.cuttable()
				lost := loseAnswer(l, c.word, c.nth, late)
				for _, command := range complete {
					cfg := testConfig(s.dir)
					cfg.Kinds = tapped(cfg.Kinds, "postgres", lost.tap)
					if err := carryOut(cfg, command); err != nil {
						t.Fatalf("%s: %v", command, err)
					}
				}
				if !lost.done.Load() {
					t.Fatal("no answer was lost")
				}
				if got := s.one("SELECT count(*) || ' ' || count(*) FILTER (WHERE touched = 1 AND cents IS NOT NULL) FROM orders"); got != "6000 6000" {
					t.Errorf("rows, and rows changed once: %s", got)
				}
				if got := strings.Join(s.rows("SELECT step FROM marks ORDER BY step"), " "); got != "0003.expand 0004.contract 0004.expand 0005.expand" {
					t.Errorf("the steps left these marks: %s", got)
				}
			})
		}
	}
}

// lostAnswer makes a line deaf while a task is under way.
type lostAnswer struct {
	tap  *tap
	done atomic.Bool
}

// loseAnswer loses the answer to the nth task with a statement that contains
// the word; 0: to the one behind which nothing is left. Stretches are cut when
// their record is made, just before it is sent and committed. The way is free
// again at once, or (late) after the books were looked for in vain.
func loseAnswer(l *line, word string, nth int, late bool) *lostAnswer {
	lost := &lostAnswer{}
	var seen atomic.Int64
	var deaf atomic.Bool
	lose := func(task store.Task, last bool) {
		if !contains(task, word) || seen.Add(1) != int64(nth) && !last {
			return
		}
		if lost.done.CompareAndSwap(false, true) {
			deaf.Store(true)
			l.deaf()
		}
	}
	lost.tap = &tap{
		before: func(task store.Task) {
			if task.Action.Shape() != store.Stretched {
				lose(task, false)
			}
		},
		record: func(task store.Task, p store.Progress) {
			if task.Action.Shape() == store.Stretched {
				lose(task, nth == 0 && p.Done)
			}
		},
		after: func(_ store.Task, err error) {
			if err != nil && !late && deaf.CompareAndSwap(true, false) {
				l.heal()
			}
		},
		looked: func(err error) {
			if err != nil && deaf.CompareAndSwap(true, false) {
				l.heal()
			}
		},
	}
	return lost
}

func contains(task store.Task, word string) bool {
	for _, s := range task.Action.Statements() {
		if strings.Contains(s.Text, word) && (task.Only == 0 || task.Action.Statements()[task.Only-1].Text == s.Text) {
			return true
		}
	}
	return false
}
