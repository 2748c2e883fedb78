package stopover

import (
	"context"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
)

// ThrottleOptions say how the backfills of the stores are to go from now on,
// whoever runs them. What is nil stays as it is.
type ThrottleOptions struct {
	Workers *int     // 0: as the runner was told
	Rate    *float64 // rows a second of all workers together; 0: no limit
	Paused  *bool
}

// Throttle changes how backfills go. It needs no lease: a runner looks about
// once a second at what it says, and between two stretches it keeps to it.
func (a *App) Throttle(ctx context.Context, ask ThrottleOptions) (*wire.Throttle, error) {
	doc := &wire.Throttle{Head: wire.NewHead("throttle"), Stores: []wire.StoreThrottle{}}
	sights := a.look(ctx)
	if err := a.firstUnseen(sights); err != nil {
		return doc, err
	}
	for _, s := range sights {
		if !s.stamped() {
			return doc, refuse("the store has no books yet: there is nothing to throttle", a.cmd("status")).in(s.name)
		}
	}
	for _, s := range sights {
		control, err := book.SetControl(ctx, s.st, func(c book.Control) book.Control { return ask.applied(c, a.operator()) })
		if err != nil {
			return doc, a.explain(s.name, err)
		}
		doc.Stores = append(doc.Stores, wire.StoreThrottle{Name: s.name, Control: controlOf(&control), Begun: a.begunOf(s)})
	}
	return doc, nil
}

// applied gives the control after the change.
func (ask ThrottleOptions) applied(c book.Control, who string) book.Control {
	if ask.Workers != nil {
		c.Workers = *ask.Workers
	}
	if ask.Rate != nil {
		c.Rate = *ask.Rate
	}
	if ask.Paused != nil {
		c.Paused = *ask.Paused
	}
	c.Who = who
	return c
}

func controlOf(c *book.Control) *wire.Control {
	if c == nil || c.IsPlain() {
		return nil
	}
	return &wire.Control{Workers: c.Workers, Rate: c.Rate, Paused: c.Paused, Who: c.Who, Since: c.Since}
}
