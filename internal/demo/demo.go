// Package demo plays an upgrade from beginning to end for somebody who
// watches: a shop on SQLite that is written to all the time, several releases,
// a runner that is killed, and the account at the end. It is no example of how
// to embed Stopover, and nothing else uses it.
//
// Everything is played by processes of the same program: the shop, which knows
// nothing of the upgrade, and the commands, as a user types them. The
// invariant: what must be in the store in the end is reckoned from what the
// shop was told is committed, never from the store.
package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/wire"
)

// fewest is the smallest number of orders that takes long enough to fill for a
// runner to be killed meanwhile.
const fewest = 5_000

// play is one performance.
type play struct {
	program  string // this program's file
	folder   string
	orders   int
	terminal stopover.Terminal
	stage    *stage
	model    *model
	shops    []*running
	kills    int

	// between is called when the shop has ended, before the account; nil but in
	// tests, which spoil the store there.
	between func(context.Context, *sql.DB) error
}

// Play plays the demo. The document is there also when it fails part of the
// way. It fails if a single record differs from what it must be.
func Play(ctx context.Context, ask stopover.DemoOptions, t stopover.Terminal) (*wire.Demo, error) {
	doc := &wire.Demo{Head: wire.NewHead("demo")}
	if ask.Orders < fewest {
		return doc, misuse(fmt.Sprintf("with fewer than %d orders the fill is over before a runner can be killed", fewest), "stopover demo --orders 5000")
	}
	program, err := os.Executable()
	if err != nil {
		return doc, fmt.Errorf("find this program's file: %w", err)
	}
	folder, err := room(ask.Folder)
	if err != nil {
		return doc, err
	}
	doc.Folder = folder
	var out io.Writer
	if !ask.JSON {
		out = t.Out
	}
	p := &play{program: program, folder: folder, orders: ask.Orders, terminal: t,
		stage: &stage{out: out, color: ask.Color}, model: past(ask.Orders)}
	begun := time.Now()
	err = p.whole(ctx, doc)
	p.end()
	doc.Acts, doc.Kills, doc.Seconds = p.stage.acts, p.kills, time.Since(begun).Seconds()
	if ctx.Err() != nil {
		err = interrupted(ctx)
	}
	if err == nil {
		doc.Next = []string{"stopover demo --folder shop", "stopover new project myapp", "stopover --help"}
	}
	return doc, errors.Join(err, leave(ask.Folder, folder))
}

// room is the folder to play in: the one that was asked for, which must be
// empty, or a temporary one.
func room(asked string) (string, error) {
	if asked == "" {
		return os.MkdirTemp("", "stopover-demo-")
	}
	if err := os.MkdirAll(asked, 0o755); err != nil {
		return "", err
	}
	there, err := os.ReadDir(asked)
	if err != nil {
		return "", err
	}
	if len(there) > 0 {
		return "", misuse(fmt.Sprintf("the folder %s is not empty", asked), "stopover demo --folder another")
	}
	return filepath.Abs(asked)
}

// leave removes a temporary folder.
func leave(asked, folder string) error {
	if asked != "" {
		return nil
	}
	return os.RemoveAll(folder)
}

func interrupted(ctx context.Context) error {
	return &stopover.Failure{Exit: stopover.ExitInterrupted, Next: []string{"stopover demo"}, Err: ctx.Err(),
		Detail: wire.Error{Kind: wire.KindInterrupted, Message: "interrupted", Safe: "all processes of the demo have ended"}}
}

func misuse(message, next string) *stopover.Failure {
	return &stopover.Failure{Exit: stopover.ExitUsage, Next: []string{next},
		Detail: wire.Error{Kind: wire.KindUsage, Message: message, Safe: "nothing was changed"}}
}
