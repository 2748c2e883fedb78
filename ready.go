package stopover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

// ReadyMode says what Ready does where the stores are not ready.
type ReadyMode uint8

// The modes of Ready.
const (
	ReadyCheck   ReadyMode = iota // nothing: it only asks
	ReadyWait                     // it waits until they are
	ReadyMigrate                  // it does what is allowed now, as Apply does, and asks again
)

// ReadyOptions say who wants to start.
type ReadyOptions struct {
	Component string // "": any component
	Release   string // "": Config.Release, or the newest listed
	Mode      ReadyMode
	// Every is how often ReadyWait asks. 0: every second.
	Every time.Duration
	// Progress is told what is waited for, each time that it was asked for: for a
	// page that shows that a slow migration is no dead server. nil: nobody listens.
	// Config.Events, which is for a log, is told when it changes, and every half a
	// minute.
	Progress func(Waiting)
}

// Waiting is what Ready waits for.
type Waiting struct {
	Gate *Gate         // the last answer; nil: the stores could not be asked
	Text string        // one line for people
	For  time.Duration // how long already
}

// Ready asks whether a release may start now, one trip a store, and waits or
// migrates first if it is told to. The error is nil if, and only if, it may
// start. A release that is shut out by a floor is never waited for: floors do
// not fall.
//
// To be ready says nothing of the next moment. An instance that also wants to
// be reckoned with calls Join.
func (a *App) Ready(ctx context.Context, ask ReadyOptions) (*Gate, error) {
	begun := time.Now()
	waits := a.tellWaiting(ask.Progress)
	migrated := false
	for {
		sights := a.lookAs(ctx, ask.Component)
		doc, err := a.gateOf(ctx, sights, CheckOptions{Component: ask.Component, Release: ask.Release})
		switch {
		case err == nil && doc.State == wire.Ready:
			return doc, nil
		case err == nil && (doc.State == wire.TooNew || ask.Mode == ReadyCheck || ask.Mode == ReadyMigrate && migrated):
			return doc, a.notReady(doc)
		case err != nil && (ask.Mode != ReadyWait || !unreachable(err)):
			return doc, err
		}
		if ask.Mode == ReadyMigrate {
			if _, err := a.Apply(ctx, ApplyOptions{Target: Target{To: a.startAs(ask.Release)}}); err != nil {
				return doc, err
			}
			migrated = true
			continue
		}
		waits(a.waitsFor(sights, doc, err, time.Since(begun)))
		if err := pause(ctx, ask.Every); err != nil {
			return doc, err
		}
	}
}

// tellWaiting tells whoever listens each time, and the events now and then.
func (a *App) tellWaiting(progress func(Waiting)) func(Waiting) {
	var told reminder
	return func(w Waiting) {
		if progress != nil {
			progress(w)
		}
		if told.due(w.Text) {
			a.cfg.tell(Event{Kind: wire.EventWaiting, Text: "waits at the gate: " + w.Text})
		}
	}
}

func (a *App) gateOf(ctx context.Context, sights []*sight, ask CheckOptions) (*wire.Check, error) {
	if err := a.firstUnseen(sights); err != nil {
		return nil, err
	}
	return a.asked(ctx, sights, ask)
}

// startAs is the target of a migration that a release runs before it starts: its
// own, where releases are declared.
func (a *App) startAs(release string) string {
	if len(a.project.Releases) == 0 {
		return ""
	}
	if release == "" {
		return a.cfg.Release
	}
	return release
}

func unreachable(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Detail.Kind == wire.KindUnreachable
}

func pause(ctx context.Context, every time.Duration) error {
	if every <= 0 {
		every = time.Second
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait until the stores are ready: %w", context.Cause(ctx))
	case <-timer.C:
		return nil
	}
}

// notReady is the refusal of a gate.
func (a *App) notReady(doc *wire.Check) *Failure {
	who := strings.TrimSpace(doc.Component + " " + doc.Release)
	f := &Failure{Exit: doc.Exit, Next: doc.Next}
	f.Detail = wire.Error{Kind: wire.KindRefused, Message: who + " may not start yet", Safe: nothingChanged}
	if doc.State == wire.TooNew {
		f.Detail.Kind, f.Detail.Message = wire.KindNewer, who+" may not start any more"
	}
	for _, s := range doc.Stores {
		if s.Because != "" {
			f.Detail.Evidence = append(f.Detail.Evidence, s.Because)
		}
	}
	f.Detail.Evidence = append(f.Detail.Evidence, doc.Warnings...)
	if len(f.Detail.Evidence) > 0 {
		f.Detail.Message += ": " + f.Detail.Evidence[0]
		f.Detail.Evidence = f.Detail.Evidence[1:]
	}
	return f
}

// waitsFor says what is waited for, and who is at it and how far.
func (a *App) waitsFor(sights []*sight, doc *wire.Check, err error, since time.Duration) Waiting {
	waiting := Waiting{Gate: doc, For: since}
	if err != nil {
		waiting.Text = err.Error()
		return waiting
	}
	words := []string{a.notReady(doc).Detail.Message}
	for _, s := range sights {
		if s.books == nil {
			continue
		}
		if begun := a.begunOf(s); begun != nil {
			text := fmt.Sprintf("%s %s.%s is under way", s.name, begun.Migration, begun.Step)
			if begun.Percent > 0 {
				text += fmt.Sprintf(", at %.0f %%", begun.Percent)
			}
			words = append(words, text)
		}
		if h := s.books.Holder; h != nil && h.Left(s.books.Now) > 0 {
			words = append(words, fmt.Sprintf("%s (pid %d) works on %s", h.Host, h.PID, s.name))
		}
	}
	waiting.Text = strings.Join(words, "; ")
	return waiting
}
