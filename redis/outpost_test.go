package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// Keys and values of Outpost, an application whose own tool loses data in
// fourteen ways. Here are those of them that no other test has as its subject.

const outpostCopy = `
  offline: true
  copy:
    - {from: "tenant:<t:[^:]+>", to: "tenant:{<t>}:tenant"}
    - {from: "tenant:<t:[^:]+>:destinations", to: "tenant:{<t>}:destinations"}
    - {from: "tenant:<t:[^:]+>:destination:<rest...>", to: "tenant:{<t>}:destination:<rest...>"}
`

// outpost gives copy, verification and contract of a file.
func outpost(t *testing.T, text string) (carry, verify, contract store.Action) {
	t.Helper()
	about := store.Section{File: "001.yaml", Line: 1, Text: text, Shape: store.Stretched}
	read := func(s store.Section) store.Action {
		parsed, err := Kind().Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed.Action
	}
	return read(about), read(store.Section{Text: " full\n", Shape: store.Query, About: &about}),
		read(store.Section{Text: " {delete: sources}\n", Shape: store.Whole, Contract: true, About: &about})
}

// seal performs what keeps the proofs of a contract.
func (f fixture) seal(contract store.Action) {
	f.t.Helper()
	if _, err := f.through(contract.(store.Sealed).Seals(), 100); err != nil {
		f.t.Fatal(err)
	}
}

// seedOutpost makes what the tool forgot: tombstones that end, orphans, a key of
// another type, bytes that are no text, braces in an id.
func (f fixture) seedOutpost() (end int64) {
	end = time.Now().Add(604800 * time.Second).UnixMilli()
	for _, tenant := range []string{"a", "b"} {
		f.on("HSET", "tenant:"+tenant, "id", tenant, "created_at", "2025-03-01T10:11:12.123456789Z")
		f.on("HSET", "tenant:"+tenant+":destinations", "d1", `{"type":"webhook"}`)
		f.on("HSET", "tenant:"+tenant+":destination:d1", "credentials", "\x00\xff\xfe{}:", "config", "{}")
	}
	f.on("HSET", "tenant:dead", "deleted_at", "2025-03-01T10:11:12Z")
	f.on("PEXPIREAT", "tenant:dead", end)
	f.on("HSET", "tenant:a:destination:gone", "deleted_at", "2025-03-01T10:11:12Z")
	f.on("PEXPIREAT", "tenant:a:destination:gone", end)
	f.on("HSET", "tenant:nobody:destination:d:9", "id", "d:9")
	f.on("SADD", "tenant:odd", "m")
	return end
}

// outpostKeys are the targets of those.
var outpostKeys = []string{
	"tenant:{a}:destination:d1", "tenant:{a}:destination:gone", "tenant:{a}:destinations", "tenant:{a}:tenant",
	"tenant:{b}:destination:d1", "tenant:{b}:destinations", "tenant:{b}:tenant", "tenant:{dead}:tenant",
	"tenant:{nobody}:destination:d:9", "tenant:{odd}:tenant",
}

// TestTombstonesOrphansAndOddKeysAreCarriedOver goes all the way to the end of
// the old keys.
func TestTombstonesOrphansAndOddKeysAreCarriedOver(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		end := f.seedOutpost()
		carry, verify, contract := outpost(t, outpostCopy)
		if _, err := f.through(carry, 100); err != nil {
			t.Fatal(err)
		}
		if found := f.violations(verify); len(found) > 0 {
			t.Fatalf("%q", found)
		}
		f.seal(contract)
		if rows, err := f.through(contract, 100); err != nil || rows != int64(len(outpostKeys)) {
			t.Fatalf("%d rows, %v", rows, err)
		}
		all := f.below("*")
		slices.Sort(all)
		if !slices.Equal(all, outpostKeys) {
			t.Errorf("there are %q", all)
		}
		for _, key := range []string{"tenant:{dead}:tenant", "tenant:{a}:destination:gone"} {
			if got := f.on("PEXPIRETIME", key); got != end {
				t.Errorf("%s ends at %v, want %d", key, got, end)
			}
		}
		if got := f.on("HGET", "tenant:{a}:destination:d1", "credentials"); got != "\x00\xff\xfe{}:" {
			t.Errorf("credentials are %q", got)
		}
		if got := f.on("TYPE", "tenant:{odd}:tenant"); got != "set" {
			t.Errorf("the set is a %v", got)
		}
	})
}

// TestIDsThatTheFormsDoNotTakeAreNamed has ids with ':' and braces: none is
// migrated in silence, none is deleted, and while they are there nothing is.
func TestIDsThatTheFormsDoNotTakeAreNamed(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.seedOutpost()
		odd := []string{"tenant:x:y", "tenant:{z"}
		for _, key := range odd {
			f.on("HSET", key, "id", "?")
		}
		carry, verify, contract := outpost(t, outpostCopy)
		if _, err := f.through(carry, 100); err != nil {
			t.Fatal(err)
		}
		found := f.violations(verify)
		slices.Sort(found)
		if len(found) != 2 || !strings.HasPrefix(found[0], "tenant:x:y: no template") || !strings.HasPrefix(found[1], "tenant:{z: no template") {
			t.Errorf("%q", found)
		}
		f.seal(contract)
		_, err := f.through(contract, 100)
		if !errors.As(err, new(*UncoveredError)) {
			t.Errorf("%v", err)
		}
		wantText(t, err, "tenant:x:y", "tenant:{z", "nothing was deleted")
		if got := f.on("EXISTS", "tenant:a"); got != int64(1) {
			t.Error("a source was deleted beside a key of which nothing is said")
		}
		// A form that would take ':' could be read in two ways, and is refused before.
		loose := strings.ReplaceAll(outpostCopy, "<t:[^:]+>", "<t>")
		_, err = Kind().Parse(store.Section{File: "001.yaml", Line: 1, Text: loose, Shape: store.Stretched})
		wantText(t, err, "001.yaml:4", "say what a part takes")
	})
}

// TestEveryPairIsCompared spoils pairs at random among thousands.
func TestEveryPairIsCompared(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		const all, seed = 3000, 6
		pipe := f.client.Pipeline()
		for i := range all {
			pipe.Set(t.Context(), f.Store.full(fmt.Sprintf("old:%d", i)), i, 0)
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := f.through(Copy{Layout: renamed}, 1000); err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(seed, seed))
		want := map[string]bool{}
		for len(want) < 37 {
			i := random.IntN(all)
			f.on("SET", fmt.Sprintf("new:%d", i), all+i)
			want[fmt.Sprintf("old:%d and new:%d: their contents differ", i, i)] = true
		}
		p, err := f.Store.Do(t.Context(), store.Task{Action: Compare{Layout: renamed}, Sample: all})
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range p.Sample {
			if !want[line] {
				t.Errorf("it says %q", line)
			}
			delete(want, line)
		}
		if len(want) > 0 {
			t.Errorf("%d of 37 were not found", len(want))
		}
	})
}

// TestWritesBehindAnOfflineCopyAreFound changes, deletes and creates sources
// between two stretches. The copy does not claim to follow; the verification finds
// every key that it missed, and nothing is sealed.
func TestWritesBehindAnOfflineCopyAreFound(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		for i := range 300 {
			f.on("SET", fmt.Sprintf("old:%d", i), "before")
		}
		guard := []store.Note{f.note("epoch", store.Any, `1`)}
		var cursor []byte
		var copied []string
		for len(copied) < 10 { // a stretch may find nothing
			p, err := f.Store.Do(t.Context(), store.Task{Action: Copy{Layout: renamed}, Cursor: cursor, Size: 50, Guard: guard})
			if err != nil {
				t.Fatal(err)
			}
			cursor, copied = p.Cursor, f.below("new:*")
		}
		for i, key := range copied[:10] {
			if name := strings.TrimPrefix(key, "new:"); i%2 == 0 {
				f.on("SET", "old:"+name, "later")
			} else {
				f.on("DEL", "old:"+name)
			}
		}
		for i := range 20 {
			f.on("SET", fmt.Sprintf("old:more-%d", i), "later")
		}
		for done := false; !done; {
			p, err := f.Store.Do(t.Context(), store.Task{Action: Copy{Layout: renamed}, Cursor: cursor, Size: 50, Guard: guard})
			if err != nil {
				t.Fatal(err)
			}
			cursor, done = p.Cursor, p.Done
		}
		missed := f.unequal()
		p, err := f.Store.Do(t.Context(), store.Task{Action: Compare{Layout: renamed}, Sample: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if p.Rows != int64(len(missed)) || len(missed) < 10 {
			t.Errorf("%d differ (%q), and it says: %q", len(missed), missed, p.Sample)
		}
		if _, err := f.through(Seal{Layout: renamed}, 1000); !errors.As(err, new(*DivergedError)) {
			t.Errorf("sealed all the same: %v", err)
		}
	})
}

// unequal lists the names whose two keys do not hold the same, one by one.
func (f fixture) unequal() (names []string) {
	f.t.Helper()
	all := map[string]bool{}
	for _, key := range f.below("*") {
		all[strings.TrimPrefix(strings.TrimPrefix(key, "old:"), "new:")] = true
	}
	for name := range all {
		if f.on("GET", "old:"+name) != f.on("GET", "new:"+name) {
			names = append(names, name)
		}
	}
	return names
}

// TestOneKeyAmongManyOnEachMaster is no empty store, wherever the key is.
func TestOneKeyAmongManyOnEachMaster(t *testing.T) {
	servers := testserver.OwnRedisCluster(t)
	f := opened(t, servers...)
	pipe := f.client.Pipeline()
	for i := range 6000 {
		pipe.Set(t.Context(), fmt.Sprintf("other:%d", i), "", 0)
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if survey := f.survey(); !survey.Empty {
		t.Errorf("evidence %q", survey.Evidence)
	}
	seen := map[string]bool{}
	for i := 0; len(seen) < len(servers); i++ {
		key := f.Store.full(fmt.Sprint("tenant:", i))
		owner, err := f.net.owner(t.Context(), slot(key))
		if err != nil {
			t.Fatal(err)
		}
		if addr := owner.Options().Addr; !seen[addr] {
			seen[addr] = true
			f.raw("SET", key, "")
			if survey := f.survey(); survey.Empty {
				t.Errorf("empty, with a key on %s", addr)
			}
			f.raw("DEL", key)
		}
	}
}

// TestARewriteLeavesTheOldKeysAlone rewrites the new keys only: the old ones are
// the way back. What cannot be read as a time does not pass the verification.
func TestARewriteLeavesTheOldKeysAlone(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.seedOutpost()
		f.on("SREM", "tenant:odd", "m")
		carry, verify, _ := outpost(t, outpostCopy)
		if _, err := f.through(carry, 100); err != nil {
			t.Fatal(err)
		}
		if found := f.violations(verify); len(found) > 0 {
			t.Fatalf("%q", found)
		}
		old := f.dumps("tenant:[^{]*")
		action := rewriteOf(t, Rewriting{Keys: "tenant:{<t:[^:]+>}:tenant", Set: map[string]string{"created_at": "unixms(created_at)", "entity": `"tenant"`}})
		if rows, err := f.through(action, 100); err != nil || rows != 3 {
			t.Fatalf("%d rows, %v", rows, err)
		}
		if got := f.on("HGET", "tenant:{a}:tenant", "created_at"); got != "1740823872123" {
			t.Errorf("created_at is %v", got)
		}
		if now := f.dumps("tenant:[^{]*"); fmt.Sprint(now) != fmt.Sprint(old) {
			t.Error("old keys were changed")
		}
		f.on("HSET", "tenant:{b}:tenant", "created_at", "yesterday")
		if found := f.violations(Rewritten{action}); len(found) != 1 || !strings.Contains(found[0], "yesterday") {
			t.Errorf("%q", found)
		}
	})
}

// dumps gives what the keys hold whose names match, by name.
func (f fixture) dumps(match string) map[string]any {
	f.t.Helper()
	all := map[string]any{}
	for _, key := range f.below(match) {
		all[key] = f.on("DUMP", key)
	}
	return all
}

// TestTwoDeploymentsOnOneServer takes one of two all the way, and looks at the
// other.
func TestTwoDeploymentsOnOneServer(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		other := prepared(t, f.servers...)
		f.seedOutpost()
		other.seedOutpost()
		other.note("a", store.Any, `1`)
		before := fmt.Sprint(other.dumps("*"))
		books, err := other.client.HGetAll(context.Background(), other.Store.books).Result()
		if err != nil {
			t.Fatal(err)
		}
		carry, _, contract := outpost(t, outpostCopy)
		if _, err := f.through(carry, 100); err != nil {
			t.Fatal(err)
		}
		f.seal(contract)
		if _, err := f.through(contract, 100); err != nil {
			t.Fatal(err)
		}
		if now := fmt.Sprint(other.dumps("*")); now != before {
			t.Errorf("keys of the other deployment were %s and are %s", before, now)
		}
		if now := other.client.HGetAll(context.Background(), other.Store.books).Val(); fmt.Sprint(now) != fmt.Sprint(books) {
			t.Error("the books of the other deployment were changed")
		}
	})
}
