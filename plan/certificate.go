package plan

import "fmt"

// certificate says why there is no way on from where a walk got stuck.
func certificate(ix *index, start, stuck *progress, a aim, goal Goal) []Block {
	var blocks []Block
	for s := range ix.stores {
		if stuck.pos[s] >= a.upto[s] {
			continue
		}
		step := ix.line[s][stuck.pos[s]]
		for _, r := range append(stuck.unprepared(step), stuck.tooOld(step)...) {
			blocks = append(blocks, Block{Component: r.Component, Release: r.Release, Step: ix.cat.Steps[step].ID, Because: r.Because})
		}
	}
	if len(blocks) == 0 {
		blocks = append(blocks, Block{Release: NoRelease, Because: fmt.Sprintf("nothing can go on")})
	}
	return blocks
}
