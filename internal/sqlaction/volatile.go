package sqlaction

import (
	"strings"

	"github.com/stopover-dev/stopover/internal/sqltext"
)

// volatile are PostgreSQL's own functions that give another value for each row.
var volatile = map[string]bool{
	"random": true, "random_normal": true, "gen_random_uuid": true, "gen_random_bytes": true, "uuidv4": true, "uuidv7": true,
	"uuid_generate_v1": true, "uuid_generate_v1mc": true, "uuid_generate_v4": true, "clock_timestamp": true,
	"timeofday": true, "nextval": true, "currval": true, "lastval": true, "setval": true, "pg_sleep": true, "txid_current": true,
}

// steady are functions, and types with a length, that give one value for all
// rows of a statement.
var steady = map[string]bool{
	"now": true, "statement_timestamp": true, "transaction_timestamp": true, "current_timestamp": true, "localtimestamp": true,
	"current_time": true, "localtime": true, "current_setting": true, "date_trunc": true, "timezone": true, "to_timestamp": true,
	"make_date": true, "make_interval": true, "make_timestamptz": true, "extract": true, "age": true, "lower": true, "upper": true,
	"md5": true, "concat": true, "coalesce": true, "nullif": true, "greatest": true, "least": true, "cast": true, "row": true,
	"array": true, "to_jsonb": true, "to_json": true, "jsonb_build_object": true, "jsonb_build_array": true, "json_build_object": true,
	"json_build_array": true, "length": true, "round": true, "floor": true, "abs": true, "to_char": true, "substr": true, "substring": true,
	"varying": true, "varchar": true, "char": true, "character": true, "numeric": true, "decimal": true, "bit": true, "time": true,
	"timestamp": true, "timestamptz": true, "interval": true, "and": true, "or": true, "not": true, "in": true, "default": true,
	"pg_current_xact_id": true, "trim": true, "repeat": true, "int4range": true, "tstzrange": true, "daterange": true,
}

// volatileDefault looks into the DEFAULT of a column's definition: it gives a
// function that is called there and whether that is known to be volatile; "" if
// all that is called is known to be steady.
func volatileDefault(definition *sqltext.Reader) (function string, known bool) {
	r := definition.Fork()
	if !r.Find("DEFAULT") {
		return "", false
	}
	r.Next()
	// The expression ends at the next word of a column's definition; brackets
	// are looked into.
	for depth := 0; !r.AtEnd(); {
		t := r.Next()
		switch {
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		case depth == 0 && t.IsAny("CONSTRAINT", "CHECK", "REFERENCES", "UNIQUE", "PRIMARY", "GENERATED", "COLLATE"):
			return function, false
		case t.Kind == sqltext.Word && r.Is("("):
			name := strings.ToLower(t.Text)
			if volatile[name] {
				return name, true
			}
			if !steady[name] && !r.Peek(-2).IsAny("::", "AS") {
				function = name
			}
		}
	}
	return function, false
}
