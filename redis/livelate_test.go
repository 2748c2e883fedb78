package redis

import (
	"errors"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// TestWritersThatWereNotShutOut writes the old keys on and on behind a cutover that
// was told to have no fence: that is seen, and no such key is deleted.
func TestWritersThatWereNotShutOut(t *testing.T) {
	onShared(t, func(t *testing.T, servers []*testserver.RedisServer) {
		l := lively(t, few(), servers, nil)
		l.follow()
		if _, err := l.perform(Cutover{Layout: l.layout}, "cut over"); err != nil {
			t.Fatal(err)
		}
		l.write(600)
		written := l.run.Stop()
		if p, err := l.perform(Compare{Layout: l.layout, Live: true}, ""); err != nil || p.Rows == 0 {
			t.Errorf("nothing is said of %s: %v, %d", written, err, p.Rows)
		}
		if _, err := l.perform(DeleteSources{Layout: l.layout, Live: true}, "deleted"); !errors.As(err, new(*UnprovenError)) {
			t.Errorf("all sources were deleted: %v", err)
		}
		old, err := l.model.Check(t.Context(), l.old)
		if err != nil || old.Lost+old.Doubled+old.Resurrected+old.TTL > 0 || old.Missing == 0 {
			t.Errorf("%v\n%s", err, old)
		}
		// What is gone from the old keys is in the new ones as it was last written.
		both, err := l.model.CheckEither(t.Context(), l.old, l.new)
		if err != nil || both.Bad() {
			t.Errorf("%v\n%s", err, both)
		}
	})
}
