package stopover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// keepRollouts notes in the stores which release of each component is the oldest
// that has to be reckoned with, if that has changed: the soak is counted from
// then. apply and cleanup do it when they begin, so a rollout that no apply
// --wait has watched counts from the first command that sees it. Of several that
// see it at once one writes, and the others leave it at that.
func (a *App) keepRollouts(ctx context.Context, w *way) error {
	if w.cat.Soak == 0 || w.cat.Implicit {
		return nil
	}
	for _, c := range w.cat.Components {
		oldest := w.oldest(c.Name)
		for _, s := range w.sights {
			if !a.uses(c.Name, s.name) || !s.stamped() || s.fresh() {
				continue
			}
			if rolled, noted := s.books.Rolled[c.Name]; noted && rolled.Oldest == oldest {
				continue
			}
			written, err := s.st.Swap(ctx, nil, s.books.RolledNote(c.Name, oldest))
			var conflict *store.ConflictError
			if errors.As(err, &conflict) {
				continue
			}
			if err == nil {
				err = s.books.Keep(c.Name, written[0])
			}
			if err != nil {
				return a.explain(s.name, fmt.Errorf("note what runs of %s: %w", c.Name, err))
			}
		}
	}
	return nil
}

// oldest is the oldest release of a component that has to be reckoned with; "":
// none.
func (w *way) oldest(component string) string {
	if list := w.state.Fleet[component]; len(list) > 0 {
		return w.cat.Releases[list[0]].ID
	}
	return ""
}

// soaking tells until when the soak lasts, counted from the newest step of the
// migration and from the last rollout of the store's components; "": it is over.
func (a *App) soaking(w *way, id plan.StepID) string {
	seen := findSight(w.sights, id.Store)
	if w.cat.Soak == 0 || seen == nil || seen.fresh() {
		return ""
	}
	var last time.Time
	from := "the newest step"
	for key, line := range seen.books.Lines {
		if key.Migration == id.Migration && line.Done.After(last) {
			last = line.Done
		}
	}
	for _, c := range w.cat.Components {
		rolled, noted := seen.books.Rolled[c.Name]
		switch {
		case w.cat.Implicit || !a.uses(c.Name, id.Store):
		case !noted || rolled.Oldest != w.oldest(c.Name): // another command is about to note it
			last, from = seen.books.Now, "the rollout of "+c.Name
		case rolled.Since.After(last):
			last, from = rolled.Since, "the rollout of "+c.Name
		}
	}
	if over := last.Add(w.cat.Soak); over.After(seen.books.Now) {
		return fmt.Sprintf("the soak of %s, from %s, lasts until %s", w.cat.Soak, from, day(over))
	}
	return ""
}
