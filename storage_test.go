package stopover

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// TestDiskFull fills the table's own disk: a tablespace on a file system of 6 MB
// in memory, which takes root to mount. Without root the server's answer is
// simulated by a trigger that raises its code.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := project(t, testserver.Postgres(t).NewURL(t))
	grow, space := smallDisk(s)
	s.migration("0001_begin", fmt.Sprintf("-- stopover: expand\nCREATE TABLE orders (id int PRIMARY KEY, touched int NOT NULL DEFAULT 0, note text)%s;\n"+
		"INSERT INTO orders SELECT g, 0, repeat('x', 600) FROM generate_series(1, %d) g;\n", space, faultRows))
	s.finish(t, []string{"init"})
	s.migration("0002_touch", "-- stopover: backfill table=orders\nUPDATE orders\nSET touched = touched + 1;\n")
	r := s.applyWith(func() {})
	s.stops(r, ExitFailed, "No space left on device", "53100", "0002_touch.sql:2")
	if s.one("SELECT count(*) FROM orders WHERE touched > 1") != "0" {
		t.Error("something was done twice")
	}
	grow()
	s.goesOn(s.applyWith(func() {}), wire.EventResumed, "")
}

// smallDisk gives a function that makes more room, and the clause that puts a
// table onto the small disk.
func smallDisk(s *site) (grow func(), clause string) {
	s.t.Helper()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("stopover-small-%d-%d", os.Getpid(), copies.Add(1)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m,mode=0777"); err != nil {
		s.t.Logf("a file system of 6 MB cannot be mounted here (%v): a full disk is simulated", err)
		s.exec("CREATE TABLE room (left_over int); INSERT INTO room VALUES (0)")
		// The table is made later: its trigger comes with it.
		s.exec(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.id > 4000 AND (SELECT left_over FROM room) = 0 THEN
			RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END IF; RETURN new; END $$`)
		s.migration("0001_disk", "-- stopover: expand\nCREATE TRIGGER full_disk BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION full_disk();\n")
		return func() { s.exec("UPDATE room SET left_over = 1") }, ""
	}
	s.t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	// The server runs as another user, and makes the folder its own.
	inside := filepath.Join(dir, "space")
	if err := os.Mkdir(inside, 0o700); err != nil {
		s.t.Fatal(err)
	}
	uid, gid := testserver.Owner()
	if err := os.Chown(inside, uid, gid); err != nil {
		s.t.Fatal(err)
	}
	name := fmt.Sprintf("small_%d", copies.Add(1))
	s.exec(fmt.Sprintf("CREATE TABLESPACE %s LOCATION '%s'", name, inside))
	return func() {
		if out, err := exec.Command("mount", "-o", "remount,size=64m", dir).CombinedOutput(); err != nil {
			s.t.Fatalf("make the disk larger: %v: %s", err, out)
		}
	}, " TABLESPACE " + name
}

// A standby takes no writes: told at once, by name, before anything is begun.
// Looking is allowed.
func TestStandbyAsTarget(t *testing.T) {
	t.Parallel()
	primary := testserver.OwnPostgres(t)
	s := faulty(t, primary.NewURL(t))
	database := strings.TrimPrefix(mustURL(t, s.url).Path, "/")
	standby := primary.Standby(t)
	primary.Follows(t)
	s.write("url", standby.URL(database))
	if _, err := s.app().Status(wait(t)); err != nil {
		t.Errorf("status on a standby: %v", err)
	}
	r := s.applyWith(func() {})
	s.stops(r, ExitFailed, "standby")
	s.write("url", s.url)
	s.goesOn(s.applyWith(func() {}), wire.EventDone, "")
}

// A replica that applies everything late holds the backfill up, with the reason,
// and the backfill goes on when the replica has caught up.
func TestReplicaThatLags(t *testing.T) {
	t.Parallel()
	primary := testserver.OwnPostgres(t)
	s := project(t, primary.NewURL(t), "    replica_lag: 500ms\n")
	s.migration("0001_begin", fmt.Sprintf("-- stopover: expand\nCREATE TABLE orders (id int PRIMARY KEY, touched int NOT NULL DEFAULT 0, note text);\n"+
		"INSERT INTO orders SELECT generate_series(1, %d);\n", faultRows))
	s.finish(t, []string{"init"})
	s.migration("0002_touch", "-- stopover: backfill table=orders\nUPDATE orders\nSET touched = touched + 1;\n")
	standby := primary.Standby(t, "recovery_min_apply_delay=1500ms")
	primary.Follows(t)
	database := strings.TrimPrefix(mustURL(t, s.url).Path, "/")
	late := s.client()
	begun := time.Now()
	for lag := ""; lag == "" && time.Since(begun) < 20*time.Second; { // until the server knows of it
		late.exec("UPDATE orders SET note = 'x' WHERE id = 1")
		time.Sleep(50 * time.Millisecond)
		if got := s.rows("SELECT replay_lag::text FROM pg_stat_replication WHERE replay_lag > interval '500 ms'"); len(got) > 0 {
			lag = got[0]
		}
	}
	t.Logf("the replica lagged after %s", time.Since(begun))
	time.AfterFunc(2*time.Second, func() {
		standby.Exec(t, database, "ALTER SYSTEM SET recovery_min_apply_delay = 0")
		standby.Exec(t, database, "SELECT pg_reload_conf()")
	})
	var stretches atomic.Int64
	r := s.applyTapped(&tap{before: func(task store.Task) {
		if task.Action.Shape() == store.Stretched && stretches.Add(1) <= 6 {
			time.Sleep(time.Second) // a long backfill: the load is looked at once a second
		}
	}})
	if r.failure != nil {
		t.Fatal(r.failure)
	}
	s.touchedOnce()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if strings.Contains(e.Text, "behind") {
			return
		}
	}
	t.Errorf("nobody was told that the replica lags; events: %+v", r.events)
}
