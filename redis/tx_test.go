package redis

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestATransactionSeesNoStaleData lets another client change what was read,
// between the read and the end: the function is called again, and no increment
// of either is lost.
func TestATransactionSeesNoStaleData(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.raw("HSET", f.key("h"), "n", "1", "other", "x")
		calls := 0
		double := Tx("double", func(ctx context.Context, tx *Transaction) error {
			calls++
			answer, err := tx.Read(ctx, "HGETALL", f.beside("h"))
			if err != nil {
				return err
			}
			if calls < 3 {
				f.raw("HINCRBY", f.key("h"), "n", "10")
			}
			n, err := strconv.Atoi(answer.([]any)[1].(string))
			if err != nil {
				return err
			}
			return tx.Queue(ctx, "HSET", f.beside("h"), "n", 2*n)
		})
		if _, err := f.run(double); err != nil {
			t.Fatal(err)
		}
		if n := f.raw("HGET", f.key("h"), "n"); n != "42" || calls != 3 || !f.has("done") {
			t.Errorf("n is %v after %d calls", n, calls)
		}
	})
}

func TestATransactionThatIsAlwaysOvertakenGivesUp(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	_, err := f.run(Tx("never", func(ctx context.Context, tx *Transaction) error {
		if _, err := tx.Read(ctx, "GET", "n"); err != nil {
			return err
		}
		f.raw("INCR", f.Store.full("n"))
		return tx.Queue(ctx, "SET", "n", "0")
	}))
	if _, ok := errors.AsType[*store.LockedError](err); !ok || f.has("done") {
		t.Errorf("error %v", err)
	}
	if n := f.raw("GET", f.Store.full("n")); n != "10" {
		t.Errorf("n is %v", n)
	}
}

func TestWhatATransactionRefuses(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	own := errors.New("not on a Friday")
	for name, c := range map[string]struct {
		do   func(context.Context, *Transaction) error
		want string
	}{
		"its own error": {func(context.Context, *Transaction) error { return own }, "not on a Friday"},
		"a read queued": {func(ctx context.Context, tx *Transaction) error { return tx.Queue(ctx, "GET", "a") }, "not a command that writes"},
		"no keys":       {func(ctx context.Context, tx *Transaction) error { return tx.Queue(ctx, "FLUSHALL") }, "where its keys are"},
		"moving keys": {func(ctx context.Context, tx *Transaction) error {
			return tx.Queue(ctx, "EVAL", "return 1", 1, "a")
		}, "use a Script"},
		"unknown":  {func(ctx context.Context, tx *Transaction) error { return tx.Queue(ctx, "NOSUCH", "a") }, "no such command"},
		"bad type": {func(ctx context.Context, tx *Transaction) error { return tx.Queue(ctx, "SET", "a", true) }, "bool"},
		"empty":    {func(ctx context.Context, tx *Transaction) error { return tx.Queue(ctx) }, "empty command"},
	} {
		_, err := f.run(Tx(name, c.do))
		wantText(t, err, c.want)
		if name == "its own error" && !errors.Is(err, own) {
			t.Errorf("%v is not the function's own error", err)
		}
	}
	if f.has("done") {
		t.Error("something was recorded")
	}
}

func TestSubcommandsInATransaction(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.raw("XADD", f.key("s"), "1-1", "f", "v")
		_, err := f.run(Tx("group", func(ctx context.Context, tx *Transaction) error {
			kind, err := tx.Read(ctx, "OBJECT", "ENCODING", f.beside("s"))
			if err != nil || kind != "stream" {
				return errors.Join(err, errors.New("not a stream"))
			}
			return tx.Queue(ctx, "XGROUP", "CREATE", f.beside("s"), "g", "0")
		}))
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAStretchThatDoesNotMove(t *testing.T) {
	f := prepared(t, testserver.Redis(t))
	for name, action := range map[string]store.Action{
		"transaction": TxStretch("stuck", func(_ context.Context, _ *Transaction, cursor []byte, _ int) ([]byte, bool, int64, error) {
			return cursor, false, 0, nil
		}),
		"sweep": Stretch("stuck", func(_ context.Context, _ *Sweep, cursor []byte, _ int) ([]byte, bool, int64, error) {
			return cursor, false, 0, nil
		}),
	} {
		if _, err := f.run(action); err == nil || f.has("done") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
