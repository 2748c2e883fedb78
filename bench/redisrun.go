package main

import (
	"context"
	"errors"
	"fmt"
)

const redisRounds = 5

// contender is what stands beside the loop by hand.
const contender = "Stopover"

// carried is one run over the keys of a Redis store, with the probes beside it.
type carried struct {
	sample
	calm
}

// slowly is how many of 10,000 answers took more than 20 ms.
func (c carried) slowly() float64 { return 10_000 * float64(c.slow) / float64(c.probes) }

// redisRun is one contestant over the keys of a store.
type redisRun struct {
	ready   func(context.Context) error // what is done before, not timed
	command command
	writers bool // an old release is at work beside it
	// after tells with an error if the work was not done, and takes it away. It may
	// say that the run took another time than its program.
	after func(context.Context, *carried, written) error
}

// then makes an after of what needs nothing of the run.
func then(do func(context.Context) error) func(context.Context, *carried, written) error {
	return func(ctx context.Context, _ *carried, _ written) error { return do(ctx) }
}

// turns runs the loop by hand and Stopover in every round, each round beginning
// with the other.
func (s *site) turns(ctx context.Context, t *tenants, runs map[string]redisRun) (map[string][]carried, error) {
	names := []string{plainLoop, contender}
	got := map[string][]carried{}
	for round := range s.times(redisRounds) {
		for i := range names {
			name := names[(i+round)%len(names)]
			one, err := s.carry(ctx, t, runs[name])
			if err != nil {
				return nil, fmt.Errorf("round %d, %s: %w", round+1, name, err)
			}
			got[name] = append(got[name], one)
		}
	}
	return got, nil
}

// carry performs one run with the probes beside it.
func (s *site) carry(ctx context.Context, t *tenants, run redisRun) (one carried, err error) {
	if run.ready != nil {
		if err := run.ready(ctx); err != nil {
			return one, fmt.Errorf("make ready: %w", err)
		}
	}
	beside, err := startProbes(ctx, t.servers)
	if err != nil {
		return one, err
	}
	var old written
	if run.writers {
		w := t.startWriters(ctx)
		one.sample, err = s.run(ctx, run.command)
		old = w.stop()
	} else {
		one.sample, err = s.run(ctx, run.command)
	}
	var stopping error
	one.calm, stopping = beside.stop()
	if err := errors.Join(err, stopping); err != nil || run.after == nil {
		return one, err
	}
	err = run.after(ctx, &one, old)
	return one, err
}

// besidePlain makes the rows of a way over n keys: how fast against the loop by
// hand, and what others on the server notice.
func besidePlain(what string, n int, least float64, got map[string][]carried) []row {
	speed := row{claim: what + ": speed against " + plainLoop, unit: ratio, limit: least, least: true}
	slowest := row{claim: what + ": longest PING against that beside the " + plainLoop, unit: ratio, limit: 2}
	late := row{claim: what + ": of 10,000 PINGs over 20 ms", unit: messages, limit: 5}
	var mine, theirs, pings, others []float64
	for i, one := range got[contender] {
		other := got[plainLoop][i]
		mine, theirs = append(mine, float64(n)/one.wall.Seconds()), append(theirs, float64(n)/other.wall.Seconds())
		speed.values = append(speed.values, mine[i]/theirs[i])
		pings, others = append(pings, one.longest), append(others, other.longest)
		slowest.values = append(slowest.values, one.longest/other.longest)
		late.values = append(late.values, one.slowly())
	}
	speed.note = fmt.Sprintf("%.1fk keys/s against %.1fk of the %s", median(mine)/1000, median(theirs)/1000, plainLoop)
	slowest.note = fmt.Sprintf("%.1f ms against %.1f ms", median(pings), median(others))
	return []row{speed, slowest, late, memory(what+": memory", 64, samplesOf(got[contender]))}
}

func samplesOf(runs []carried) []sample {
	var all []sample
	for _, one := range runs {
		all = append(all, one.sample)
	}
	return all
}
