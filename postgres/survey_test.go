package postgres_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

const canary = "c4nary"

func TestNoPasswordInAnyError(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	wrong := testserver.Postgres(t).URLAs("nobody_here", canary, "postgres")
	for _, settings := range []store.Settings{
		{URL: "postgres://u:" + canary + "@[bad/shop"},
		{URL: "postgres://u:" + canary + "%zz@host/shop"},
		{URL: "postgres://u:" + canary + "/x@host:99999999/shop"},
		{URL: "postgres://u:" + canary + "@host/shop?sslmode=" + canary},
		{URL: "host=h password='" + canary + " user=u"},
		{URL: "postgres://u:" + canary + "@127.0.0.1:1/shop"},
		{URL: "postgres://u:" + canary + "@no-such-host.invalid/shop"},
		{URL: wrong},
		{URL: wrong, Options: map[string]string{"direct_url": "postgres://u:" + canary + "@[bad"}},
	} {
		s, err := postgres.Open(t.Context(), settings)
		if err == nil {
			_, err = s.Survey(t.Context())
			s.Close()
			wantError[*store.UnreachableError](t, err)
		}
		for e := err; e != nil; e = unwrapped(e) {
			if text := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(text, canary) {
				t.Errorf("the password is in %s", text)
			}
		}
	}
}

func unwrapped(err error) error {
	if wrapper, ok := err.(interface{ Unwrap() error }); ok {
		return wrapper.Unwrap()
	}
	return nil
}

// A server that takes connections and says nothing is given up on.
func TestSilentServer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	s := opened(t, store.Settings{URL: "postgres://u:" + canary + "@" + silent.Addr().String() + "/shop?connect_timeout=1"})
	began := time.Now()
	_, err = s.Look(t.Context())
	wantError[*store.UnreachableError](t, err)
	if took := time.Since(began); took > 11*time.Second {
		t.Errorf("gave up after %s", took)
	}
}

func TestSurveyTellsMissingRights(t *testing.T) {
	server := testserver.Postgres(t)
	database := server.Database(t)
	server.Exec(t, database, fmt.Sprintf("CREATE ROLE reader_%s LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 41000); ANALYZE", database))
	s := opened(t, store.Settings{URL: server.URLAs("reader_"+database, canary, database)})
	survey, err := s.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(survey.Missing, []string{"CREATE on schema public"}) || survey.ReadOnly || survey.Empty || survey.Stamped {
		t.Errorf("survey %+v", survey)
	}
	if !slices.Equal(survey.Evidence, []string{"table orders (about 41,000 rows)"}) {
		t.Errorf("evidence %q", survey.Evidence)
	}
	if !strings.HasPrefix(survey.Server, "PostgreSQL 1") || !strings.HasPrefix(survey.Place, database+" on 127.0.0.1:") || !strings.HasSuffix(survey.Place, ", schema public") {
		t.Errorf("server %q, place %q", survey.Server, survey.Place)
	}
	refused := wantError[*store.RightsError](t, s.Prepare(t.Context()))
	if refused.Missing != "CREATE on schema public" {
		t.Errorf("missing %q", refused.Missing)
	}
	if _, err := s.Swap(t.Context(), nil, store.Note{Key: "a", Value: []byte("1")}); err == nil || !strings.Contains(err.Error(), "no books") {
		t.Errorf("Swap without books: %v", err)
	}
	owner := opened(t, store.Settings{URL: server.URL(database)})
	if err := owner.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	survey, err = s.Survey(t.Context())
	if err != nil || !slices.Contains(survey.Missing, "SELECT, INSERT, UPDATE, DELETE on table public.stopover_note") {
		t.Errorf("books that may not be read: %+v, %v", survey, err)
	}
	server.Exec(t, database, "GRANT SELECT, INSERT ON stopover_note TO reader_"+database)
	survey, err = s.Survey(t.Context())
	if err != nil || !slices.Equal(survey.Missing, []string{"CREATE on schema public", "UPDATE, DELETE on table public.stopover_note"}) {
		t.Errorf("books that may not be written: %+v, %v", survey, err)
	}
	server.Exec(t, database, "ALTER DATABASE "+database+" SET default_transaction_read_only = on")
	s = opened(t, store.Settings{URL: server.URL(database)})
	if survey, err := s.Survey(t.Context()); err != nil || !survey.ReadOnly {
		t.Errorf("read only %t, error %v", survey.ReadOnly, err)
	}
	_, err = s.Swap(t.Context(), nil, store.Note{Key: "a", Value: []byte("1")})
	wantError[*store.RightsError](t, err)
}

// Books, objects and sessions of a role, in a schema whose name has to be
// quoted in every way.
func TestSchemaAndRole(t *testing.T) {
	server := testserver.Postgres(t)
	database := server.Database(t)
	schema := `we"ird 's`
	role := "owner_" + database
	server.Exec(t, database, fmt.Sprintf("CREATE ROLE %s; CREATE ROLE login_%s LOGIN NOINHERIT IN ROLE %s; GRANT CREATE ON DATABASE %s TO %s", role, database, role, database, role))
	s := opened(t, store.Settings{URL: server.URLAs("login_"+database, "", database), Options: map[string]string{"schema": schema, "role": role}})
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	swap(t, s, store.Note{Key: "ledger/0001_a/expand", Value: []byte(`{"rows":1}`)})
	if err := do(t, s, "CREATE TABLE mine (id int)"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Do(t.Context(), store.Task{Action: action(store.Whole, "CREATE INDEX CONCURRENTLY mine_id ON mine (id)")}); err != nil {
		t.Fatal(err)
	}
	if !isNoted(t, s) {
		t.Error("not noted")
	}
	url := server.URL(database)
	wantRows(t, url, `SELECT migration || ' ' || step FROM "we""ird 's".stopover_ledger`, "0001_a expand")
	wantRows(t, url, `SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class WHERE relnamespace = '"we""ird ''s"'::regnamespace`, role)
	lines, err := s.Describe(t.Context())
	if err != nil || !slices.Equal(lines, []string{"column mine.id integer", `index mine_id on "we""ird 's".mine USING btree (id)`, "table mine"}) {
		t.Errorf("described as %q, error %v", lines, err)
	}
}

func TestNewTakesAnApplicationsPool(t *testing.T) {
	config, err := pgxpool.ParseConfig(testserver.Postgres(t).NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.RuntimeParams["work_mem"] = "7MB"
	before := goleak.IgnoreCurrent()
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	s, err := postgres.New(pool, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := do(t, s, "SET work_mem = '99MB'"); err != nil {
		t.Fatal(err)
	}
	var memory string
	if err := pool.QueryRow(t.Context(), "SHOW work_mem").Scan(&memory); err != nil || memory != "7MB" {
		t.Errorf("the application's own setting is %s, error %v", memory, err)
	}
	s.Close()
	pool.Close()
	goleak.VerifyNone(t, before)
}

func TestScratchComesAndGoes(t *testing.T) {
	server := testserver.OwnPostgres(t)
	database := server.Database(t)
	base := store.Settings{Name: "main", URL: server.URL(database), Options: map[string]string{"schema": "shop"}}
	s, err := postgres.Kind().Scratch(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := do(t, s, "CREATE TABLE a (id int)"); err != nil {
		t.Fatal(err)
	}
	if _, ok := store.As[store.Describer](s); !ok {
		t.Error("a scratch store has lost its abilities")
	}
	const scratches = "SELECT datname::text FROM pg_database WHERE datname ~ '^stopover_scratch_'"
	if n := len(ask(t, server.URL(database), scratches)); n != 1 {
		t.Errorf("%d scratch databases, want 1", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantRows(t, server.URL(database), scratches)
	server.Exec(t, database, "CREATE ROLE poor LOGIN")
	base.URL = server.URLAs("poor", "", database)
	_, err = postgres.Kind().Scratch(context.Background(), base)
	wantError[*store.RightsError](t, err)
}

func TestUnknownOptionIsRefused(t *testing.T) {
	_, err := postgres.Open(t.Context(), store.Settings{Name: "main", URL: "postgres://h/d", Options: map[string]string{"prefix": "x"}})
	if err == nil || !strings.Contains(err.Error(), `"prefix"`) {
		t.Errorf("error %v", err)
	}
}
