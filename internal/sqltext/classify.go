package sqltext

import "strings"

// classify fills in what the statement's tokens tell.
func (s *Statement) classify() {
	r := s.Reader()
	for r.Take("(") {
	}
	changing := false
	if r.Is("WITH") {
		s.With = true
		changing = skipWith(r)
		for r.Take("(") {
		}
	}
	first := r.Next()
	s.Verb = strings.ToUpper(first.Text)
	switch s.Verb {
	case "SELECT", "VALUES", "TABLE":
		s.Reads = !changing && !(s.d == Postgres && r.Has("INTO"))
	case "CREATE", "ALTER", "DROP", "COMMENT", "REFRESH", "IMPORT":
		s.object(r)
	case "UPDATE", "DELETE", "INSERT", "REPLACE", "MERGE", "TRUNCATE", "COPY", "LOCK":
		s.written(r)
	case "REINDEX", "VACUUM", "CLUSTER", "ANALYZE", "PRAGMA":
		s.upkeep(r)
	}
	s.Alone = s.alone()
	s.Refused = s.refused()
}

// skipWith moves behind the named queries of WITH and says whether one of them
// changes data.
func skipWith(r *Reader) bool {
	r.Take("WITH")
	r.Take("RECURSIVE")
	changing := false
	for {
		r.Identifier()
		if r.Is("(") {
			r.Skip()
		}
		r.Take("AS")
		r.Take("NOT")
		r.Take("MATERIALIZED")
		changing = changesData(r.Fork()) || changing
		r.Skip()
		if r.Peek(0).IsAny("SEARCH", "CYCLE") {
			r.Find("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE")
			return changing
		}
		if !r.Take(",") {
			return changing
		}
	}
}

// changesData says whether the query in the bracket ahead changes data.
func changesData(r *Reader) bool {
	if !r.Take("(") {
		return false
	}
	if r.Is("WITH") && skipWith(r) {
		return true
	}
	return r.Peek(0).IsAny("INSERT", "UPDATE", "DELETE", "MERGE")
}

// modifiers stand between CREATE and the kind of object.
var modifiers = []string{"GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "RECURSIVE", "CONSTRAINT", "TRUSTED", "PROCEDURAL", "VIRTUAL"}

// longObjects are the kinds of objects of more than one word.
var longObjects = [][]string{
	{"MATERIALIZED", "VIEW"}, {"FOREIGN", "TABLE"}, {"FOREIGN", "DATA", "WRAPPER"}, {"EVENT", "TRIGGER"},
	{"ACCESS", "METHOD"}, {"TEXT", "SEARCH", "CONFIGURATION"}, {"TEXT", "SEARCH", "DICTIONARY"},
	{"TEXT", "SEARCH", "PARSER"}, {"TEXT", "SEARCH", "TEMPLATE"}, {"OPERATOR", "CLASS"}, {"OPERATOR", "FAMILY"},
	{"USER", "MAPPING"}, {"LARGE", "OBJECT"}, {"DEFAULT", "PRIVILEGES"}, {"OWNED", "BY"},
}

// object reads CREATE, ALTER, DROP and COMMENT ON up to the object's name.
func (s *Statement) object(r *Reader) {
	r.Take("ON")
	r.Take("OR", "REPLACE")
	r.TakeAny(modifiers...)
	s.Unique = r.Take("UNIQUE")
	s.Object = takeObject(r)
	s.Concurrently = r.Take("CONCURRENTLY")
	s.IfExists = r.Take("IF", "EXISTS")
	s.IfNotExists = r.Take("IF", "NOT", "EXISTS")
	if s.Object == "TABLE" || s.Object == "FOREIGN TABLE" {
		r.Take("ONLY")
	}
	if !r.Is("ON") {
		s.Names = r.Names()
	}
	s.Cascade = s.Verb == "DROP" && r.Has("CASCADE")
	switch s.Object {
	case "INDEX", "TRIGGER", "RULE", "POLICY":
		s.onTable(r)
	case "TABLE":
		s.detach(r)
	}
}

// onTable reads the table that an index, trigger, rule or policy is of.
func (s *Statement) onTable(r *Reader) {
	word := "ON"
	if s.Object == "RULE" && s.Verb == "CREATE" {
		word = "TO" // CREATE RULE name AS ON event TO table
	}
	if r.Find(word) {
		r.Next()
		r.Take("ONLY")
		s.Table, _ = r.Name()
	}
}

func takeObject(r *Reader) string {
	for _, words := range longObjects {
		if r.Take(words...) {
			return strings.Join(words, " ")
		}
	}
	return strings.ToUpper(r.Next().Text)
}

// detach reads ALTER TABLE parent DETACH PARTITION name [CONCURRENTLY].
func (s *Statement) detach(r *Reader) {
	r.Take("*")
	if s.Verb != "ALTER" || !r.Take("DETACH", "PARTITION") {
		return
	}
	s.Table = s.Name()
	s.Partition, _ = r.Name()
	s.Concurrently = r.Take("CONCURRENTLY")
}

// written reads a statement that changes rows, up to its target.
func (s *Statement) written(r *Reader) {
	if s.Verb == "UPDATE" || s.Verb == "INSERT" {
		if r.Take("OR") {
			r.Next()
		}
	}
	r.TakeAny("FROM", "INTO", "TABLE")
	bracket := r.Take("ONLY") && r.Take("(")
	if s.Verb == "TRUNCATE" {
		s.Names = r.Names()
		s.Cascade = r.Has("CASCADE")
		return
	}
	if name, found := r.Name(); found {
		s.Names = []Name{name}
	}
	if bracket {
		r.Take(")")
	}
	if s.Verb == "COPY" && s.d == Postgres {
		s.stream = streams(r)
	}
}

// streams says whether a COPY reads from or writes to the client.
func streams(r *Reader) bool {
	if !r.Find("FROM", "TO") {
		return false
	}
	r.Next()
	return r.Peek(0).IsAny("STDIN", "STDOUT")
}

// upkeep reads REINDEX, VACUUM, CLUSTER, ANALYZE and PRAGMA.
func (s *Statement) upkeep(r *Reader) {
	if r.Is("(") {
		options := r.Fork()
		options.Next()
		s.Concurrently = options.Has("CONCURRENTLY")
		r.Skip()
	}
	if s.Verb == "REINDEX" && s.d == Postgres {
		s.Object = strings.ToUpper(r.Next().Text)
		s.Concurrently = r.Take("CONCURRENTLY") || s.Concurrently
	}
	r.TakeAny("FULL", "FREEZE", "VERBOSE", "ANALYZE")
	s.Names = r.Names()
}
