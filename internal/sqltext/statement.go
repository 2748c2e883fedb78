package sqltext

// Statement is one statement of a script, and what is known of it.
type Statement struct {
	// Text is as written, from the first comment or word to the last, without
	// the semicolon. It may end in a `--` comment: put a line end before
	// whatever is appended.
	Text     string
	Offset   int // of Text in the script, in bytes
	Line     int // of Text's first byte
	CodeLine int // of its first word; comments may stand before it

	Verb   string // key word in capitals: "CREATE"; of WITH .. UPDATE it is "UPDATE"
	With   bool   // begins with WITH
	Object string // of CREATE, ALTER, DROP and the like: "TABLE", "MATERIALIZED VIEW"; of REINDEX its scope
	Names  []Name // the objects; of UPDATE, DELETE and INSERT the target; of PRAGMA its name
	Reads  bool   // a query that by its form changes nothing

	Concurrently bool
	Unique       bool // CREATE UNIQUE INDEX
	IfExists     bool
	IfNotExists  bool
	Cascade      bool // DROP or TRUNCATE .. CASCADE
	Table        Name // of CREATE INDEX, TRIGGER, RULE and POLICY: the table; of DETACH PARTITION: the parent
	Partition    Name // of ALTER TABLE .. DETACH PARTITION: the partition

	Alone   string // why it cannot be in a transaction; "": it can
	Refused string // why it must not be in a migration, and what to write instead; "": it may

	stream bool // a COPY from or to the client
	d      Dialect
	toks   []Token
}

// Name gives the first of Names, or an empty one.
func (s Statement) Name() Name {
	if len(s.Names) == 0 {
		return Name{}
	}
	return s.Names[0]
}

// Reader gives a reader at the statement's first token. Offsets are in Text.
func (s Statement) Reader() *Reader { return &Reader{d: s.d, toks: s.toks} }

// Parameters gives the statement's parameters ($1, ?, :name).
func (s Statement) Parameters() []Token {
	var found []Token
	for _, t := range s.toks {
		if t.Kind == Parameter {
			found = append(found, t)
		}
	}
	return found
}
