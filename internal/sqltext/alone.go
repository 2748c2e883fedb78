package sqltext

// alone says why the statement cannot be in a transaction, "" if it can.
func (s *Statement) alone() string {
	if s.d == SQLite {
		return s.aloneInSQLite()
	}
	if s.aloneInPostgres() {
		what := s.Verb
		if s.Object != "" {
			what += " " + s.Object
		}
		if s.Partition.Base != "" {
			what += " DETACH PARTITION"
		}
		if s.Concurrently {
			what += " CONCURRENTLY"
		}
		return what + " cannot be in a transaction"
	}
	return ""
}

func (s *Statement) aloneInPostgres() bool {
	switch s.Verb {
	case "VACUUM":
		return true
	case "CLUSTER":
		return len(s.Names) == 0
	case "REINDEX":
		return s.Concurrently || s.Object == "SCHEMA" || s.Object == "DATABASE" || s.Object == "SYSTEM"
	case "CREATE", "DROP", "ALTER":
		return s.Concurrently || s.aloneObject()
	}
	return false
}

func (s *Statement) aloneObject() bool {
	switch s.Object {
	case "DATABASE":
		return s.Verb != "ALTER" || s.Reader().Has("TABLESPACE")
	case "TABLESPACE":
		return s.Verb != "ALTER"
	case "SYSTEM":
		return s.Verb == "ALTER"
	case "SUBSCRIPTION":
		return s.aloneSubscription()
	}
	return false
}

// aloneSubscription: what creates or drops a replication slot, or refreshes,
// speaks to another server and cannot be taken back.
func (s *Statement) aloneSubscription() bool {
	switch s.Verb {
	case "DROP":
		return true
	case "ALTER":
		return s.Reader().Has("REFRESH", "PUBLICATION")
	}
	r := s.Reader()
	if !r.Find("WITH") {
		return true
	}
	r.Take("WITH")
	r.Take("(")
	for _, option := range r.Items() {
		name := option.Next()
		option.Take("=")
		value := option.Next()
		off := value.IsAny("FALSE", "OFF", "NONE") || value.Text == "0" || value.Text == "'false'"
		if off && name.IsAny("CREATE_SLOT", "CONNECT", "SLOT_NAME") {
			return false
		}
	}
	return true
}

// alonePragmas change the whole file, which SQLite does only outside of a
// transaction.
var alonePragmas = map[string]bool{"journal_mode": true, "auto_vacuum": true, "page_size": true, "wal_checkpoint": true, "encoding": true}

func (s *Statement) aloneInSQLite() string {
	switch {
	case s.Verb == "VACUUM":
		return "VACUUM cannot be in a transaction"
	case s.Verb == "PRAGMA" && alonePragmas[lower(s.Name().Base)]:
		return "PRAGMA " + s.Name().Base + " has no effect in a transaction"
	}
	return ""
}
