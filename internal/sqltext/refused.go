package sqltext

const ownTransaction = "the transaction is opened and closed around the section, together with its record: delete this statement (`each` runs every statement by itself)"

// refused says why the statement must not be in a migration, and what to write
// instead; "" if it may.
func (s *Statement) refused() string {
	if s.d == SQLite {
		return s.refusedInSQLite()
	}
	if s.stream {
		return "COPY from or to the client cannot be in a migration: write INSERT statements (pg_dump --inserts), or load the data in Go"
	}
	r := s.Reader()
	switch s.Verb {
	case "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT":
		return s.Verb + ": " + ownTransaction
	case "SAVEPOINT", "RELEASE":
		return s.Verb + ": savepoints are not allowed in a section, as one that is left open changes what is recorded: delete it, or use a DO block with EXCEPTION"
	case "PREPARE":
		if r.Is("PREPARE", "TRANSACTION") {
			return "PREPARE TRANSACTION: " + ownTransaction
		}
	case "SET":
		return refusedSetting(r)
	case "RESET":
		if r.Is("RESET", "ALL") {
			return "RESET ALL also takes away the limits that guard this work: reset each setting by its name"
		}
	case "DISCARD", "LISTEN", "UNLISTEN":
		return s.Verb + " changes the session, which belongs to the runner and may be shared through a pooler: delete it"
	case "CREATE":
		if s.Object == "INDEX" && s.Concurrently && len(s.Names) == 0 {
			return "CREATE INDEX CONCURRENTLY without a name would make a second index when it is run again after a crash: name the index"
		}
	}
	return ""
}

func refusedSetting(r *Reader) string {
	r.Take("SET")
	r.TakeAny("LOCAL")
	switch {
	case r.Is("TRANSACTION"):
		return "SET TRANSACTION: " + ownTransaction
	case r.Is("SESSION", "CHARACTERISTICS"):
		return "SET SESSION CHARACTERISTICS would stay with the session, which may be shared through a pooler: delete it"
	}
	r.Take("SESSION")
	if !r.Take("STANDARD_CONFORMING_STRINGS") {
		return ""
	}
	r.TakeAny("TO", "=")
	value := r.Next()
	if value.IsAny("ON", "TRUE") || value.Text == "'on'" {
		return ""
	}
	return "standard_conforming_strings must stay on: write E'..' where backslashes are meant as escapes"
}

func (s *Statement) refusedInSQLite() string {
	switch s.Verb {
	case "BEGIN", "COMMIT", "END", "ROLLBACK":
		return s.Verb + ": " + ownTransaction
	case "SAVEPOINT", "RELEASE":
		return s.Verb + ": savepoints are not allowed in a section, as one that is left open changes what is recorded: delete it"
	case "ATTACH", "DETACH":
		return s.Verb + ": a migration changes one store, and an attached file belongs to one connection only: write a migration for the other file's store, or move the records in Go"
	case ".":
		return "a line that begins with a dot is a command of the sqlite3 shell, not SQL: delete it, or write it as a statement"
	case "PRAGMA":
		if lower(s.Name().Base) == "foreign_keys" && s.sets() {
			return "PRAGMA foreign_keys does nothing inside a transaction: delete it; a section that drops a table is performed without enforcement, and checked at its end"
		}
	}
	return ""
}

// sets says whether a PRAGMA is given a value.
func (s *Statement) sets() bool {
	for _, t := range s.toks {
		if t.IsAny("=", "(") {
			return true
		}
	}
	return false
}
