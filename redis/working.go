package redis

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// Work goes over the connections of the store's clients, several at once, and none
// of them is the task's. So a task that takes longer than a moment has one besides,
// which bears its name in the server's list of clients and does nothing. Whoever
// ends that connection ends the task.
const (
	nameAfter = 200 * time.Millisecond
	lookEvery = 250 * time.Millisecond
)

// errSessionEnded is what a task ends with whose connection was ended.
var errSessionEnded = errors.New("the session of the work was ended")

// working gives a context for a task, which is cancelled when its session is ended.
// The function returned gives the session up, and does not wait for the server.
func (s *Store) working(ctx context.Context, task store.Task) (context.Context, func()) {
	if task.Session == "" {
		return ctx, func() {}
	}
	inner, cancel := context.WithCancelCause(ctx)
	go func() {
		if s.beListed(inner, task.Session) {
			cancel(&store.UnreachableError{Place: s.place, Err: errSessionEnded})
		}
	}()
	return inner, func() { cancel(nil) }
}

// beListed keeps a connection with a name until the context ends, or the connection
// does: then lost is true. Where none can be had or named, the work goes on without.
func (s *Store) beListed(ctx context.Context, name string) (lost bool) {
	if !pause(ctx, nameAfter) {
		return false
	}
	owner, err := s.net.owner(ctx, slot(s.books))
	if err != nil {
		return false
	}
	settings := *owner.Options()
	settings.PoolSize, settings.OnConnect = 1, nil
	dial := goredis.NewDialer(&settings)
	settings.Dialer = func(dialing context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(dialing, network, addr)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() }) // a server that hangs is not waited for
		}
		return conn, err
	}
	client := goredis.NewClient(&settings)
	defer func() { _ = client.Close() }()
	conn := client.Conn()
	defer func() { _ = conn.Close() }()
	answer, err := conn.Do(ctx, "HELLO", "2", "SETNAME", name).Slice()
	if err != nil {
		return false
	}
	number := settings.Addr + "/" + strconv.FormatInt(numberOf(answer), 10)
	s.net.atWork.Store(number, true)
	defer s.net.atWork.Delete(number)
	for pause(ctx, lookEvery) {
		if err := conn.Ping(ctx).Err(); err != nil && !isReply(err) && !isTimeout(err) && ctx.Err() == nil {
			return true
		}
	}
	return false
}

// numberOf finds the connection's number in what HELLO answers.
func numberOf(answer []any) int64 {
	for i := 0; i+1 < len(answer); i += 2 {
		if id, ok := answer[i+1].(int64); ok && text(answer[i]) == "id" {
			return id
		}
	}
	return 0
}

// pause waits; false: the context ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// endedBy gives the error of a task whose context is inner: that of its session's
// end, if that is why it failed.
func endedBy(ctx, inner context.Context, err error) error {
	if gone, ok := errors.AsType[*store.UnreachableError](context.Cause(inner)); ok && ctx.Err() == nil {
		return gone
	}
	return err
}

// hostOf gives the host of an address, or all of one that has no port.
func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}
