package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// What the migrations say. The first is there to be adopted: the store is one in
// use.
const (
	redisBegin = `backfill:
  offline: true
  rewrite:
    - {keys: "<t:[^:{}]+>", remove: [legacy]}
`
	redisCopying   = "backfill:\n  offline: true\n" + redisPairs
	redisFollowing = "backfill:\n" + redisPairs
	redisCutover   = "cutover:\n  fence: {user: " + writerUser + ", readable: [\"*\"], writable: [\"{*}:*\"]}\n"
	redisPairs     = `  copy:
    - {from: "<t:[^:{}]+>", to: "{<t>}:tenant"}
    - {from: "<t:[^:{}]+>:destinations", to: "{<t>}:destinations"}
    - {from: "<t:[^:{}]+>:destination:<d:[^:]+>", to: "{<t>}:destination:<d>"}
`
	redisVerify    = "verify: full\n"
	redisRewriting = `backfill:
  offline: true
  rewrite:
    - keys: "<t:[^:{}]+>"
      set: {created_at: "unixms(created_at)", updated_at: "unixms(updated_at)", entity: 'blank(entity) ? "tenant" : entity'}
    - keys: "<t:[^:{}]+>:destination:<d:[^:]+>"
      set: {created_at: "unixms(created_at)", updated_at: "unixms(updated_at)", entity: 'blank(entity) ? "destination" : entity'}
`
)

// redisProject writes a project with one migration to be done.
func (s *site) redisProject(t *tenants, migration string) (project, error) {
	s.made++
	root := filepath.Join(s.dir, fmt.Sprintf("redis-%d", s.made))
	folder := filepath.Join(root, "migrations")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return project{}, err
	}
	config := fmt.Sprintf("application: many\nstores:\n  cache: {url: \"${DATABASE_URL}\", prefix: %q, cluster: \"%t\", migrations: migrations}\n",
		tenantPrefix, t.cluster())
	for name, text := range map[string]string{"stopover.yaml": config,
		"migrations/0001_begin.yaml": redisBegin, "migrations/0002_next.yaml": migration} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return project{}, err
		}
	}
	return project{stopover: root}, nil
}

// adopt makes books for which the first migration is done.
func (s *site) adopt(ctx context.Context, p project, t *tenants) error {
	_, err := s.run(ctx, s.stopover(p, t.urls()[0], "adopt", "--at", "cache:0001_begin", "--yes"))
	return err
}

// redisLoop is the loop by hand.
func (s *site) redisLoop(t *tenants, what string) command {
	return command{argv: append([]string{s.programs["redisloop"], what}, t.urls()...)}
}
