// Command planner makes a catalogue of a given size, plans the way from its
// oldest releases to its newest several times, and reports as JSON how long
// each plan took.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/stopover-dev/stopover/plan"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "planner:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 5 {
		return errors.New("usage: planner COMPONENTS STORES RELEASES STEPS PLANS")
	}
	var n [5]int
	for i, arg := range args {
		var err error
		if n[i], err = strconv.Atoi(arg); err != nil {
			return err
		}
	}
	cat, state, goal := landscape(n[0], n[1], n[2], n[3])
	var report struct {
		Nanoseconds            []int64
		Stops, Rollouts, Steps int
	}
	for range n[4] {
		begun := time.Now()
		made, err := plan.Make(cat, state, goal)
		took := time.Since(begun)
		if err != nil {
			return err
		}
		if len(made.Blocked) > 0 {
			return fmt.Errorf("there is no way: %s", made.Blocked[0].Because)
		}
		report.Nanoseconds = append(report.Nanoseconds, int64(took))
		report.Stops, report.Rollouts, report.Steps = made.Stops, made.Rollouts, made.Steps
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

// landscape makes an application whose components use three stores each, and
// whose migrations, of four steps each, are spread evenly over the releases. In
// every fifth the backfill refuses older writers, so that the fleet has to stop
// on the way.
func landscape(components, stores, releases, steps int) (plan.Catalogue, plan.State, plan.Goal) {
	cat := plan.Catalogue{Application: "large", Soak: 24 * time.Hour}
	for r := range releases {
		cat.Releases = append(cat.Releases, plan.Release{ID: fmt.Sprintf("1.%d", r), Base: plan.NoRelease, Withdrawn: r%40 == 39 && r < releases-1})
	}
	state := plan.State{Done: map[plan.StepID]bool{}, Begun: map[plan.StepID]bool{}, Fleet: map[string][]int{}}
	for c := range components {
		component := plan.Component{Name: fmt.Sprintf("part%02d", c), Uses: map[string]plan.Role{}}
		for i, role := range []plan.Role{plan.ReadWrite, plan.ReadWrite, plan.ReadOnly} {
			component.Uses[fmt.Sprintf("store%d", (c+i)%stores)] = role
		}
		cat.Components = append(cat.Components, component)
		state.Fleet[component.Name] = []int{0}
	}
	migrations := steps / 4
	for m := range migrations {
		at := 2 + m*(releases-8)/migrations
		if cat.Releases[at].Withdrawn {
			at++ // a step that wants the release that was withdrawn would bar the way
		}
		cat.Steps = append(cat.Steps, migration(m, fmt.Sprintf("store%d", m%stores), at)...)
	}
	return cat, state, plan.Goal{Release: releases - 1}
}

// migration makes the four steps of a migration that release at brings in.
func migration(number int, store string, at int) []plan.Step {
	var steps []plan.Step
	for _, kind := range []plan.Kind{plan.Expand, plan.Backfill, plan.Verify, plan.Contract} {
		s := plan.Step{ID: plan.StepID{Store: store, Migration: fmt.Sprintf("%04d_change", number), Kind: kind},
			Writers: plan.NoRelease, Readers: plan.NoRelease, Needs: plan.NoRelease, Estimate: time.Minute}
		switch kind {
		case plan.Expand:
			s.Needs = at
		case plan.Backfill:
			s.Needs = at + 1
			if number%5 == 0 {
				s.Writers = at
			}
		case plan.Contract:
			s.Writers, s.Readers = at+1, at+1
		}
		steps = append(steps, s)
	}
	return steps
}
