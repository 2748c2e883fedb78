package store

import "context"

// Kind is a sort of store: how one is opened, and how the sections of
// migration files are understood for it. The list of kinds is put together in
// cmd, or by the application that embeds the library; no kind registers itself.
type Kind struct {
	Name    string   // "postgres"; also written as `kind:` in stopover.yaml
	Schemes []string // of URLs: "postgres", "postgresql"

	// Open opens a store. A first connection gives up after 10 s with an
	// *UnreachableError. It changes nothing and need not connect at once.
	Open func(ctx context.Context, settings Settings) (Store, error)

	// Parse understands one section of a migration file, without a connection.
	// The error is a *SyntaxError where a place can be named.
	Parse func(section Section) (Parsed, error)

	// Scratch opens an empty store of this kind for lint and tests and gives it
	// up on Close. base are the settings of the real store; a kind that needs a
	// server uses base.URL as the server to make it on, beside the real one.
	// nil: the kind has none.
	Scratch func(ctx context.Context, base Settings) (Store, error)
}

// Settings say where a store is and what in it belongs to the application.
type Settings struct {
	Name    string            // of the store in the catalogue, for messages
	URL     string            // may contain a password: never printed
	Options map[string]string // further keys of the store in stopover.yaml: "schema", "direct_url", "role", "prefix"
	Dir     string            // relative file names in URLs are below it; "": the working directory
}

// Section is one section of a migration file.
type Section struct {
	File  string // for messages
	Line  int    // of the first line of Text in File
	Text  string
	Shape Shape  // what the step wants: Whole, Stretched or Query
	Each  bool   // statement by statement instead of one transaction
	Table string // the directive's table=, "" if not given

	// Begins are mirrors to be set up behind the section's statements, Ends
	// those to be taken away before them, in the same transaction where the
	// section is one. A kind that keeps no mirrors refuses both by name.
	Begins, Ends []Mirror

	// Predicate: the text is the `when` of a step, a Query. The step applies if it
	// finds something.
	Predicate bool

	// Contract: the section is a contract, behind which there is no way back.
	Contract bool

	// Cutover: the section makes the new form the one that counts.
	Cutover bool

	// Followed: the file has such a section, and until it is done writers of the old
	// form may be at work.
	Followed bool

	// About is the Stretched section of the same file, for a kind whose other
	// sections speak of it; nil: this one, or there is none.
	About *Section
}

// Mirror is a pair of columns of a table that the store itself keeps in step,
// both ways, whoever writes which of them.
type Mirror struct {
	Name     string // unique in the store; what the store makes for it is named after it
	Line     int    // of its declaration, in Section.File
	Table    string // as written
	Old, New string // columns, as written
	Up, Down string // expressions that give New from Old, and Old from New; both "": the value itself
}

// Parsed is a section understood.
type Parsed struct {
	Action Action
	// Repeatable: a Stretched action whose own condition finds what is still to
	// do, so that it may be swept again over everything.
	Repeatable bool
	// Match is a Query for what a repeatable Stretched action would still
	// change; nil if it cannot be told.
	Match Action
	Facts []Fact
	// Else is why a step does not apply whose predicate finds nothing, in words of
	// the file; "": they are made of the predicate's text.
	Else string
}

// Fact is something that a statement does to the application, derived from its
// text. Declarations that contradict facts are lint errors.
type Fact struct {
	Kind    FactKind
	Object  string // "orders.currency"
	Line    int
	Message string // a sentence for people
}

// FactKind is what is known of a statement.
type FactKind uint8

const (
	Destroys     FactKind = iota + 1 // drops or renames what old code may still use, or deletes data
	BreaksInsert                     // a NOT NULL column without default: inserts of old code fail, and so does the statement on a table with rows
	Blocks                           // holds a lock that stops readers or writers for long
	Risky                            // anything else that a reviewer should see
)

// Sealed is the action of a contract that proves each record by itself, from
// what was kept of it when it was verified. The queries of the verification are
// not asked before it: by then new code may have changed what they compare.
type Sealed interface {
	Action
	// Seals gives the Stretched action that keeps the proofs. It is performed
	// with the verify, when that found nothing.
	Seals() Action
}
