package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// What is there before the story begins.
const (
	oldOrders = 20_000
	oldHits   = 10 // of each session
)

func oldAddress(id int64) string { return fmt.Sprintf("Old Road %d, Bruges", id) }

// story is one play.
type story struct {
	self  string // this program
	dir   string // of logs
	env   []string
	every time.Duration
	kill  chan struct{} // closed when the upgrade is to be killed; nil: never
	out   io.Writer
	errs  io.Writer
	fleet *supervisor
}

// play tells the whole story.
func play(ctx context.Context, every time.Duration, kill bool, out, errs io.Writer) (err error) {
	s := &story{every: every, out: out, errs: errs}
	if kill {
		s.kill = make(chan struct{})
	}
	if s.self, err = os.Executable(); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "stopover-rolling-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	stop, err := s.servers()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := s.seed(ctx); err != nil {
		return err
	}
	if s.fleet, err = supervise(s); err != nil {
		return err
	}
	s.env = append(s.env, "ROLLING="+s.self, "ROLLING_CONTROL="+s.fleet.url)
	err = s.acts(ctx)
	if err = errors.Join(err, s.fleet.end()); err != nil {
		return err
	}
	return s.account(ctx)
}

// servers starts what the environment does not name.
func (s *story) servers() (stop func() error, err error) {
	var stops []func() error
	stop = func() error {
		var errs []error
		for _, one := range stops {
			errs = append(errs, one())
		}
		return errors.Join(errs...)
	}
	if err := os.Chmod(s.dir, 0o711); err != nil { // the servers' user passes through
		return stop, err
	}
	s.env = os.Environ()
	if os.Getenv("DATABASE_URL") == "" {
		server, err := testserver.StartPostgres(s.dir)
		if err != nil {
			return stop, fmt.Errorf("%w\nset DATABASE_URL and REDIS_URL to servers of yours, or run scripts/setup, which installs some", err)
		}
		stops = append(stops, server.Stop)
		s.env = append(s.env, "DATABASE_URL="+server.URL("postgres"))
	}
	if os.Getenv("REDIS_URL") == "" {
		server, err := testserver.StartRedis(s.dir)
		if err != nil {
			return stop, errors.Join(err, stop())
		}
		stops = append(stops, server.Stop)
		s.env = append(s.env, "REDIS_URL="+server.URL())
	}
	return stop, nil
}

// variable is what the parts find in their environment.
func (s *story) variable(name string) string {
	for i := len(s.env) - 1; i >= 0; i-- {
		if value, found := strings.CutPrefix(s.env[i], name+"="); found {
			return value
		}
	}
	return ""
}

// seed brings the stores to where 1.4 runs on them, with data.
func (s *story) seed(ctx context.Context) error {
	if err := s.execute(ctx, "CREATE SCHEMA "+schema); err != nil {
		return fmt.Errorf("%w\nif an earlier play left it behind: DROP SCHEMA %s CASCADE, and delete the keys %s*", err, schema, prefix)
	}
	for _, to := range []string{"main:0041_orders", "cache:0002_sessions"} {
		if err := s.migrate(ctx, io.Discard, "apply", "--to", to, "--yes"); err != nil {
			return err
		}
	}
	if err := s.execute(ctx, fmt.Sprintf(`INSERT INTO %s.orders (id, cur_code, street, town)
		SELECT id, 'EUR', 'Old Road ' || id, 'Bruges' FROM generate_series(1, %d) id`, schema, oldOrders)); err != nil {
		return err
	}
	cache, err := s.cache()
	if err != nil {
		return err
	}
	pipe := cache.Pipeline()
	for n := range sessions {
		pipe.HSet(ctx, fmt.Sprintf("%ssession:%d", prefix, n+1), "hits", oldHits)
	}
	_, err = pipe.Exec(ctx)
	return errors.Join(err, cache.Close())
}

func (s *story) execute(ctx context.Context, statement string) error {
	conn, err := s.database(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

func (s *story) database(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.variable("DATABASE_URL"))
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "rolling-story"
	return pgx.ConnectConfig(ctx, config)
}

func (s *story) cache() (*goredis.Client, error) {
	options, err := goredis.ParseURL(s.variable("REDIS_URL"))
	if err != nil {
		return nil, err
	}
	return goredis.NewClient(options), nil
}

// migrate runs the shop's own command line of Stopover, as an operator does.
func (s *story) migrate(ctx context.Context, out io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, s.self, append([]string{"migrate"}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, out, s.errs
	if out == io.Discard {
		cmd.Stderr = nil
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("rolling migrate %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// say shows what is typed, and does it.
func (s *story) say(ctx context.Context, args ...string) error {
	fmt.Fprintf(s.out, "\n$ rolling migrate %s\n", strings.Join(args, " "))
	return s.migrate(ctx, s.out, args...)
}

// acts are the story between the seed and the account.
func (s *story) acts(ctx context.Context) error {
	for _, one := range []struct{ component, release string }{{"api", "1.4"}, {"api", "1.4"}, {"worker", "1.4"}, {"worker", "1.4"}, {"web", "1.3"}} {
		if err := s.fleet.start(ctx, one.component, one.release); err != nil {
			return err
		}
	}
	fmt.Fprintln(s.out, "Two api and two worker run at 1.4, one web at 1.3. All of them hold leases, which is stated once:")
	for _, component := range []string{"api", "worker", "web"} {
		if err := s.say(ctx, "attest", "component", component, "none", "--reason", "all-of-them-hold-leases"); err != nil {
			return err
		}
	}
	if err := s.say(ctx, "plan", "--to", "1.9"); err != nil {
		return err
	}
	upgrade := []string{"apply", "--to", "1.9", "--wait", "--yes"}
	if s.kill != nil {
		if err := s.killed(ctx, upgrade); err != nil {
			return err
		}
	}
	for _, args := range [][]string{upgrade, {"fleet"}, {"cleanup", "--yes"}} {
		if err := s.say(ctx, args...); err != nil {
			return err
		}
	}
	select { // the newest release alone, on the stores without their old form
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(500 * time.Millisecond):
		return nil
	}
}

// killed types the upgrade and kills it at its second stop, in the middle of the
// rollout: that goes on, and nobody is there who waits for it.
func (s *story) killed(ctx context.Context, upgrade []string) error {
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	go func() {
		select {
		case <-s.kill:
			kill()
		case <-ctx.Done():
		}
	}()
	err := s.say(ctx, upgrade...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		return fmt.Errorf("the upgrade was to be killed, and ended: %w", err)
	}
	fmt.Fprintln(s.out, "The upgrade was killed.")
	return nil
}
