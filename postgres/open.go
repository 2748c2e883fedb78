package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stopover-dev/stopover/store"
)

// poolSize is how many connections there may be where the URL does not say:
// workers, those who watch for them, and the lease.
const poolSize = 16

// Options say what in a database belongs to the application.
type Options struct {
	Name   string // of the store, for messages; "": the database's name
	Schema string // of the application's objects and of the books; "": "public"
	Role   string // taken on for all work; "": the login's own
	// Direct leads to the server itself where the pool goes through a pooler:
	// for statements that cannot be in a transaction. nil: the pool's settings.
	Direct *pgx.ConnConfig
}

// Store is an application's schema in a PostgreSQL database.
type Store struct {
	name   string
	schema string
	role   string
	place  string
	pool   *pgxpool.Pool
	direct *pgx.ConnConfig

	limits  limits
	refused sync.Map // signs that the server refuses to give, by name

	secrets []string // passwords, to be taken out of errors
	pids    sync.Map // backend pids of the pool's connections
	keys    sync.Map // rangeKey by table name: how tables are cut
	walks   sync.Map // walk by table name and end of a span

	serverVersion atomic.Int32 // major; 0 before the first connection
	bytewise      atomic.Bool  // the server counts places in statements in bytes
	standby       atomic.Bool  // the server follows another one
	contended     atomic.Int64 // when a task last did not get a lock, in Unix milliseconds
}

// Open opens the store that settings describe. The options are "schema",
// "role", "direct_url" and those that say when long work gives way. It does not
// connect.
func Open(_ context.Context, settings store.Settings) (store.Store, error) {
	known := append([]string{"schema", "role", "direct_url"}, limitOptions...)
	for option := range settings.Options {
		if !slices.Contains(known, option) {
			return nil, fmt.Errorf("store %s: PostgreSQL has no option %q (it has %s)", settings.Name, option, strings.Join(known, ", "))
		}
	}
	limits, err := readLimits(settings.Options)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", settings.Name, err)
	}
	config, err := pgxpool.ParseConfig(settings.URL)
	if err != nil {
		return nil, unreadableURL(settings.Name, "url")
	}
	if !strings.Contains(settings.URL, "pool_max_conns") {
		config.MaxConns = max(config.MaxConns, poolSize)
	}
	options := Options{Name: settings.Name, Schema: settings.Options["schema"], Role: settings.Options["role"]}
	if direct := settings.Options["direct_url"]; direct != "" {
		if options.Direct, err = pgx.ParseConfig(direct); err != nil {
			return nil, unreadableURL(settings.Name, "direct_url")
		}
	}
	return open(config, options, limits)
}

// unreadableURL does not pass on the driver's error: it quotes the URL, and a
// URL that cannot be parsed may have its password anywhere.
func unreadableURL(name, key string) error {
	return fmt.Errorf("store %s: %s is not understood: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with reserved characters of the password percent-encoded", name, key)
}

// New makes a store on the database of an application's own pool. It takes the
// pool's configuration with its hooks, not its connections: the statements of
// migrations may leave settings in a session, and what takes those away would
// take the application's own away too.
func New(pool *pgxpool.Pool, options Options) (*Store, error) {
	config := pool.Config()
	config.MinConns, config.MinIdleConns = 0, 0
	config.MaxConns = min(config.MaxConns, 4)
	//lint:ignore SA1019 the application may still use it
	config.BeforeAcquire = nil
	config.PrepareConn, config.AfterRelease = nil, nil
	return open(config, options, defaultLimits)
}

func open(config *pgxpool.Config, options Options, limits limits) (*Store, error) {
	database := config.ConnConfig
	s := &Store{
		name: options.Name, schema: options.Schema, role: options.Role, direct: options.Direct,
		secrets: []string{database.Password}, limits: limits,
	}
	if s.schema == "" {
		s.schema = "public"
	}
	if strings.ContainsAny(s.schema+s.role, "\x00\\") || strings.Contains(s.schema, "$body$") {
		return nil, errors.New("the name of the schema or role contains a NUL byte, a backslash or $body$")
	}
	if s.direct == nil {
		s.direct = database.Copy()
	} else {
		s.secrets = append(s.secrets, s.direct.Password)
	}
	s.place = fmt.Sprintf("%s on %s:%d, schema %s", database.Database, database.Host, database.Port, s.schema)
	tame(database)
	tame(s.direct)
	s.watchPids(config)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, s.unreachable(err)
	}
	s.pool = pool
	return s, nil
}

// tame makes connections that go through a pooler: no prepared statements, and
// no startup parameters beyond those in the URL and those that poolers know. A
// context that ends cancels the statement on the server before it gives up the
// connection.
func tame(config *pgx.ConnConfig) {
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	if config.ConnectTimeout == 0 || config.ConnectTimeout > connectLimit {
		config.ConnectTimeout = connectLimit
	}
	config.RuntimeParams = maps.Clone(config.RuntimeParams)
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "stopover"
	}
	// What is sent is UTF-8, and was taken apart as standard SQL. Poolers let these
	// two through.
	config.RuntimeParams["client_encoding"] = "UTF8"
	config.RuntimeParams["standard_conforming_strings"] = "on"
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 3 * time.Second}
	}
	config.OnNotice = nil
}

// watchPids keeps the pids of the pool's sessions, which Sessions marks as own.
func (s *Store) watchPids(config *pgxpool.Config) {
	connected, closing := config.AfterConnect, config.BeforeClose
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		s.pids.Store(conn.PgConn().PID(), true)
		s.serverVersion.Store(majorVersion(conn.PgConn().ParameterStatus("server_version")))
		s.bytewise.Store(conn.PgConn().ParameterStatus("server_encoding") == "SQL_ASCII")
		s.standby.Store(conn.PgConn().ParameterStatus("in_hot_standby") == "on")
		if connected != nil {
			return connected(ctx, conn)
		}
		return nil
	}
	config.BeforeClose = func(conn *pgx.Conn) {
		s.pids.Delete(conn.PgConn().PID())
		if closing != nil {
			closing(conn)
		}
	}
}

// majorVersion reads "15.18 (Debian 15.18-0)" and "18beta1".
func majorVersion(text string) int32 {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// Close closes all connections.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// books gives the qualified name of one of the books' objects.
func (s *Store) books(name string) string { return ident(s.schema) + ".stopover_" + name }
