package stopover

import (
	"os"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// grants takes the statements for one way of granting out of the documentation,
// so that what a DBA is told to type is what is tried.
func grants(t *testing.T, heading, database string) string {
	t.Helper()
	text, err := os.ReadFile("docs/postgres.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "### "+heading+"\n")
	_, rest, opened := strings.Cut(rest, "```sql\n")
	sql, _, closed := strings.Cut(rest, "```")
	if !found || !opened || !closed {
		t.Fatalf("docs/postgres.md has no statements under %q", heading)
	}
	return strings.NewReplacer("shop_owner", "owner_"+database, "shop_migrate", "migrate_"+database, "DATABASE shop", "DATABASE "+database).Replace(sql)
}

// A login that has just what the documentation grants can run an upgrade to its
// end, also when a dead runner has to be displaced.
func TestGrantsOfTheDocumentationAreEnough(t *testing.T) {
	for _, c := range []struct{ heading, role string }{
		{"A login of its own", ""},
		{"A login that takes on the owner's role", "owner_"},
	} {
		t.Run(c.heading, func(t *testing.T) {
			t.Parallel()
			server := testserver.Postgres(t)
			database := server.Database(t)
			server.Exec(t, database, "REVOKE ALL ON DATABASE "+database+" FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC")
			server.Exec(t, database, grants(t, c.heading, database))
			more := []string{"    schema: shop\n"}
			if c.role != "" {
				more = append(more, "    role: "+c.role+database+"\n")
			}
			s := project(t, server.URL(database)+"&search_path=shop", more...)
			s.write("url", server.URLAs("migrate_"+database, "", database))
			s.ordersStory()
			owner := c.role
			if owner == "" {
				owner = "migrate_"
			}
			if got := s.rows("SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class WHERE relnamespace = 'shop'::regnamespace"); len(got) != 1 || got[0] != owner+database {
				t.Errorf("what was made belongs to %q, not to %s", got, owner+database)
			}
			s.finish(t, []string{"verify"})
		})
	}
}
