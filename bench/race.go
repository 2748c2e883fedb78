package main

import (
	"context"
	"fmt"
	"time"
)

// sample is one run of a program.
type sample struct {
	wall time.Duration
	cpu  time.Duration // of the program itself, not of a server
	peak int64         // most resident memory, bytes
}

// contestant is a program that is run once a round.
type contestant struct {
	name string
	// ready makes what the run needs, a fresh database for instance, and is not
	// timed; cleanup takes it away.
	ready func(context.Context) (command, func() error, error)
}

// race runs all contestants in every round, each round beginning with another,
// so that neither a slow moment nor what the run before left behind favours
// anyone. The samples come by contestant, then by round.
func race(ctx context.Context, s *site, rounds int, contestants []contestant) (map[string][]sample, error) {
	samples := make(map[string][]sample, len(contestants))
	for round := range rounds {
		for i := range contestants {
			c := contestants[(i+round)%len(contestants)]
			one, err := runOnce(ctx, s, c)
			if err != nil {
				return nil, fmt.Errorf("round %d, %s: %w", round+1, c.name, err)
			}
			samples[c.name] = append(samples[c.name], one)
		}
	}
	return samples, nil
}

func runOnce(ctx context.Context, s *site, c contestant) (one sample, err error) {
	cmd, cleanup, err := c.ready(ctx)
	if err != nil {
		return sample{}, fmt.Errorf("make ready: %w", err)
	}
	defer func() {
		if cleaning := cleanup(); err == nil {
			err = cleaning
		}
	}()
	return s.run(ctx, cmd)
}

// against makes a row of the ratios of two contestants' times, round by round.
func against(claim string, limit float64, mine, theirs []sample, name string) row {
	r := row{claim: claim, unit: ratio, limit: limit}
	var own, other []float64
	for i := range mine {
		own = append(own, seconds(mine[i]))
		other = append(other, seconds(theirs[i]))
		r.values = append(r.values, own[i]/other[i])
	}
	r.note = fmt.Sprintf("%s against %s of %s", long(median(own)), long(median(other)), name)
	return r
}

// memory makes a row of the most resident memory of runs.
func memory(claim string, limit float64, runs ...[]sample) row {
	r := row{claim: claim, unit: megs, limit: limit}
	for _, run := range runs {
		for _, one := range run {
			r.values = append(r.values, float64(one.peak)/(1<<20))
		}
	}
	return r
}

func seconds(s sample) float64 { return s.wall.Seconds() }

func long(seconds float64) string {
	if seconds < 0.2 {
		return fmt.Sprintf("%.1f ms", seconds*1000)
	}
	return fmt.Sprintf("%.2f s", seconds)
}
