package stopover

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/wire"
)

// shutOutSite is a store with the logins of two releases, neither of which holds a
// lease, and a contract that hurts the older one.
func shutOutSite(t *testing.T) (s *site, old, fresh string) {
	s = newSite(t, "postgres")
	s.migration("0001_orders", "-- stopover: expand\nCREATE TABLE orders (id int PRIMARY KEY, currency text, cur_code text);\n")
	a := s.app()
	if _, err := a.Apply(wait(t), ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	prefix := "api_" + strings.TrimPrefix(u.Path, "/") + "_"
	s.write("stopover.yaml", `application: shop
stores:
  main: {url: "${file:url}", kind: postgres, migrations: migrations, fence: {api: {login: "`+prefix+`{release}"}}}
components:
  api: {main: rw}
releases: ["1.5", "1.6"]
`)
	s.migration("0002_drop", "-- stopover: contract writers=1.6 readers=1.6\nALTER TABLE orders DROP COLUMN cur_code;\n")
	old, fresh = prefix+"1_5", prefix+"1_6"
	for _, login := range []string{old, fresh} {
		s.exec("CREATE ROLE " + login + " LOGIN")
		s.exec("GRANT SELECT, INSERT ON orders TO " + login)
		t.Cleanup(func() { s.exec("DROP OWNED BY " + login); s.exec("DROP ROLE " + login) })
	}
	return s, old, fresh
}

// as opens the site's database as a login.
func (s *site) as(t *testing.T, login string) *sql.DB {
	t.Helper()
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(login)
	query := u.Query()
	query.Set("application_name", "api")
	u.RawQuery = query.Encode()
	db, err := sql.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestCleanupShutsOlderReleasesOut is about programs without leases: a contract waits
// for an attestation, or shuts the logins of older releases out for good.
func TestCleanupShutsOlderReleasesOut(t *testing.T) {
	t.Parallel()
	s, old, fresh := shutOutSite(t)
	running, err := s.as(t, old).Conn(wait(t))
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	if _, err := running.ExecContext(wait(t), "INSERT INTO orders VALUES (1, 'EUR', 'EUR')"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.app().Attest(wait(t), Statement{Client: s.one("SELECT current_user"), Reason: "the test itself"}); err != nil {
		t.Fatal(err)
	}
	_, err = s.app().Cleanup(wait(t), CleanupOptions{})
	var refused *Failure
	if !errors.As(err, &refused) || refused.Exit != ExitRefused || !slices.Contains(refused.Next, "stopover cleanup --shut-out") {
		t.Fatalf("%v, next %q", err, refused.Next)
	}
	asked := ""
	report, err := s.app().Cleanup(wait(t), CleanupOptions{ShutOut: true, Confirm: func(question string, _ *wire.Plan) (bool, error) {
		asked = question
		return true, nil
	}})
	if err != nil || len(report.Did) == 0 || !strings.Contains(asked, "Shut out "+old) || strings.Contains(asked, fresh) {
		t.Fatalf("%v, %+v, asked %q", err, report, asked)
	}
	if err := running.PingContext(wait(t)); err == nil {
		t.Error("a session of the old release goes on")
	}
	if err := s.as(t, old).PingContext(wait(t)); err == nil {
		t.Error("the old release logs in again")
	}
	if _, err := s.as(t, fresh).ExecContext(wait(t), "INSERT INTO orders VALUES (2, 'EUR')"); err != nil {
		t.Errorf("the new release: %v", err)
	}
	shown, err := s.app().Fleet(wait(t))
	if err != nil || !slices.Equal(shown.Stores[0].ShutOut, []string{old}) {
		t.Errorf("the fleet shows %+v, %v", shown.Stores, err)
	}
}

// TestALeaseIsNotShutOut: whoever is known to be alive is waited for.
func TestALeaseIsNotShutOut(t *testing.T) {
	t.Parallel()
	s, old, _ := shutOutSite(t)
	i := join(t, s.app(), "api", "1.5", "api-1")
	_, err := s.app().Cleanup(wait(t), CleanupOptions{ShutOut: true})
	var refused *Failure
	if !errors.As(err, &refused) || refused.Exit != ExitRefused || slices.Contains(refused.Next, "stopover cleanup --shut-out") {
		t.Fatalf("%v", err)
	}
	if err := s.as(t, old).PingContext(context.Background()); err != nil {
		t.Errorf("it was shut out all the same: %v", err)
	}
	i.Leave(wait(t))
}

// TestCleanupShutsUsersOutOfRedis is the same with users of a Redis.
func TestCleanupShutsUsersOutOfRedis(t *testing.T) {
	t.Parallel()
	s := newCartSite(t)
	old := s.as(t, "1.5")
	if err := old.HIncrBy(wait(t), "shop:cart:1", "n", 1).Err(); err != nil {
		t.Fatal(err)
	}
	redisErrands(t, s.dir, "switch")
	a, err := Open(testConfig(s.dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	if _, err := a.Cleanup(wait(t), CleanupOptions{}); err == nil {
		t.Fatal("what runs of the api is not known, and the contract ran")
	}
	if _, err := a.Cleanup(wait(t), CleanupOptions{ShutOut: true}); err != nil {
		t.Fatal(err)
	}
	if left, renamed := carts(t, s.server); left != 0 || renamed != 1 {
		t.Errorf("%d old and %d new keys are there", left, renamed)
	}
	if err := s.as(t, "1.5").Ping(wait(t)).Err(); err == nil {
		t.Error("the old release logs in again")
	}
	if err := s.as(t, "1.6").Get(wait(t), "shop:x").Err(); err == nil || strings.Contains(err.Error(), "NOAUTH") || strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("the new release: %v", err)
	}
}
