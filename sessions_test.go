package stopover

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

// TestUnknownSessionStopsAContract opens a session that holds no lease: the
// contract waits, it is named, and an operator's statement explains it.
func TestUnknownSessionStopsAContract(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	shopWithReleases(t, s)
	s.write("stopover.yaml", strings.Replace(s.read("stopover.yaml"), ", clients: {ignore: [\""+s.one("SELECT current_user")+"\"]}", "", 1))
	a := s.app()
	join(t, a, "worker", "1.6", "worker-1").Leave(wait(t))
	join(t, a, "api", "1.6", "api-1").Leave(wait(t))
	_ = s.db.Close() // the test's own sessions

	db, err := sql.Open("pgx", s.url+"&application_name=reports")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	report, err := a.Cleanup(wait(t), CleanupOptions{})
	if exitOf(err) != ExitRefused || len(report.Refused) != 1 || !strings.Contains(strings.Join(report.Refused[0].Evidence, "\n"), `"reports"`) {
		t.Fatalf("a contract beside a client without a lease: %v, %+v", err, report.Refused)
	}
	doc, err := a.Fleet(wait(t))
	if err != nil || len(doc.Stores[0].Unknown) != 1 || doc.Stores[0].Unknown[0].Name != "reports" {
		t.Fatalf("%v, %+v", err, doc.Stores)
	}
	if _, err := a.Attest(wait(t), Statement{Client: "reports", Reason: "reads a view"}); err != nil {
		t.Fatal(err)
	}
	if report, err := a.Cleanup(wait(t), CleanupOptions{}); err != nil {
		t.Fatalf("after it was attested: %v, %+v", err, report.Refused)
	}
}

func TestNamesOfSessions(t *testing.T) {
	long := strings.Repeat("x", 70)
	for _, c := range []struct {
		name, word string
		want       bool
	}{
		{"api", "api", true}, {"API/7f9", "api", true}, {"api-1", "api", true}, {"apidoc", "api", false}, {"", "", false},
		{"", "api", false}, {"Metabase v0.50 [x]", "metabase", true}, {long[:63], long, true}, {"stopover/ab/1", "stopover", true},
	} {
		if got := begins(c.name, c.word); got != c.want {
			t.Errorf("%q begins with %q: %v", c.name, c.word, got)
		}
	}
	session := store.Session{Name: "x", User: "bi", Client: "10.0.0.7"}
	if !isClient(session, "bi") || !isClient(session, "10.0.0.7") || isClient(session, "b") {
		t.Error("a client is named by its user or its address too, whole")
	}
}
