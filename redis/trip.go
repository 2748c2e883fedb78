package redis

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"net"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// script is a Lua script with the name under which servers keep it.
type script struct{ text, sha string }

func newScript(text string) *script {
	sum := sha1.Sum([]byte(text))
	return &script{text: text, sha: hex.EncodeToString(sum[:])}
}

// trip is one script to be performed, on the node that has its keys.
type trip struct {
	script *script
	keys   []string
	args   []any
	limit  time.Duration // for the answer
	grace  time.Duration // for the answer when the context has ended
}

// tries is how often a cluster is asked that is just changing.
const tries = 8

// ask performs a script that may be performed again: after a broken connection
// it is, once, since connections of a restarted server break when they are used.
func (s *Store) ask(ctx context.Context, sc *script, keys []string, args ...any) (any, error) {
	t := trip{script: sc, keys: keys, args: args, limit: replyLimit}
	answer, err := s.eval(ctx, t)
	if err != nil && ctx.Err() == nil && !isReply(err) && !isTimeout(err) {
		answer, err = s.eval(ctx, t)
	}
	return answer, s.fault(ctx, err)
}

// send performs a script that must not be performed again. If its outcome is
// unknown, its number is noted as doubtful.
func (s *Store) send(ctx context.Context, t trip, number string) (any, error) {
	t.grace = graceLimit
	answer, err := s.eval(ctx, t)
	if err != nil && !isReply(err) && !neverSent(err) {
		s.doubt(number)
	}
	return answer, s.fault(ctx, err)
}

// eval performs a script. Answers that say that it was not performed here, and
// why, are followed.
func (s *Store) eval(ctx context.Context, t trip) (any, error) {
	for attempt := 1; ; attempt++ {
		node, err := s.net.owner(ctx, slot(t.keys[0]))
		if err != nil {
			return nil, err
		}
		answer, err := t.on(ctx, node)
		if err == nil || !s.net.cluster || !isReply(err) {
			return answer, err
		}
		host, _, _ := net.SplitHostPort(node.Options().Addr)
		if addr, ask, ok := redirection(err.Error(), host); ok && ask {
			if node, err = s.net.node(addr); err != nil {
				return nil, err
			}
			if answer, err = t.asking(ctx, node); err == nil || !isReply(err) {
				return answer, err
			}
		}
		if !changing(code(err)) || attempt == tries {
			return nil, err
		}
		if err := s.net.settle(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// changing tells whether a cluster's answer says that the script was not
// performed because slots are on their way or a master has just gone.
func changing(code string) bool {
	switch code {
	case "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "READONLY", "MASTERDOWN":
		return true
	}
	return false
}

// settle waits a little, longer with each attempt, and asks who owns what.
func (n *network) settle(ctx context.Context, attempt int) error {
	timer := time.NewTimer(time.Duration(attempt*attempt) * 5 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	}
	_, err := n.refresh(ctx)
	if gap := (*coverageError)(nil); errors.As(err, &gap) {
		return nil // the next answer tells whether it matters here
	}
	return err
}

// on performs the script on a node, by its name, or by its text where the node
// does not have it.
func (t trip) on(ctx context.Context, node *goredis.Client) (any, error) {
	return t.within(ctx, func(ctx context.Context) (any, error) {
		node := node.WithTimeout(t.limit)
		answer, err := node.EvalSha(ctx, t.script.sha, t.keys, t.args...).Result()
		if code(err) == "NOSCRIPT" {
			answer, err = node.Eval(ctx, t.script.text, t.keys, t.args...).Result()
		}
		return answer, err
	})
}

// asking performs the script on a node that is just taking the slot over.
func (t trip) asking(ctx context.Context, node *goredis.Client) (any, error) {
	return t.within(ctx, func(ctx context.Context) (any, error) {
		pipe := node.WithTimeout(t.limit).Pipeline()
		pipe.Do(ctx, "ASKING")
		answer := pipe.Eval(ctx, t.script.text, t.keys, t.args...)
		_, _ = pipe.Exec(ctx)
		return answer.Result()
	})
}

// within ends the waiting for an answer with the context, after the grace. The
// client itself looks at deadlines only, not at cancellations; what is left
// behind ends with its limit.
func (t trip) within(ctx context.Context, do func(context.Context) (any, error)) (any, error) {
	type outcome struct {
		answer any
		err    error
	}
	if err := ctx.Err(); err != nil {
		return nil, notSent{err}
	}
	ended := make(chan outcome, 1)
	go func() {
		answer, err := do(context.WithoutCancel(ctx))
		ended <- outcome{answer, err}
	}()
	select {
	case o := <-ended:
		return o.answer, o.err
	case <-ctx.Done():
	}
	grace := time.NewTimer(t.grace)
	defer grace.Stop()
	select {
	case o := <-ended:
		return o.answer, o.err
	case <-grace.C:
		return nil, ctx.Err()
	}
}

// notSent marks an error before which nothing was sent.
type notSent struct{ error }

func (e notSent) Unwrap() error { return e.error }

// neverSent tells whether the server cannot have had the script.
func neverSent(err error) bool {
	if _, ok := errors.AsType[notSent](err); ok || errors.Is(err, errClosed) {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// isReply tells an error that the server answered from one of the connection.
func isReply(err error) bool {
	_, ok := errors.AsType[goredis.Error](err)
	return ok
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}
