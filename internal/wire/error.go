package wire

// ErrorKind says for machines what sort of thing went wrong.
type ErrorKind string

// The kinds of errors. The exit code that usually goes with each is given.
const (
	KindUsage       ErrorKind = "usage"       // 2: the command line or a setting
	KindCatalogue   ErrorKind = "catalogue"   // 2: stopover.yaml or the migrations
	KindFailed      ErrorKind = "failed"      // 1: anything that broke and is none of the others
	KindStatement   ErrorKind = "statement"   // 1: a statement of a migration failed
	KindUnreachable ErrorKind = "unreachable" // 1: no connection
	KindRights      ErrorKind = "rights"      // 1: the login lacks a right, or the store takes no writes
	KindLocked      ErrorKind = "locked"      // 1: a lock inside the store was not had in time
	KindHeld        ErrorKind = "held"        // 3: another runner holds the lease
	KindDisplaced   ErrorKind = "displaced"   // 1: another runner took over
	KindRefused     ErrorKind = "refused"     // 3: a rule forbids it
	KindEdited      ErrorKind = "edited"      // 3: what was applied and what the files say differ
	KindStale       ErrorKind = "stale"       // 3: a plan file does not fit the present any more
	KindUndecided   ErrorKind = "undecided"   // 4: an operator must choose
	KindViolated    ErrorKind = "violated"    // 5: a verification found something
	KindNewer       ErrorKind = "newer"       // 6: the store is ahead of this catalogue or this stopover
	KindHook        ErrorKind = "hook"        // 1: a command of the user's failed
	KindInterrupted ErrorKind = "interrupted" // 130
)

// Error says what happened, to what, and what to do about it. Next commands
// stand in the Head.
type Error struct {
	Kind      ErrorKind `json:"kind"`
	Message   string    `json:"message"` // one sentence, without full stop
	Store     string    `json:"store,omitempty"`
	Migration string    `json:"migration,omitempty"`
	Step      string    `json:"step,omitempty"`
	File      string    `json:"file,omitempty"`
	Line      int       `json:"line,omitempty"`      // in File, from 1
	Statement int       `json:"statement,omitempty"` // of the step, from 1
	SQL       string    `json:"sql,omitempty"`       // the line at fault, as written
	Column    int       `json:"column,omitempty"`    // in SQL, in characters from 1
	Code      string    `json:"code,omitempty"`      // the store's own
	Detail    string    `json:"detail,omitempty"`
	Hint      string    `json:"hint,omitempty"`
	Evidence  []string  `json:"evidence,omitempty"` // what was seen, one line each
	Safe      string    `json:"safe,omitempty"`     // what is safe: "nothing was changed"
}

// Error gives the message, with the place where there is one.
func (e *Error) Error() string {
	if place := e.Place(); place != "" {
		return place + ": " + e.Message
	}
	return e.Message
}

// Place names what it happened to: "main 0042_currency.backfill".
func (e *Error) Place() string { return place(e.Store, e.Migration, e.Step) }

func place(store, migration, step string) string {
	name := migration
	if migration != "" && step != "" {
		name += "." + step
	}
	switch {
	case store == "":
		return name
	case name == "":
		return store
	}
	return store + " " + name
}
