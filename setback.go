package stopover

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
)

// A store that was restored from a backup looks like one to which less has been
// done. By itself it cannot be told; but the books of an application's other stores
// remember how often it had been held.

// setBack is a store whose books are older than what another store knows of them.
type setBack struct {
	name, witness string
	now, known    int64 // times that it was held
	since         time.Time
}

func (b setBack) String() string {
	return fmt.Sprintf("%s was restored from an older backup: its books end with run %d, and %s knew of run %d on %s",
		b.name, b.now, b.witness, b.known, day(b.since))
}

// setBacks lists the stores that were set back, each once.
func setBacks(sights []*sight) []setBack {
	var all []setBack
	for _, s := range sights {
		if s.books == nil || !s.stamped() {
			continue
		}
		for _, o := range sights {
			if o == s || o.books == nil {
				continue
			}
			peer, found := o.books.Peers[s.name]
			if found && peer.ID == s.books.Stamp.ID && peer.Epoch > s.books.Epoch() {
				all = append(all, setBack{s.name, o.name, s.books.Epoch(), peer.Epoch, peer.Since})
				break
			}
		}
	}
	return all
}

// refuseSetBack stops what would go on from stores that are of different moments:
// what one of them has lost may be needed by what was done to the others.
func (a *App) refuseSetBack(sights []*sight) *Failure {
	all := setBacks(sights)
	if len(all) == 0 {
		return nil
	}
	var more []string
	for _, b := range all[1:] {
		more = append(more, b.String())
	}
	f := undecided("the stores are of different moments: "+all[0].String(), more, a.cmd("status"),
		a.cmd("attest restored "+all[0].name+" --reason TEXT"))
	f.Detail.Hint = "restore the others to the same moment; or, where what they have can live together, say so by attest: then it goes on from where each store is"
	return f.in(all[0].name)
}

// witness writes into the other stores' books how often these have been held. It is
// a courtesy to a later run: what cannot be written is left.
func (s *session) witness() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 3*time.Second)
	defer cancel()
	for _, h := range s.held {
		if h.books.Stamp == nil {
			continue
		}
		note := book.PeerNote(h.name, book.Peer{ID: h.books.Stamp.ID, Epoch: h.lease.Holder.Epoch})
		for _, p := range s.app.stores {
			if p.name == h.name {
				continue
			}
			if st, err := s.app.connect(ctx, p); err == nil {
				_, _ = st.Swap(ctx, nil, note) // it may have no books yet, or be down
			}
		}
	}
}

// AttestRestored records that a store was set back on purpose, and that the others
// can live with it. From then on nothing holds that against it.
func (a *App) AttestRestored(ctx context.Context, name, reason string) (*wire.Attest, error) {
	doc := &wire.Attest{Head: wire.NewHead("attest restored"), Stores: []string{}}
	if strings.TrimSpace(reason) == "" {
		return doc, misuse("an attestation needs a reason", a.cmd("status"))
	}
	sights := a.look(ctx)
	if err := a.firstUnseen(sights); err != nil {
		return doc, err
	}
	s := findSight(sights, name)
	if s == nil {
		return doc, misuse(fmt.Sprintf("there is no store %q", name), a.cmd("status"))
	}
	if !s.stamped() {
		return doc, refuse(fmt.Sprintf("%s has no books: nothing was applied to it yet", name), a.cmd("status")).in(name)
	}
	now := s.books.Clock()
	statement := book.Attestation{Client: "restored " + name, Who: a.operator(), Reason: strings.TrimSpace(reason), Since: now, Until: now}
	peer := book.PeerNote(name, book.Peer{ID: s.books.Stamp.ID, Epoch: s.books.Epoch()})
	for _, o := range sights {
		if o == s || !o.stamped() {
			continue
		}
		if _, err := o.st.Swap(ctx, nil, peer, statement.Note()); err != nil {
			return doc, a.explain(o.name, fmt.Errorf("record the statement: %w", err))
		}
		doc.Stores = append(doc.Stores, o.name)
	}
	if len(doc.Stores) == 0 {
		return doc, refuse("there is no other store whose books could know of it", a.cmd("status")).in(name)
	}
	doc.Attestation = shownAttestation(statement, true)
	doc.Next = append(doc.Next, a.cmd("status"), a.cmd("plan"))
	return doc, nil
}
