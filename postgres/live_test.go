package postgres_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

func TestSplitsPartTheRowsEvenlyByAnyKey(t *testing.T) {
	for _, c := range []struct{ name, columns, values string }{
		{"bigint", "id bigint PRIMARY KEY", "g"},
		{"uuid", "id uuid PRIMARY KEY", "md5(g::text)::uuid"},
		{"two columns", "a int NOT NULL, id text NOT NULL, PRIMARY KEY (a, id)", "g % 3, md5(g::text)"},
		{"times", "id timestamptz PRIMARY KEY", "'2024-01-31 12:00+01'::timestamptz + g * interval '37.123456 s'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := prepared(t)
			run(t, url, fmt.Sprintf("CREATE TABLE t (%s, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT %s FROM generate_series(1, 40000) g", c.columns, c.values))
			a := action(store.Stretched, "UPDATE t SET n = n + 1")
			spans, err := s.Split(t.Context(), a, 8)
			if err != nil || len(spans) != 8 {
				t.Fatalf("%d spans, %v", len(spans), err)
			}
			if spans[0].From != nil || spans[7].Upto != nil {
				t.Error("the outer spans have ends")
			}
			for i, span := range spans {
				p, err := s.Do(t.Context(), store.Task{Action: a, Part: span, Size: 100_000})
				if err != nil || !p.Done || p.Rows < 3500 || p.Rows > 6500 {
					t.Errorf("span %d: %+v, %v", i, p, err)
				}
			}
			wantRows(t, url, "SELECT count(*)::text FROM t WHERE n = 1", "40000")
		})
	}
}

func TestStretchesStayInTheirSpan(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT generate_series(1, 100)")
	a := action(store.Stretched, "UPDATE t SET n = n + 1")
	var cursor []byte
	rows := int64(0)
	for done := false; !done; {
		p, err := s.Do(t.Context(), store.Task{Action: a, Part: store.Span{From: []byte(`["20"]`), Upto: []byte(`["55"]`)}, Size: 7, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		cursor, done, rows = p.Cursor, p.Done, rows+p.Rows
	}
	wantRows(t, url, "SELECT min(id) || ' ' || max(id) || ' ' || count(*) FROM t WHERE n = 1", "21 55 35")
	if rows != 35 {
		t.Errorf("%d rows are counted", rows)
	}
}

func TestWhatCannotBeSplitIsOneSpan(t *testing.T) {
	s, url := prepared(t)
	run(t, url, `CREATE TABLE small (id int PRIMARY KEY, n int); INSERT INTO small SELECT g, g FROM generate_series(1, 3000) g;
		CREATE TABLE keyless (id int, n int); INSERT INTO keyless SELECT g, g FROM generate_series(1, 40000) g`)
	for _, sql := range []string{"UPDATE small SET n = 1", "UPDATE keyless SET n = 1", "UPDATE nothing SET n = 1"} {
		spans, err := s.Split(t.Context(), action(store.Stretched, sql), 8)
		if err != nil || len(spans) != 1 || spans[0].From != nil || spans[0].Upto != nil {
			t.Errorf("%s: %v, %v", sql, spans, err)
		}
	}
}

// A row that was inserted and not committed cannot be seen: whoever inserted it
// is older, also if prepared, but not who has written nothing, nor who writes in
// another database.
func TestOlderTransactionsAreThoseThatHadWritten(t *testing.T) {
	server := testserver.OwnPostgres(t, "max_prepared_transactions=5")
	url, other := server.NewURL(t), server.NewURL(t)
	s := opened(t, store.Settings{URL: url})
	for _, u := range []string{url, other} {
		run(t, u, "CREATE TABLE t (id int)")
	}
	begin := func(url, name, sql string) func(string) {
		conn := connect(t, url)
		if _, err := conn.PgConn().Exec(t.Context(), "SET application_name = '"+name+"'; BEGIN; "+sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
		return func(end string) {
			if _, err := conn.PgConn().Exec(context.Background(), end).ReadAll(); err != nil {
				t.Fatal(err)
			}
		}
	}
	names := func(older []store.Session) string {
		var list []string
		for _, o := range older {
			list = append(list, o.Name)
		}
		return strings.Join(list, ",")
	}
	endReader := begin(url, "reader", "SELECT * FROM t")
	endElsewhere := begin(other, "elsewhere", "INSERT INTO t VALUES (1)")
	endWriter := begin(url, "writer", "INSERT INTO t VALUES (1)")
	moment, older, err := s.Older(t.Context(), "")
	if err != nil || names(older) != "writer" {
		t.Fatalf("older: %s, %v", names(older), err)
	}
	endReader("INSERT INTO t VALUES (2)") // after the moment
	endWriter("PREPARE TRANSACTION 'later'")
	if _, older, err = s.Older(t.Context(), moment); err != nil || names(older) != "prepared transaction later" {
		t.Fatalf("older, prepared: %s, %v", names(older), err)
	}
	run(t, url, "COMMIT PREPARED 'later'")
	if _, older, err = s.Older(t.Context(), moment); err != nil || len(older) != 0 {
		t.Fatalf("older, at the end: %s, %v", names(older), err)
	}
	endReader("COMMIT")
	endElsewhere("COMMIT")
}

// signals waits until a signal says this.
func awaitSignal(t *testing.T, s *postgres.Store, slow bool, says string) {
	t.Helper()
	var seen []store.Signal
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		var err error
		if seen, err = s.Signals(t.Context(), action(store.Stretched, "UPDATE t SET n = 1"), "stopover/x/1"); err != nil {
			t.Fatal(err)
		}
		for _, signal := range seen {
			if strings.Contains(signal.Because, says) && signal.Slow == slow {
				return
			}
		}
	}
	t.Fatalf("no signal says %q: %v", says, seen)
}

func wantNoSignals(t *testing.T, s *postgres.Store) {
	t.Helper()
	if seen, err := s.Signals(t.Context(), action(store.Stretched, "UPDATE t SET n = 1"), "stopover/x/1"); err != nil || len(seen) != 0 {
		t.Errorf("signals %v, %v", seen, err)
	}
}

func TestSessionsThatWaitForOurLocksAreASignal(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1)")
	wantNoSignals(t, s)
	ours, theirs := connect(t, url), connect(t, url)
	if _, err := ours.PgConn().Exec(t.Context(), "SET application_name = 'stopover/x/1'; BEGIN; UPDATE t SET n = 2").ReadAll(); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := theirs.Exec(context.Background(), "UPDATE t SET n = 3")
		waited <- err
	}()
	awaitSignal(t, s, false, "for locks of this work")
	if _, err := ours.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	wantNoSignals(t, s)
}

func TestVacuumOfTheTableIsASignal(t *testing.T) {
	url := testserver.Postgres(t).NewURL(t)
	s := opened(t, store.Settings{URL: url, Options: map[string]string{"vacuum_above": "8kB"}})
	large := opened(t, store.Settings{URL: url})
	run(t, url, `CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t DEFAULT;
		INSERT INTO t SELECT g, g FROM generate_series(1, 20000) g`)
	conn := connect(t, url)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = conn.PgConn().Exec(ctx, "SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1").ReadAll()
		_, _ = conn.PgConn().Exec(ctx, "VACUUM t1").ReadAll() // it is cut off in the end
	}()
	awaitSignal(t, s, false, "t1 is being vacuumed")
	wantNoSignals(t, large)
	cancel()
	<-ended
}

func TestArchiverThatFailsIsASignal(t *testing.T) {
	server := testserver.OwnPostgres(t, "archive_mode=on", "archive_command='/bin/false'", "wal_level=replica")
	url := server.NewURL(t)
	s := opened(t, store.Settings{URL: url, Options: map[string]string{"archive_backlog": "16MB"}})
	wantNoSignals(t, s)
	for range 4 {
		run(t, url, "CREATE TABLE IF NOT EXISTS w (n int); INSERT INTO w VALUES (1); SELECT pg_switch_wal()")
	}
	awaitSignal(t, s, false, "wait to be archived (archiving 0000")
}

func TestProbeSlowsAndNeverStops(t *testing.T) {
	_, url := prepared(t)
	run(t, url, "CREATE TABLE t (id int PRIMARY KEY, n int); CREATE TABLE queue (depth int)")
	answer := "12"
	status := http.StatusOK
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	defer web.Close()
	sql := opened(t, store.Settings{URL: url, Options: map[string]string{"probe": "SELECT max(depth) FROM queue", "probe_limit": "100"}})
	http := opened(t, store.Settings{URL: url, Options: map[string]string{"probe": web.URL, "probe_limit": "100"}})
	wantNoSignals(t, sql)
	wantNoSignals(t, http)
	run(t, url, "INSERT INTO queue VALUES (250)")
	awaitSignal(t, sql, true, "the probe says 250, the limit is 100")
	run(t, url, "DROP TABLE queue")
	awaitSignal(t, sql, true, "the probe failed")
	answer = "101.5"
	awaitSignal(t, http, true, "the probe says 101.5")
	answer = "fine"
	wantNoSignals(t, http)
	status = 503
	awaitSignal(t, http, true, "it answered 503")
}

func TestLimitsThatAreNotUnderstoodAreRefused(t *testing.T) {
	for option, value := range map[string]string{"replica_lag": "10", "replica_backlog": "much", "archive_backlog": "-1", "vacuum_above": "1 XB", "probe_limit": "1", "lag": "1s"} {
		if _, err := postgres.Open(t.Context(), store.Settings{URL: "postgres://a@b/c", Options: map[string]string{option: value}}); err == nil || !strings.Contains(err.Error(), option) {
			t.Errorf("%s: %s gives %v", option, value, err)
		}
	}
}

// standby takes a server's log as a replica does, and says that it has replayed
// none of it.
func standby(t *testing.T, url, name string) {
	t.Helper()
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["replication"], config.RuntimeParams["application_name"] = "true", name
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	answers, err := conn.Exec(t.Context(), "IDENTIFY_SYSTEM").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	place := string(answers[0].Rows[0][2])
	conn.Frontend().SendQuery(&pgproto3.Query{String: "START_REPLICATION PHYSICAL " + place})
	if err := conn.Frontend().Flush(); err != nil {
		t.Fatal(err)
	}
	if answer, err := conn.ReceiveMessage(t.Context()); err != nil || fmt.Sprintf("%T", answer) != "*pgproto3.CopyBothResponse" {
		t.Fatalf("%T %v", answer, err)
	}
	var high, low uint64
	if _, err := fmt.Sscanf(place, "%X/%X", &high, &low); err != nil {
		t.Fatal(err)
	}
	status := []byte{'r'}
	for range 3 { // written, flushed and replayed up to here
		status = binary.BigEndian.AppendUint64(status, high<<32|low)
	}
	status = append(status, make([]byte, 9)...) // the time, and no answer wanted
	conn.Frontend().Send(&pgproto3.CopyData{Data: status})
	if err := conn.Frontend().Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestReplicaThatIsBehindIsASignal(t *testing.T) {
	server := testserver.OwnPostgres(t, "wal_level=replica", "max_wal_senders=4")
	url := server.NewURL(t)
	s := opened(t, store.Settings{URL: url, Options: map[string]string{"replica_backlog": "1MB"}})
	off := opened(t, store.Settings{URL: url, Options: map[string]string{"replica_backlog": "off"}})
	standby(t, url, "web-2")
	wantNoSignals(t, s)
	run(t, url, "CREATE TABLE w AS SELECT repeat('x', 200) FROM generate_series(1, 20000)")
	awaitSignal(t, s, false, "replica web-2 is 0 s and ")
	wantNoSignals(t, off)
}
