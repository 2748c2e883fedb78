package redis

import (
	"context"
	"sync"
)

// lanes is how many batches are on their way at once. One server does one thing at
// a time, so that a second batch is there when it is ready is enough; of a cluster,
// each batch keeps one node busy, and then others.
func (s *Store) lanes() int {
	if s.net.cluster {
		return 4
	}
	return 2
}

// ahead is how many batches may wait for a lane, so that none waits for a scan.
const ahead = 2 * scanCount / batchSize

// inLanes has work done on what feed hands over, several at once and in any
// order. The first error, of either, ends all; it is given when nothing is on its
// way any more.
func inLanes[T any](ctx context.Context, lanes int, feed func(ctx context.Context, hand func(T) error) error, work func(context.Context, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	waiting := make(chan T, ahead)
	var ended sync.WaitGroup
	for range lanes {
		ended.Go(func() {
			for batch := range waiting {
				if ctx.Err() != nil {
					continue
				}
				if err := work(ctx, batch); err != nil {
					stop(err)
				}
			}
		})
	}
	err := feed(ctx, func(batch T) error {
		select {
		case waiting <- batch:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(waiting)
	ended.Wait()
	if ctx.Err() != nil { // that may be what ended the feed
		return context.Cause(ctx)
	}
	return err
}
