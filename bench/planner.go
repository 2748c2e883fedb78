package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// size of a catalogue to plan on.
type catalogueSize struct{ components, stores, releases, steps int }

// planned is what cmd/planner reports.
type planned struct {
	Nanoseconds            []int64
	Stops, Rollouts, Steps int
}

// measurePlanner plans the way from the oldest release to the newest on
// catalogues of several sizes, each in a process of its own.
func measurePlanner(ctx context.Context, s *site) ([]row, error) {
	base := catalogueSize{components: 20, stores: 10, releases: 500, steps: 1000}
	steps, components := base, base
	steps.steps *= 2
	components.components *= 2
	var took, moreSteps, moreComponents []float64
	var last planned
	for range s.times(9) {
		var least [3]float64 // of a process's plans: what else runs can only add to it
		for i, size := range []catalogueSize{base, steps, components} {
			got, err := s.plan(ctx, size, 9)
			if err != nil {
				return nil, err
			}
			least[i] = slices.Min(durations(got.Nanoseconds))
			if i == 0 {
				last = got
			}
		}
		took = append(took, least[0]*1000)
		moreSteps = append(moreSteps, least[1]/least[0])
		moreComponents = append(moreComponents, least[2]/least[0])
	}
	peak, err := s.run(ctx, command{argv: s.planner(base, 1)})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("plan: %d components, %d stores, %d releases, %d steps", base.components, base.stores, base.releases, base.steps)
	return []row{
		{claim: what, unit: millis, values: took, limit: 50,
			note: fmt.Sprintf("a way with %d stops, %d rollouts, %d steps", last.Stops, last.Rollouts, last.Steps)},
		memory(what+": memory of the process", 64, []sample{peak}),
		{claim: "plan: twice the steps", unit: ratio, values: moreSteps, limit: 2.2},
		{claim: "plan: twice the components", unit: ratio, values: moreComponents, limit: 2.2},
	}, nil
}

func (s *site) planner(size catalogueSize, plans int) []string {
	argv := []string{s.programs["planner"]}
	for _, n := range []int{size.components, size.stores, size.releases, size.steps, plans} {
		argv = append(argv, strconv.Itoa(n))
	}
	return argv
}

func (s *site) plan(ctx context.Context, size catalogueSize, plans int) (planned, error) {
	argv := s.planner(size, plans)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return planned{}, fmt.Errorf("run planner: %w", err)
	}
	var got planned
	if err := json.Unmarshal(out, &got); err != nil {
		return got, fmt.Errorf("read what planner reports: %w", err)
	}
	return got, nil
}

// durations gives seconds.
func durations(nanoseconds []int64) []float64 {
	var list []float64
	for _, n := range nanoseconds {
		list = append(list, time.Duration(n).Seconds())
	}
	return list
}
