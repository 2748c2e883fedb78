package redis

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// endWait is how long End waits until a session is gone.
const endWait = 5 * time.Second

// listRight is what listing takes.
const listRight = "CLIENT LIST, to see who is connected (ACL rule: +client|list)"

// Sessions lists the clients of all nodes that can reach keys below the prefix, as
// far as the server tells: those in the store's database whose user's patterns of
// keys do not keep them from it. Links of replicas and of Sentinel are left out.
// Where the users' patterns may not be read, nobody is left out for them.
//
// A task that takes longer than a moment is listed by its name. A session's query
// is the name of its last command. A replica that does not
// answer is passed over. *store.RightsError: CLIENT LIST is not allowed.
func (s *Store) Sessions(ctx context.Context) ([]store.Session, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	masters, err := s.net.masters(ctx)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	all := masters
	if members, err := s.members(ctx); err == nil { // else there is a node that is down: it has no clients
		all = members
	}
	var sessions []store.Session
	for _, addr := range all {
		master := slices.Contains(masters, addr)
		found, err := s.sessionsWithin(ctx, addr, master)
		sessions = append(sessions, found...)
		if err != nil && (master || isReply(err) || ctx.Err() != nil) {
			return nil, fmt.Errorf("list the sessions of %s: %w", s.place, s.listFault(ctx, err))
		}
	}
	return sessions, nil
}

func (s *Store) listFault(ctx context.Context, err error) error {
	if notAllowed(err) {
		return &store.RightsError{Missing: listRight, Err: s.scrubbed(err)}
	}
	return s.fault(ctx, err)
}

// replicaWait is how long a replica's list is waited for.
const replicaWait = 2 * time.Second

func (s *Store) sessionsWithin(ctx context.Context, addr string, master bool) ([]store.Session, error) {
	limit := replicaWait
	if master {
		limit = replyLimit
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return s.sessionsOf(limited, addr)
}

// sessionsOf lists those of a node, in one trip and another for users that it has
// not met.
func (s *Store) sessionsOf(ctx context.Context, addr string) ([]store.Session, error) {
	node, err := s.net.node(addr)
	if err != nil {
		return nil, err
	}
	lines, now, err := clientLines(ctx, node)
	if err != nil {
		return nil, err
	}
	lines = slices.DeleteFunc(lines, s.isOtherwise)
	reaches, err := s.reaching(ctx, node, lines)
	if err != nil {
		return nil, err
	}
	var sessions []store.Session
	for _, line := range lines {
		session := s.session(addr, line, now)
		if session.Own || reaches[session.User] {
			sessions = append(sessions, session)
		}
	}
	return sessions, nil
}

// clientLines asks a node for its clients and its time. Where the time may not be
// asked, it is this machine's.
func clientLines(ctx context.Context, node *goredis.Client, filter ...any) ([]string, time.Time, error) {
	pipe := node.Pipeline()
	list := pipe.Do(ctx, append([]any{"CLIENT", "LIST"}, filter...)...)
	clock := pipe.Time(ctx)
	_, _ = pipe.Exec(ctx) // each has its own error
	text, err := list.Text()
	if err != nil {
		return nil, time.Time{}, err
	}
	now, err := clock.Result()
	if err != nil {
		now = time.Now()
	}
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" }), now.UTC(), nil
}

// watching are the names that Sentinel gives its links.
var watching = regexp.MustCompile(`^sentinel-[0-9a-f]{8}-(cmd|pubsub)$`)

// isOtherwise tells a connection that is no client of this database: a link
// between servers, or one that has chosen another database.
func (s *Store) isOtherwise(line string) bool {
	return strings.ContainsAny(field(line, "flags"), "SM") || field(line, "db") != strconv.Itoa(s.net.settings.DB) ||
		watching.MatchString(field(line, "name"))
}

// session reads a line of CLIENT LIST.
func (s *Store) session(addr, line string, now time.Time) store.Session {
	id := field(line, "id")
	session := store.Session{ID: addr + "/" + id, Name: field(line, "name"), User: field(line, "user"), Client: hostOf(field(line, "addr")),
		Query: strings.ToUpper(strings.ReplaceAll(field(line, "cmd"), "|", " ")), Since: now.Add(-age(line)).Truncate(time.Second)}
	if session.Query == "NULL" {
		session.Query = ""
	}
	_, atWork := s.net.atWork.Load(session.ID)
	session.Own = session.Name == s.net.name || atWork
	if strings.HasPrefix(session.Name, "stopover/") { // it is there as long as the task
		session.Busy, session.Open = session.Since, age(line)
	}
	return session
}

// age is how long a client is connected, in whole seconds.
func age(line string) time.Duration {
	seconds, _ := strconv.ParseInt(field(line, "age"), 10, 64)
	return time.Duration(seconds) * time.Second
}

// reaching tells of each user among the clients whether it can reach keys below
// the prefix.
func (s *Store) reaching(ctx context.Context, node *goredis.Client, lines []string) (map[string]bool, error) {
	pipe := node.Pipeline()
	asked := map[string]*goredis.Cmd{}
	for _, line := range lines {
		if user := field(line, "user"); asked[user] == nil {
			asked[user] = pipe.Do(ctx, "ACL", "GETUSER", user)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	_, _ = pipe.Exec(ctx) // each has its own error
	reaches := map[string]bool{}
	for user, answer := range asked {
		rules, err := answer.Slice()
		if err != nil && !isReply(err) && !errors.Is(err, goredis.Nil) {
			return nil, err
		}
		reaches[user] = err != nil || s.reachable(rules)
	}
	return reaches, nil
}

// reachable tells from what ACL GETUSER answers, of a user or of one of its
// selectors, whether its patterns can match a key below the prefix.
func (s *Store) reachable(rules []any) bool {
	for i := 0; i+1 < len(rules); i += 2 {
		switch text(rules[i]) {
		case "keys":
			if slices.ContainsFunc(patterns(rules[i+1]), func(rule string) bool { return !s.apart(rule) }) {
				return true
			}
		case "selectors":
			selectors, _ := rules[i+1].([]any)
			for _, selector := range selectors {
				if inner, _ := selector.([]any); s.reachable(inner) {
					return true
				}
			}
		}
	}
	return false
}

// patterns reads "~a:* %R~b:*", or, of servers before 7.0, a list without signs.
func patterns(keys any) []string {
	list, old := keys.([]any)
	if !old {
		return strings.Fields(text(keys))
	}
	all := make([]string, len(list))
	for i, pattern := range list {
		all[i] = "~" + text(pattern)
	}
	return all
}

// End ends a session and waits until it is gone. A server that was restarted
// counts from the beginning: the time at which the session began must fit too.
func (s *Store) End(ctx context.Context, session store.Session) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	addr, id, whole := strings.Cut(session.ID, "/")
	if _, err := strconv.ParseUint(id, 10, 64); err != nil || !whole {
		return fmt.Errorf("end session %q: it is no node and number of a client", session.ID)
	}
	node, err := s.net.node(addr)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, endWait)
	defer cancel()
	for {
		there, err := endOnce(limited, node, id, session)
		if err == nil && !there {
			return nil
		}
		if err != nil && limited.Err() == nil {
			return fmt.Errorf("end session %s of %s: %w", session.ID, s.place, s.endFault(ctx, err))
		}
		select {
		case <-limited.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("session %s of %s was told to end and is still there after %s", session.ID, s.place, endWait)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Store) endFault(ctx context.Context, err error) error {
	if notAllowed(err) {
		return &store.RightsError{Missing: "CLIENT LIST and CLIENT KILL, to end a session (ACL rules: +client|list +client|kill)", Err: s.scrubbed(err)}
	}
	return s.fault(ctx, err)
}

// endOnce tells a session to end, if it is there and the same.
func endOnce(ctx context.Context, node *goredis.Client, id string, session store.Session) (there bool, err error) {
	lines, now, err := clientLines(ctx, node, "ID", id)
	if err != nil || len(lines) == 0 {
		return false, err
	}
	// Both times are known to the second.
	if began := now.Add(-age(lines[0])); began.Sub(session.Since).Abs() > 3*time.Second && !session.Since.IsZero() {
		return false, nil
	}
	return true, node.Do(ctx, "CLIENT", "KILL", "ID", id, "ADDR", field(lines[0], "addr")).Err()
}

var _ store.Lister = (*Store)(nil)
