package redis

import (
	"context"
	"slices"
)

// forget deletes all digests of a layout: those that can be beside each other in
// one script, a thousand at a time.
func (w *Sweep) forget(ctx context.Context, layout Layout) error {
	const most = 1000
	s := w.store
	var trips []trip
	for share := range slots {
		key := s.digestsOf(layout, share)
		if n := len(trips) - 1; n >= 0 && len(trips[n].keys) < most && (!s.net.cluster || s.tagged()) {
			trips[n].keys = append(trips[n].keys, key)
			continue
		}
		t := trip{script: forgetScript, limit: workLimit}
		t.keys, t.args = w.held(key)
		t.keys = append(t.keys, key)
		trips = append(trips, t)
	}
	for part := range slices.Chunk(trips, most) {
		replies, err := s.pipeline(ctx, part)
		if err != nil {
			return err
		}
		for _, reply := range replies {
			if _, err := w.answer(reply); err != nil {
				return err
			}
		}
	}
	return nil
}
