// Package store is the seam between Stopover and what it upgrades. A store
// does two things: it keeps small notes with compare-and-swap, and it performs
// actions in stretches, each together with the notes that record it.
//
// It knows nothing of releases, steps or plans. What the notes mean is decided
// in internal/book, once for all stores. The definition of a store is the
// conformance suite in store/storetest: every implementation runs it.
//
// The invariant: a task's work and its notes appear together or not at all
// (where the action allows that, see Action), and only while every guard of
// the task stands.
package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Format is the version of the books that this build reads and writes. A store
// whose books carry a higher one answers every call with a *NewerError.
const Format = 1

// Revisions that Swap understands besides those that a store handed out, which
// are always greater than zero.
const (
	Absent int64 = 0  // the note must not exist
	Any    int64 = -1 // the note may exist or not, at any revision
)

// Note is a small record under a key. Keys are paths of printable ASCII
// without spaces ("ledger/0042_currency/backfill"); values are JSON documents.
type Note struct {
	Key   string
	Value []byte // in Swap: nil deletes the note
	// Rev is handed out by the store, from one sequence for all notes; it is
	// never used twice, also not after a note was deleted. In Swap it is the
	// revision that is expected: one read before, Absent or Any.
	Rev int64
	At  time.Time // last write, on the store's clock; ignored in Swap
}

// View is what Look saw at one moment.
type View struct {
	Now   time.Time // the store's clock
	Notes []Note    // ordered by key
}

// Survey is what a store says of itself. It is asked once, before anything is
// changed.
type Survey struct {
	Server   string   // for people: "PostgreSQL 15.18", "SQLite 3.51.0"
	Place    string   // for people, without secrets: "shop on 127.0.0.1:5432, schema public"
	Stamped  bool     // the books exist
	Empty    bool     // nothing but the books is there
	Evidence []string // what is there (at most 20, most telling first) when not Empty: "table orders (about 41,000 rows)"
	Missing  []string // rights that the login lacks: "CREATE on schema public"
	ReadOnly bool     // the login or the server refuses all writes
}

// Store is one owned data store. All methods are safe for concurrent use.
// Errors are those of this package where one fits; no error ever contains a
// password.
type Store interface {
	// Survey looks the store over. It changes nothing.
	Survey(ctx context.Context) (Survey, error)

	// Prepare creates the books, or upgrades them from an older Format, in one
	// transaction. Many may call it at once; it does nothing when there is
	// nothing to do.
	Prepare(ctx context.Context) error

	// Look gives the notes under the prefixes and the store's time, in one
	// trip, at one moment. No prefix: all notes. A store without books has no
	// notes.
	Look(ctx context.Context, prefixes ...string) (View, error)

	// Swap writes all notes of set or none. It fails with a *ConflictError if a
	// guard's revision is not the note's present one, or a note of set is not
	// at the revision expected. A guard with Absent asks that there is no such
	// note. Deleting with Any what is not there is no conflict. All revisions
	// are compared with what stood before the Swap; each key stands in set at
	// most once. Without set the guards alone are checked. The notes come back
	// in the order of set, with Rev and At as written. Books must be there.
	Swap(ctx context.Context, guard []Note, set ...Note) ([]Note, error)

	// Do performs a task, or its next stretch, see Task.
	Do(ctx context.Context, task Task) (Progress, error)

	Close() error
}

// Shape is how an action's work is divided.
type Shape uint8

const (
	Whole     Shape = iota + 1 // one piece: all statements together, or one by one where Alone
	Stretched                  // in stretches with a cursor, until Progress.Done
	Query                      // changes nothing; what it returns are violations
)

// Action is the work of one step, understood only by the kind of store that
// made it. It is a value: it can be made without a connection.
type Action interface {
	Shape() Shape
	// Statements gives the parts in order, for people, for progress and for
	// checksums. An action in Go has one, with its preview as text.
	Statements() []Statement
}

// Statement is one part of an action.
type Statement struct {
	Text string // as written, without the closing semicolon
	Line int    // in its file, from 1; 0: no file
	// Made: it was not written, but made of what stands in Line; every place in
	// its text is that line.
	Made bool
	// Alone: it cannot be in a transaction with its record (CREATE INDEX
	// CONCURRENTLY, VACUUM). It is performed by itself between a begun and a
	// done line, and an Inspector tells after a crash what became of it.
	Alone bool
}

// Task asks for work.
type Task struct {
	Action Action
	// Only performs the statement with this number, counted from 1, instead of
	// all. 0: all, in one transaction. Where the statement is Alone, Record is
	// not called and guards are checked just before, not at the end: the caller
	// records.
	Only int
	// Proof is performed first, in the same transaction (for a statement
	// Alone: just before): if it returns anything, nothing else is done and
	// the error is a *ViolationError. nil: none.
	Proof Action

	// Firm: while Proof is asked, and until the end, nobody may write to the tables
	// that the action changes, where the store can keep writers out. It costs
	// them the time that the proof takes.
	Firm bool

	Cursor []byte // Stretched: where the last stretch ended; nil: the beginning of Part
	Part   Span   // Stretched: the share of the keys to stay in; the zero Span is all of them
	Size   int    // Stretched: rows wanted, at least 1
	Sample int    // Query and Proof: violations to return at most; all are counted

	Guard   []Note        // must stand at the end of the transaction, and at its begin
	Session string        // the name under which the store's own session list shows this work, where it has one
	Wait    time.Duration // longest wait for one lock; 0: the store's default
	Timeout time.Duration // longest time of one statement; 0: none

	// Record gives the notes to be written with the work. It is pure, and may
	// be called before the work is sent: then Rows is -1, unknown. nil: none.
	// What a Query found may be recorded in a second transaction, under the same
	// guards, so that a long one keeps nobody from writing; what must hold at
	// the moment of the work is a Proof.
	Record func(Progress) []Note
}

// Progress is what a stretch, or a whole action, did.
type Progress struct {
	Cursor []byte   // where the next stretch starts
	Done   bool     // nothing is left
	Rows   int64    // records changed; for a Query: violations found; -1: unknown
	Sample []string // for a Query: the violations, one line each, at most Task.Sample
	// Noticed is what people should know of what was met, one line each.
	Noticed []string
	Took    time.Duration
}

// Abilities that a store may have. They are found with As, which looks through
// wrappers.

// Batcher performs several tasks, each in a transaction of its own or as if it
// were, in as few trips as it can. The answers are those of the tasks that were
// performed and recorded, in order; if they are fewer than the tasks, the error
// says what became of the next one, and no later one was begun.
type Batcher interface {
	DoAll(ctx context.Context, tasks []Task) ([]Progress, error)
}

// Inspector tells what became of a statement that was begun outside a
// transaction and whose end was not recorded.
type Inspector interface {
	// Inspect looks at the effect of the statement with this number, from 1.
	Inspect(ctx context.Context, action Action, statement int) (Effect, error)
}

// Effect is what Inspect found.
type Effect struct {
	State   EffectState
	Because string   // for people: "index orders_currency_idx is invalid"
	Repair  Action   // Broken: what takes the remains away, so that the statement can be run again
	Session *Session // Running: who runs it
}

// EffectState says how far a statement's effect is there.
type EffectState uint8

const (
	Unknown  EffectState = iota // cannot be told: an operator must choose
	Missing                     // no trace of it: run it
	Complete                    // it is there: record it
	Broken                      // half of it is there: Repair, then run it
	Running                     // a session still works on it
)

// Lister lists and ends the store's sessions.
type Lister interface {
	Sessions(ctx context.Context) ([]Session, error)
	// End ends a session and waits until it is gone, within limits. Ending one
	// that is gone already is no error.
	End(ctx context.Context, session Session) error
}

// Session is a client's connection as the store sees it.
type Session struct {
	ID     string // the store's own: a backend's pid
	Name   string // what the client calls itself (application_name); Stopover's own are Task.Session
	User   string
	Client string        // address
	Query  string        // what it runs or ran last, first 200 characters, literals as they are only where the store shows them
	Since  time.Time     // of the session
	Busy   time.Time     // begin of its open transaction; zero: none
	Open   time.Duration // how long that transaction had been open when it was seen
	Own    bool          // this very process's
}

// String describes a session in a line: who it is, how long its transaction is
// open and what it runs, cut short.
func (s Session) String() string {
	who := []string{"session " + s.ID}
	if s.User != "" {
		who = append(who, "user "+s.User)
	}
	if s.Name != "" {
		who = append(who, s.Name)
	}
	if s.Client != "" {
		who = append(who, "from "+s.Client)
	}
	text := strings.Join(who, ", ")
	if s.Open >= time.Second {
		text += fmt.Sprintf(", its transaction open for %s", s.Open.Truncate(time.Second))
	}
	if query := []rune(strings.Join(strings.Fields(s.Query), " ")); len(query) > shownQuery {
		text += ": " + string(query[:shownQuery]) + ".."
	} else if len(query) > 0 {
		text += ": " + string(query)
	}
	return text
}

// shownQuery is how much of a session's query String shows, in characters.
const shownQuery = 80

// Cutter tells before a Stretched action begins why it cannot be cut into
// stretches; "": it can, or what it is about is not there yet.
type Cutter interface {
	Uncuttable(ctx context.Context, action Action) (because string, err error)
}

// Permitter tells before an action begins which rights it takes that the login
// lacks, as far as the store can tell without trying.
type Permitter interface {
	Lacking(ctx context.Context, action Action) (missing []string, err error)
}

// Span is a share of a Stretched action's keys: those behind From, up to and
// with Upto. Both are the store's own, like cursors; nil: no end on that side.
type Span struct {
	From []byte `json:"from,omitempty"`
	Upto []byte `json:"upto,omitempty"`
}

// Splitter cuts what a Stretched action goes through into shares that can be
// worked on side by side. The spans are in order and leave nothing out: the
// first and the last are open-ended, so that keys which come later belong to
// one of them. A small table, or one that cannot be cut, is one span.
type Splitter interface {
	Split(ctx context.Context, action Action, n int) ([]Span, error)
}

// Outlaster knows which transactions are older than a moment: what they have
// written may not be seen yet.
type Outlaster interface {
	// Older gives the moment (of now, where moment is "") and the open
	// transactions that had written before it.
	Older(ctx context.Context, moment string) (at string, older []Session, err error)
}

// Queuer is a store where a task that waits for a lock makes everybody behind it
// wait too. Attempts are short there, and many.
type Queuer interface {
	// ShortWait is how long a first attempt may wait for a lock.
	ShortWait() time.Duration
}

// Watcher tells why long work should give way for a while.
type Watcher interface {
	// Signals looks at the load while the action is performed by sessions of this
	// name. It is asked about once a second.
	Signals(ctx context.Context, action Action, session string) ([]Signal, error)
}

// Signal is one reason to give way.
type Signal struct {
	Because string // for people: "the replica web-2 is 14 s behind"
	// Slow: go on at the least rate instead of pausing, since the reason may have
	// nothing to do with this work.
	Slow bool
}

// Estimator foresees a task's cost from the store's statistics.
type Estimator interface {
	Estimate(ctx context.Context, action Action) (Estimate, error)
}

// Estimate is a forecast; zero fields are unknown.
type Estimate struct {
	Rows  int64
	Bytes int64 // extra disk
	Log   int64 // bytes of write-ahead log
	// Memory is extra memory of the server, in bytes, of a store that is in memory.
	Memory int64
	Took   time.Duration
	Note   string // "rewrites orders while nobody else can use it"
}

// Placer says where the store is, for people and without secrets, without asking
// it: "shop on 127.0.0.1:5432, schema public".
type Placer interface{ Place() string }

// Describer writes the store's structure (not its data, not the books) as text
// that is equal for equal structures: one line an object, sorted.
type Describer interface {
	Describe(ctx context.Context) ([]string, error)
}

// Follower is a store where some tasks follow what writers do, also between tasks.
type Follower interface {
	// Follow is called before a task, and before writers are shut out for it: it does
	// what takes long and can be done while they are at work. Other tasks are ready.
	Follow(ctx context.Context, task Task) error
	// Unfollow ends what follows. It is called before the guards are given up.
	Unfollow()
}

// Fencer keeps clients that do not ask anybody from writing.
type Fencer interface {
	// Fence shuts writers out of everything that is the application's, and returns
	// when none of their writes is under way any more. It is put in force before
	// it waits for those: a *WaitError names who is still at it when the time of
	// the context is up, and the fence stands. keep is given what Lift needs before
	// anything is changed. Doing it again changes nothing. An error with a method
	// ByHand() bool that gives true says that an operator raises the fence now: what
	// keep was given has to stay.
	Fence(ctx context.Context, fence Fence, keep func(undo []byte) error) error
	// Lift takes a fence back: whoever could write before can write again.
	Lift(ctx context.Context, undo []byte) error
}

// Fence says who is shut out: by logins, or by the names of sessions, which are
// only as true as the clients are.
type Fence struct {
	Logins []string // those that there are not are passed over
	// Names are beginnings of sessions' names, up to the end of a word: "api/1.5"
	// is that of "api/1.5" and "api/1.5.3/a", not of "api/1.50".
	Names []string
	// Because is what a client reads that is shut out.
	Because string
}

// Banner keeps logins out altogether.
type Banner interface {
	// Ban lets logins make no sessions any more, and ends those that they have; it
	// returns when there is none. Logins that there are not are passed over. Doing it
	// again changes nothing.
	Ban(ctx context.Context, logins []string) error
}

// Whom lists who is shut out, for people; "": nobody.
func (f Fence) Whom() string {
	return strings.Join(append(slices.Clone(f.Logins), f.Names...), ", ")
}

// Unwrapper is what a wrapper around a Store implements, so that As finds the
// abilities below it.
type Unwrapper interface{ Unwrap() Store }

// As finds an ability of a store, also through wrappers.
func As[T any](s Store) (T, bool) {
	for s != nil {
		if ability, ok := s.(T); ok {
			return ability, true
		}
		wrapper, ok := s.(Unwrapper)
		if !ok {
			break
		}
		s = wrapper.Unwrap()
	}
	var none T
	return none, false
}
