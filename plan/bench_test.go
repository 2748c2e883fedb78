package plan

import (
	"fmt"
	"testing"
	"time"
)

// large is a catalogue of a size that a big installation has: migrations spread
// over the stores and the releases, every third with a floor that takes a stop.
func large(components, stores, releases, steps int) (Catalogue, State, Goal) {
	cat := Catalogue{Application: "large", Soak: time.Hour}
	for r := 0; r < releases; r++ {
		cat.Releases = append(cat.Releases, Release{ID: fmt.Sprintf("1.%d", r), Base: NoRelease, Withdrawn: r%17 == 5 && r < releases-1})
	}
	state := State{Fleet: map[string][]int{}}
	for c := 0; c < components; c++ {
		uses := map[string]Role{}
		for s := 0; s < 3; s++ {
			uses[fmt.Sprintf("store%d", (c+s*3)%stores)] = []Role{ReadWrite, ReadWrite, ReadOnly}[(c+s)%3]
		}
		name := fmt.Sprintf("component%d", c)
		cat.Components = append(cat.Components, Component{Name: name, Uses: uses})
		state.Fleet[name] = []int{c % 3}
	}
	kinds := []Kind{Expand, Backfill, Verify, Contract}
	for i := 0; i < steps; i++ {
		migration := i / len(kinds)
		at := 4 + migration*(releases-8)/(1+steps/len(kinds))
		if at%17 == 5 {
			at++
		}
		s := Step{ID: StepID{Store: fmt.Sprintf("store%d", migration%stores), Migration: fmt.Sprintf("%04d_m", migration), Kind: kinds[i%len(kinds)]},
			Writers: NoRelease, Readers: NoRelease, Needs: NoRelease, Estimate: time.Second}
		switch s.ID.Kind {
		case Expand:
			s.Needs = at
		case Backfill:
			s.Needs = at + 2
			if migration%3 == 0 {
				s.Writers = at
			}
		case Contract:
			s.Writers, s.Readers = at+2, at+2
		}
		cat.Steps = append(cat.Steps, s)
	}
	return cat, state, Goal{Release: releases - 1}
}

func benchmark(b *testing.B, components, stores, releases, steps int) {
	cat, state, goal := large(components, stores, releases, steps)
	b.ReportAllocs()
	for b.Loop() {
		p, err := Make(cat, state, goal)
		if err != nil || len(p.Blocked) > 0 {
			b.Fatal(err, p.Blocked)
		}
		b.ReportMetric(float64(p.Stops), "stops")
		b.ReportMetric(float64(p.Rollouts), "rollouts")
	}
}

// BenchmarkMake is the size that must take less than 50 ms and 64 MB.
func BenchmarkMake(b *testing.B)             { benchmark(b, 20, 10, 500, 1000) }
func BenchmarkMakeTwiceSteps(b *testing.B)   { benchmark(b, 20, 10, 500, 2000) }
func BenchmarkMakeManyReleases(b *testing.B) { benchmark(b, 20, 10, 10_000, 1000) }

func BenchmarkCheck(b *testing.B) {
	cat, _, _ := large(20, 10, 10_000, 1000)
	for b.Loop() {
		Check(cat)
	}
}
