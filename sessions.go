package stopover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// A store that lists its sessions shows clients that hold no lease. A list
// without unknown sessions proves nothing, because a process may have no
// connection at the moment; an unknown session is a reason to wait.

// strays lists the sessions of a store that nothing explains, and counts those
// that something does. able is false where the store keeps no list.
func (a *App) strays(ctx context.Context, s *sight) (unknown []store.Session, explained int, able bool, err error) {
	lister, able := store.As[store.Lister](s.st)
	if !able {
		return nil, 0, false, nil
	}
	sessions, err := lister.Sessions(ctx)
	if err != nil {
		return nil, 0, true, err
	}
	for _, session := range sessions {
		if a.explained(s, session) {
			explained++
		} else {
			unknown = append(unknown, session)
		}
	}
	return unknown, explained, true, nil
}

// lasting is strays, but for sessions that are ending: a server forgets a client
// a moment after it has gone.
func (a *App) lasting(ctx context.Context, s *sight) ([]store.Session, error) {
	for attempt := 0; ; attempt++ {
		unknown, _, _, err := a.strays(ctx, s)
		if err != nil || len(unknown) == 0 || attempt == 4 {
			return unknown, err
		}
		timer := time.NewTimer(150 * time.Millisecond)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// explained tells whether a session belongs to Stopover, to an instance with a
// live lease, to a component of which an operator says what runs, or to a client
// that is to be left out of account.
func (a *App) explained(s *sight, session store.Session) bool {
	if session.Own || begins(session.Name, "stopover") {
		return true
	}
	for _, name := range s.decl.Ignore {
		if isClient(session, name) {
			return true
		}
	}
	if s.books == nil {
		return false
	}
	for _, i := range s.books.Live() {
		if i.Sessions != "" && begins(session.Name, i.Sessions) {
			return true
		}
	}
	return slices.ContainsFunc(s.books.Attests, func(at book.Attestation) bool {
		return at.Holds(s.books.Now) && (at.Component != "" && begins(session.Name, at.Component) || at.Client != "" && isClient(session, at.Client))
	})
}

func isClient(session store.Session, name string) bool {
	return begins(session.Name, name) || session.User == name || session.Client == name
}

// begins tells whether a session's name is a word, or begins with it: "api" and
// "api/7f9" begin with "api", "apidoc" does not. Servers cut names at 63 bytes.
func begins(name, word string) bool {
	const limit = 63
	if len(word) > limit {
		word = word[:limit]
	}
	rest, found := strings.CutPrefix(strings.ToLower(name), strings.ToLower(word))
	return found && word != "" && (rest == "" || strings.ContainsRune("/-_:. @", rune(rest[0])))
}

// shownClients shows what a store says of its clients.
func (a *App) shownClients(ctx context.Context, s *sight) wire.FleetStore {
	shown := wire.FleetStore{Name: s.name, Unknown: []wire.Client{}, Clients: []wire.Attestation{}}
	unknown, explained, able, err := a.strays(ctx, s)
	shown.Lists, shown.Known = able, explained
	if err != nil {
		shown.Problem = a.explain(s.name, err).Detail.Message
	}
	for _, session := range unknown {
		shown.Unknown = append(shown.Unknown, wire.Client{Session: session.ID, Name: session.Name, User: session.User,
			Address: session.Client, Since: session.Since})
	}
	for _, f := range s.books.Fences {
		for _, who := range slices.Concat(f.Logins, f.Names) {
			shown.Fenced = append(shown.Fenced, fmt.Sprintf("%s by %s.%s", who, f.Migration, f.Kind))
		}
	}
	for _, b := range s.books.Banned {
		shown.ShutOut = append(shown.ShutOut, b.Login)
	}
	for _, at := range s.books.Attests {
		if at.Client != "" && at.Holds(s.books.Now) {
			shown.Clients = append(shown.Clients, shownAttestation(at, true))
		}
	}
	return shown
}

// strangersOf says which sessions stand against the contracts of a store, one
// line each, but for those of logins that will be shut out. Where no releases are declared, nobody asks who runs.
func (a *App) strangersOf(ctx context.Context, w *way, storeName string, logins []string) ([]string, error) {
	seen := findSight(w.sights, storeName)
	if w.cat.Implicit || seen == nil || seen.untouched() {
		return nil, nil
	}
	unknown, err := a.lasting(ctx, seen)
	if err != nil {
		return nil, a.explain(storeName, fmt.Errorf("list the sessions: %w", err))
	}
	var lines []string
	for _, session := range unknown {
		if !banned(session, logins) {
			lines = append(lines, strangerLine(session))
		}
	}
	return lines, nil
}

// unlisted tells that a store keeps a list of its sessions which the login may
// not read: like one that keeps none, it names nobody.
func unlisted(err error) bool { return errors.As(err, new(*store.RightsError)) }

// strangerLine names a session without what it runs: that may hold data.
func strangerLine(s store.Session) string {
	var words []string
	if s.Name != "" {
		words = append(words, fmt.Sprintf("%q", s.Name))
	}
	if s.User != "" {
		words = append(words, "user "+s.User)
	}
	if s.Client != "" {
		words = append(words, "from "+s.Client)
	}
	return fmt.Sprintf("session %s %s has no lease (since %s)", s.ID, strings.Join(words, " "), day(s.Since))
}
