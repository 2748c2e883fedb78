package stopover

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
)

// TestDiskFull fills the table's own disk: a tablespace on a file system of 6 MB
// in memory, which takes root to mount. Without root the server's answer is
// simulated by a trigger that raises its code.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := project(t, testserver.OwnPostgres(t).NewURL(t)) // its own: a full disk keeps a server from checkpoints
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
