package stopover

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

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
	return strings.NewReplacer("shop_owner", "owner_"+database, "shop_migrate", "migrate_"+database, "shop_lease", "lease_"+database, "DATABASE shop", "DATABASE "+database).Replace(sql)
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

// An instance whose own login may only read joins by the login for leases, with
// what the documentation grants that, and not without it.
func TestReadersJoinByALoginForLeases(t *testing.T) {
	t.Parallel()
	server := testserver.Postgres(t)
	database := server.Database(t)
	server.Exec(t, database, "CREATE SCHEMA shop; REVOKE ALL ON DATABASE "+database+" FROM PUBLIC")
	s := project(t, server.URL(database)+"&search_path=shop", "    schema: shop\n")
	s.write("stopover.yaml", s.read("stopover.yaml")+"components: {web: {main: ro}}\nreleases: [\"1.4\"]\n")
	s.migration("0001_orders", "-- stopover: expand\nCREATE TABLE orders (id integer PRIMARY KEY);\n")
	s.finish(t, []string{"apply"})
	server.Exec(t, database, strings.NewReplacer("shop_read", "read_"+database).Replace(`CREATE ROLE shop_read LOGIN;
		GRANT CONNECT ON DATABASE `+database+` TO shop_read; GRANT USAGE ON SCHEMA shop TO shop_read; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO shop_read`))
	server.Exec(t, database, grants(t, "A login for leases", database))
	s.write("url", server.URLAs("read_"+database, "", database))
	a := s.app()
	_, err := a.Join(wait(t), JoinOptions{Component: "web", Release: "1.4", Instance: "web-1"})
	if err == nil || !strings.Contains(err.Error()+hintOf(err), "lease_url") {
		t.Errorf("a login that may only read joins: %v", err)
	}
	if shown, err := a.Fleet(wait(t)); err != nil || !strings.Contains(shown.Components[0].Because, "it counts by attestation only") {
		t.Errorf("the fleet says %+v, %v", shown, err)
	}
	s.write("lease", server.URLAs("lease_"+database, "", database))
	s.write("stopover.yaml", strings.Replace(s.read("stopover.yaml"), "schema: shop", "schema: shop\n    lease_url: ${file:lease}", 1))
	a = s.app()
	if _, err := a.Ready(wait(t), ReadyOptions{Component: "web", Release: "1.4"}); err != nil {
		t.Fatal(err)
	}
	i, err := a.Join(wait(t), JoinOptions{Component: "web", Release: "1.4", Instance: "web-1", TTL: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	before := s.one("SELECT rev FROM shop.stopover_note WHERE key = 'fleet/web/web-1'")
	eventually(t, func() bool {
		return s.one("SELECT rev FROM shop.stopover_note WHERE key = 'fleet/web/web-1'") != before
	})
	if status, err := s.app().Fleet(wait(t)); err != nil || len(status.Components[0].Instances) != 1 || strings.Contains(status.Components[0].Because, "attestation only") {
		t.Errorf("by the reader's own login the fleet is %+v, %v", status, err)
	}
	i.Leave(wait(t))
	if left := s.rows("SELECT key FROM shop.stopover_note WHERE key LIKE 'fleet/%'"); len(left) > 0 {
		t.Errorf("leases are left: %q", left)
	}
}

func hintOf(err error) string {
	var f *Failure
	if errors.As(err, &f) {
		return " " + f.Detail.Hint
	}
	return ""
}
