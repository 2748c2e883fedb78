package files

import (
	"testing"
	"testing/fstest"

	"github.com/stopover-dev/stopover/plan"
)

const shopYAML = `application: shop
stores:
  main:
    url: ${DATABASE_URL}
    schema: shop
    migrations: migrations/main
    clients: {ignore: ["metabase", "pg_dump"]}
    pool: 0012
  cache: {url: "${REDIS_URL}", prefix: "shop:", migrations: migrations/cache}
components:
  api: {main: rw, cache: rw}
  web: {main: ro}
releases: ["1.4", "1.5", 1.10, {id: "1.7", withdrawn: true, peers: {web: ">=1.5"}}]
soak: 1d12h
before_no_return: ./backup.sh
roll: {api: "kubectl rollout restart deploy/api"}
notify: ./tell.sh
scratch: ${SCRATCH_URL}
`

const currencySQL = `-- stopover: migration after=0041_orders
-- why: money has a currency
-- stopover: expand needs=1.5
ALTER TABLE orders ADD COLUMN currency text;
-- stopover: backfill table=orders writers=1.5 needs=1.10
UPDATE orders SET currency = cur_code WHERE currency IS NULL;
-- stopover: verify
SELECT id FROM orders WHERE currency IS NULL;
-- stopover: contract each writers>=1.5 readers=">=1.5" lock_timeout=2s requires=cache:0007_hashtag.backfill,0041_orders
ALTER TABLE orders DROP COLUMN cur_code;
-- stopover: undo-expand
ALTER TABLE orders DROP COLUMN currency;
`

const hashtagYAML = `# hash tags
backfill:
  copy:
    - {from: "tenant:<t>:<rest...>", to: "tenant:{<t>}:<rest...>"}
  keep: ["session:<id>"]
verify: full
cutover: {needs: 1.10, fence: acl}
contract: {readers: "1.5", delete: sources, offline: true}
`

func shopFiles() fstest.MapFS {
	return fstest.MapFS{
		"stopover.yaml":                       {Data: []byte(shopYAML)},
		"migrations/main/README.md":           {Data: []byte("notes")},
		"migrations/main/.keep":               {},
		"migrations/main/0041_orders.sql":     {Data: []byte("-- stopover: expand\nCREATE TABLE orders (id bigint);\n")},
		"migrations/main/y/0042_currency.sql": {Data: []byte(currencySQL)},
		"migrations/cache/0007_hashtag.yaml":  {Data: []byte(hashtagYAML)},
	}
}

func loadShop(t *testing.T) *Project {
	t.Helper()
	p, err := Load(shopFiles(), "shop/stopover.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLoadReadsAll(t *testing.T) {
	p := loadShop(t)
	if p.Application != "shop" || p.Soak.Hours() != 36 || p.Roll["api"] == "" || p.Given()["notify"] != "./tell.sh" {
		t.Errorf("project: %+v", p)
	}
	main, _ := p.Store("main")
	if main.Options["pool"] != "0012" || main.Schema != "shop" || len(main.Ignore) != 2 {
		t.Errorf("store: %+v", main)
	}
	if p.Releases[2].ID != "1.10" || !p.Releases[3].Withdrawn || p.Releases[3].Peers[0].AtLeast != "1.5" {
		t.Errorf("releases: %+v", p.Releases)
	}
	if p.Components[1].Uses["main"] != plan.ReadOnly {
		t.Errorf("components: %+v", p.Components)
	}
	if len(p.Migrations) != 3 {
		t.Fatalf("migrations: %+v", p.Migrations)
	}
	m := p.Migrations[1]
	if m.Name != "0042_currency" || m.File != "shop/migrations/main/y/0042_currency.sql" || len(m.Sections) != 5 || m.After[0] != "0041_orders" {
		t.Fatalf("migration: %+v", m)
	}
	c := m.Section(plan.Contract, false)
	if !c.Each || c.Writers != "1.5" || c.Readers != "1.5" || c.LockTimeout.Seconds() != 2 || len(c.Requires) != 2 || c.Line != 10 ||
		c.Text != "ALTER TABLE orders DROP COLUMN cur_code;\n" || len(c.Sum) != 32 {
		t.Errorf("contract: %+v", c)
	}
}

func TestLoadReadsYAMLMigrations(t *testing.T) {
	p := loadShop(t)
	m := p.Migrations[2]
	if m.Store != "cache" || len(m.Sections) != 4 {
		t.Fatalf("migration: %+v", m)
	}
	if s := m.Section(plan.Backfill, false); s.Text != "\n  copy:\n    - {from: \"tenant:<t>:<rest...>\", to: \"tenant:{<t>}:<rest...>\"}\n  keep: [\"session:<id>\"]\n" || s.Line != 2 {
		t.Errorf("backfill: %q line %d", s.Text, s.Line)
	}
	if s := m.Section(plan.Verify, false); s.Text != " full\n" || s.Line != 6 {
		t.Errorf("verify: %q line %d", s.Text, s.Line)
	}
	if s := m.Section(plan.Cutover, false); s.Needs != "1.10" {
		t.Errorf("cutover: %+v", s)
	}
	if s := m.Section(plan.Contract, false); s.Readers != "1.5" || !s.Offline {
		t.Errorf("contract: %+v", s)
	}
}
