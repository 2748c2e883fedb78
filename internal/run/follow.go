package run

import (
	"context"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// Follow does before a work what takes long and can be done while writers are at
// work, where the store knows such things. It changes nothing that counts.
func (r *Runner) Follow(ctx context.Context, w Work) error {
	follower, able := store.As[store.Follower](r.Store)
	if !able || r.late() {
		return nil
	}
	err := r.insist(ctx, w, func(ctx context.Context, _ time.Duration) error {
		return follower.Follow(ctx, r.task(w))
	})
	if err != nil {
		return r.failure(ctx, w, err)
	}
	return nil
}
