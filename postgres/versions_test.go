package postgres_test

import (
	"context"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store/storetest"
)

// versionDriver is the driver of a store on another major version than the
// machine's.
type versionDriver struct{ server *testserver.PostgresServer }

func (d versionDriver) Fresh(ctx context.Context) (storetest.Site, error) {
	url, err := d.server.TryNewURL(ctx)
	return &site{url: url}, err
}

// The whole suite on PostgreSQL 18, the newest that is tried. The cases wait
// more than they work: they go side by side.
func TestStoreOn18(t *testing.T) {
	d := versionDriver{testserver.PostgresOf(t, 18)}
	for _, c := range storetest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			for _, failure := range storetest.Check(t.Context(), d, c) {
				t.Error(failure)
			}
		})
	}
}
