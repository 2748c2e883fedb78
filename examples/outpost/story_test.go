package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/testserver"
)

// tenant adds one as Outpost up to v0.5.1 wrote it.
func (p *place) tenant(prefix, id string) {
	p.do("HSET", prefix+"tenant:"+id, "id", id, "created_at", "2025-03-01T10:11:12.123456789Z")
	p.do("HSET", prefix+"tenant:"+id+":destinations", "d", `{"type":"webhook"}`)
	p.do("HSET", prefix+"tenant:"+id+":destination:d", "id", "d", "type", "webhook", "created_at", "2025-03-01T10:11:12.123456789+02:00")
}

// TestApplyBesideOutpost has an application at work until it is stopped, between
// copy and cutover: what it was told is written is there afterwards.
func TestApplyBesideOutpost(t *testing.T) {
	p := at(t, testserver.OwnRedis(t))
	for i := range 300 {
		p.tenant("", fmt.Sprint("t", i))
	}
	dir := t.TempDir()
	told, stopped := filepath.Join(dir, "told"), filepath.Join(dir, "stopped")
	written := make(chan map[string]int64, 1)
	go func() {
		counts := map[string]int64{}
		for n := 0; ; n++ {
			if _, err := os.Stat(told); err == nil {
				break
			}
			id := fmt.Sprint("t", n%400) // a hundred of them are new
			if count, err := p.client.HIncrBy(t.Context(), "tenant:"+id, "count", 1).Result(); err == nil {
				counts[id] = count
			}
		}
		written <- counts
		if err := os.WriteFile(stopped, nil, 0o600); err != nil {
			t.Error(err)
		}
	}()
	p.migrate(0, "init")
	said := p.migrate(0, "apply", "--yes", "--stop-outpost", fmt.Sprintf("sleep 0.2; touch %s; while [ ! -e %s ]; do sleep 0.01; done", told, stopped))
	p.says(said, "stops Outpost: sleep", "001_hash_tags.cutover    done")
	counts := <-written
	if len(counts) != 400 {
		t.Fatalf("the application wrote to %d tenants", len(counts))
	}
	for id, count := range counts {
		if got := p.do("HGET", "tenant:{"+id+"}:tenant", "count"); got != fmt.Sprint(count) {
			t.Errorf("%s was counted to %d, and is at %v", id, count, got)
		}
	}
	p.migrate(0, "verify")

	// One that was forgotten writes to the old names.
	p.do("HINCRBY", "tenant:t7", "count", 1)
	p.says(p.migrate(5, "cleanup", "--yes"), "t7: it was written to after the cutover", "next: outpost-migrate cleanup --force")
	p.says(p.migrate(5, "cleanup", "--yes", "--force"), "t7: it was written to after the cutover", "The step was not begun")
	p.do("HINCRBY", "tenant:{t7}:tenant", "count", 1)
	p.do("DEL", "tenant:t7")
	p.migrate(0, "cleanup", "--yes")
	if left := p.do("KEYS", "tenant:t*"); fmt.Sprint(left) != "[]" {
		t.Errorf("left are %v", left)
	}
}

func TestOutpostIsNotStopped(t *testing.T) {
	p := at(t, testserver.OwnRedis(t))
	p.tenant("", "a")
	p.says(p.migrate(130, "apply", "--yes", "--stop-outpost", "echo it stays up; exit 3"), "it stays up", "nothing was cut over, because Outpost was not stopped: exit status 3")
	p.do("HSET", "tenant:a", "name", "later")
	p.migrate(0, "apply", "--yes")
	if got := p.do("HGET", "tenant:{a}:tenant", "name"); got != "later" {
		t.Errorf("the name is %v", got)
	}
}

// TestALockOfOutpostsToolIsRespected tries each name that it had.
func TestALockOfOutpostsToolIsRespected(t *testing.T) {
	p := at(t, testserver.OwnRedis(t))
	p.tenant("", "a")
	p.migrate(0, "init")
	before := p.contents()
	for _, key := range []string{"outpost:migration:lock", ".outpost:migration:lock", ".outpost:migration_lock"} {
		p.do("SET", key, "migration=001_hash_tags, started=2025-10-02T10:00:00Z", "EX", 3600)
		for _, command := range []string{"apply", "cleanup"} {
			p.says(p.migrate(3, command, "--yes"), key+" is held (migration=001_hash_tags, started=2025-10-02T10:00:00Z), for 1h0m0s at most", "next: outpost-migrate unlock --yes")
		}
		p.migrate(0, "plan")
		p.says(p.migrate(2, "unlock"), key, "nothing was cleared")
		p.says(p.migrate(0, "unlock", "--yes"), key+" is cleared")
	}
	p.wantContents(before)

	said := p.migrate(0, "apply", "--yes", "--stop-outpost", p.cli("GET outpost:migration:lock")+p.cli("SET .outpost:migration_lock mine NX"))
	p.says(said, "stopover on ")
	for _, key := range p.do("KEYS", "*outpost:migration*lock").([]any) {
		t.Errorf("%v is left: %v", key, p.do("GET", key))
	}
}

// cli is a shell line that asks the server without a client of its own.
func (p *place) cli(command string) string {
	return fmt.Sprintf("printf '%s\\r\\nQUIT\\r\\n' | redis-cli -p %s; ", command, p.env["REDIS_PORT"])
}

// TestTheLockIsLost has somebody clear it by force: what is under way ends.
func TestTheLockIsLost(t *testing.T) {
	p := at(t, testserver.OwnRedis(t))
	p.tenant("", "a")
	said := p.migrate(130, "apply", "--yes", "--stop-outpost", p.cli("SET outpost:migration:lock other")+"sleep 20")
	p.says(said, "outpost:migration:lock is not held any more")
	if got := p.do("GET", "outpost:migration:lock"); got != "other" {
		t.Errorf("the lock of another is %v", got)
	}
	p.says(p.migrate(3, "apply", "--yes"), "outpost:migration:lock is held (other)")
}

// TestWhatOutpostsToolHasAppliedIsDone takes a store over behind 001, with old
// keys that are still there.
func TestWhatOutpostsToolHasAppliedIsDone(t *testing.T) {
	p := at(t, testserver.OwnRedis(t))
	for _, id := range []string{"a", "b", "c"} {
		p.tenant("", id)
		for from, to := range map[string]string{"": ":tenant", ":destinations": ":destinations", ":destination:d": ":destination:d"} {
			p.do("COPY", "tenant:"+id+from, "tenant:{"+id+"}"+to)
		}
	}
	p.do("HSET", "tenant:{b}:tenant", "name", "newer")
	p.do("DEL", "tenant:{c}:tenant", "tenant:{c}:destinations", "tenant:{c}:destination:d")
	p.do("HSET", "outpost:migration:001_hash_tags", "status", "applied", "applied_at", "2025-10-02T10:00:00Z")
	p.says(p.migrate(4, "plan"), "nobody has taken over", "next: outpost-migrate init")
	p.says(p.migrate(0, "init"), "taken over at 001_hash_tags: 4 steps count as done", "1 contract later")
	p.says(p.migrate(1, "init", "--current"), "pending")
	said := p.migrate(1, "cleanup", "--yes")
	p.says(said, "4 sources stay", "b (their contents differ)", "c (there is no target)")
	if p.do("EXISTS", "tenant:a", "tenant:a:destinations", "tenant:b:destinations") != int64(0) {
		t.Error("old keys that equal their copies are left")
	}
	if p.do("EXISTS", "tenant:b", "tenant:c", "tenant:c:destination:d") != int64(3) {
		t.Error("old keys that nothing proves are gone")
	}
	said = p.migrate(0, "apply", "--yes")
	if strings.Contains(said, "001_hash_tags.backfill") {
		t.Errorf("it was copied again:\n%s", said)
	}
	if got := p.do("HMGET", "tenant:{b}:tenant", "name", "created_at", "entity"); fmt.Sprint(got) != "[newer 1740823872123 tenant]" {
		t.Errorf("the newer record is %v", got)
	}
	if p.do("EXISTS", "tenant:{c}:tenant") != int64(0) {
		t.Error("a tenant that was deleted is there again")
	}
	p.migrate(0, "init", "--current")
	if got := p.do("HGET", "outpost:migration:001_hash_tags", "applied_at"); got != "2025-10-02T10:00:00Z" {
		t.Errorf("the record of Outpost's tool was changed: %v", got)
	}
}

func TestRecordsThatContradictEachOther(t *testing.T) {
	p := at(t, testserver.OwnRedis(t))
	p.tenant("", "a")
	p.do("HSET", "outpost:migration:002_timestamps", "status", "applied")
	p.says(p.migrate(4, "init"), "outpost:migration:002_timestamps says that it is applied, and outpost:migration:001_hash_tags does not")
	p.says(p.migrate(4, "apply", "--yes"), "only you can tell")
}

// TestADeploymentNeverHadTheOldNames: 001 does not apply, and other deployments in
// the same Redis are left alone.
func TestADeploymentNeverHadTheOldNames(t *testing.T) {
	p := at(t, testserver.OwnRedis(t))
	p.tenant("", "other")
	p.do("HSET", "dp1:tenant:{a}:tenant", "id", "a", "created_at", "2025-03-01T10:11:12.123Z")
	p.do("HSET", "dp1:outpost:migration:001_hash_tags", "status", "not_applicable", "reason", "Not needed - using DEPLOYMENT_ID")
	other := p.contents()
	delete(other, "dp1:tenant:{a}:tenant")
	delete(other, "dp1:outpost:migration:001_hash_tags")
	p.env["DEPLOYMENT_ID"] = "dp1"
	p.says(p.migrate(0, "init"), "taken over at 001_hash_tags")
	p.migrate(0, "apply", "--yes")
	p.says(p.migrate(0, "verify"), "002_timestamps.verify")
	p.says(p.migrate(0, "list"), "no tenant has its old name")
	if got := p.do("HMGET", "dp1:tenant:{a}:tenant", "created_at", "entity"); fmt.Sprint(got) != "[1740823872123 tenant]" {
		t.Errorf("the tenant is %v", got)
	}
	if got := p.do("HGET", "dp1:outpost:migration:003_entity", "status"); got != "applied" {
		t.Errorf("the record of 003 says %v", got)
	}
	found := p.contents()
	for key := range found {
		if strings.HasPrefix(key, "dp1:") {
			delete(found, key)
		}
	}
	if fmt.Sprint(found) != fmt.Sprint(other) {
		t.Errorf("others have %v, had %v", found, other)
	}
}

func TestAFreshInstallation(t *testing.T) {
	p := at(t, testserver.OwnRedis(t))
	for i := range 3000 {
		p.do("SET", fmt.Sprint("queue:", i), "of another application")
	}
	p.says(p.migrate(0, "init", "--current"), "001_hash_tags.backfill  not applicable: no tenant has its old name", "ready")
	for _, name := range migrations {
		if status := p.do("HGET", "outpost:migration:"+name, "status"); status != "applied" {
			t.Errorf("the record of %s says %v", name, status)
		}
	}
	// An old release comes to it nevertheless.
	p.tenant("", "a")
	p.says(p.migrate(1, "init", "--current"), "001_hash_tags.backfill")
}

// TestNodesThatStartTogether all come up: one sets the store up, or takes it over,
// and the others wait for it.
func TestNodesThatStartTogether(t *testing.T) {
	for name, exit := range map[string]int{"empty": 0, "old": 1} {
		t.Run(name, func(t *testing.T) {
			p := at(t, testserver.OwnRedis(t))
			if name == "old" {
				p.tenant("", "a")
			}
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					var said bytes.Buffer
					code := run(t.Context(), stopover.Terminal{Args: []string{"init", "--current"}, In: strings.NewReader(""), Out: &said, Err: &said,
						Lookup: func(name string) (string, bool) { value, ok := p.env[name]; return value, ok }})
					if code != exit {
						t.Errorf("exit code %d, want %d\n%s", code, exit, said.String())
					}
				})
			}
			all.Wait()
		})
	}
}

// TestKeysThatCannotBeToldAreNamed: nothing counts until somebody has set them
// aside.
func TestKeysThatCannotBeToldAreNamed(t *testing.T) {
	p := at(t, testserver.OwnRedis(t))
	for _, id := range []string{"a", "a:destinations", "{x}", "p{q}r"} {
		p.do("HSET", "tenant:"+id, "id", id, "created_at", "2025-03-01T10:11:12Z")
	}
	p.do("HSET", "tenant:a:destination:b:destination:c", "id", "c")
	p.migrate(0, "init")
	p.says(p.migrate(5, "apply", "--yes"), "000_names.verify", `"a:destinations" is a tenant`)
	p.do("RENAME", "tenant:a:destinations", "aside:1")
	p.says(p.migrate(1, "apply", "--yes"), `a:destination:b:destination:c`)
	p.do("RENAME", "tenant:a:destination:b:destination:c", "aside:2")
	p.says(p.migrate(5, "apply", "--yes"), "{x}: no template takes it", "p{q}r: no template takes it")
	p.do("RENAME", "tenant:{x}", "aside:3")
	p.do("RENAME", "tenant:p{q}r", "aside:4")
	p.migrate(0, "apply", "--yes")
	p.migrate(0, "cleanup", "--yes")
	if left := p.do("KEYS", "tenant:[^{]*"); fmt.Sprint(left) != "[]" {
		t.Errorf("left are %v", left)
	}
	for aside, key := range map[string]string{"aside:1": "tenant:{a:destinations}:tenant", "aside:2": "tenant:{a}:destination:b:destination:c",
		"aside:3": "tenant:{{x}}:tenant", "aside:4": "tenant:{p{q}r}:tenant"} {
		p.do("RENAME", aside, key)
	}
	p.says(p.migrate(0, "init", "--current"), "ready")
}
