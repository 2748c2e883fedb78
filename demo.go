package stopover

import (
	"context"

	"github.com/stopover-dev/stopover/internal/cli"
	"github.com/stopover-dev/stopover/internal/wire"
)

// Demo plays an upgrade from beginning to end for somebody who watches.
type Demo func(ctx context.Context, ask DemoOptions, t Terminal) (*wire.Demo, error)

// DemoOptions say how big the demo is and where it is played.
type DemoOptions struct {
	Orders int    // rows to begin with
	Folder string // "": a temporary one
	JSON   bool   // say nothing while it plays
	Color  bool   // the terminal shows colours
}

// demo plays the demo, if this program has one.
func (c *command) demo(ctx context.Context, ask cli.Demo) int {
	if c.cfg.Demo == nil {
		return c.end(nil, misuse(c.cfg.Program+" has no demo: it is part of the stopover command"))
	}
	options := DemoOptions{Orders: ask.Orders, Folder: ask.Folder, JSON: c.request.Global.Format == cli.JSON || c.request.Global.Quiet, Color: c.look().Color}
	c.watched = !options.JSON
	doc, err := c.cfg.Demo(ctx, options, c.t)
	if doc == nil {
		return c.end(nil, err)
	}
	return c.end(doc, err)
}
