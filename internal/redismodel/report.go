package redismodel

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// samples are as many as a report shows.
const samples = 10

// Written is what the writers of a Run did.
type Written struct {
	Commands map[string]int // acknowledged writes by command
	Denied   int            // refused for want of rights
	Refused  int            // refused for another reason, which is a fault
	Wrong    int            // answers other than the model's, which are faults
	Unknown  int            // no answer came
	Pause    time.Duration  // the longest that a write took, waiting and repeating included
	Crossing time.Duration  // the longest from a denial to the next acknowledged write
	Samples  []string       // of faults
	Chance   uint64         // see Model.Chance
}

// Total is the number of acknowledged writes.
func (w Written) Total() int {
	total := 0
	for n := range maps.Values(w.Commands) {
		total += n
	}
	return total
}

// Bad says whether an answer showed a fault.
func (w Written) Bad() bool { return w.Refused+w.Wrong > 0 }

func (w *Written) count(command string) {
	if w.Commands == nil {
		w.Commands = map[string]int{}
	}
	w.Commands[command]++
}

func (w *Written) sample(format string, args ...any) { w.Samples = sample(w.Samples, format, args...) }

func sample(all []string, format string, args ...any) []string {
	if len(all) >= samples {
		return all
	}
	return append(all, fmt.Sprintf(format, args...))
}

func (w *Written) add(other Written) {
	for command, n := range other.Commands {
		if w.Commands == nil {
			w.Commands = map[string]int{}
		}
		w.Commands[command] += n
	}
	w.Denied += other.Denied
	w.Refused += other.Refused
	w.Wrong += other.Wrong
	w.Unknown += other.Unknown
	w.Pause, w.Crossing = max(w.Pause, other.Pause), max(w.Crossing, other.Crossing)
	for _, text := range other.Samples {
		w.sample("%s", text)
	}
}

func (w Written) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d writes", w.Total())
	for _, command := range slices.Sorted(maps.Keys(w.Commands)) {
		fmt.Fprintf(&b, " %s %d", command, w.Commands[command])
	}
	fmt.Fprintf(&b, "; denied %d, refused %d, wrong answers %d, unknown %d; longest pause %s, crossing %s; chance %d",
		w.Denied, w.Refused, w.Wrong, w.Unknown, w.Pause, w.Crossing, w.Chance)
	return b.String() + listed(w.Samples)
}

// Report is what a comparison of all keys found. A key is counted once.
type Report struct {
	OK          int
	Missing     int // not there, but should be
	Lost        int // fewer increments than were acknowledged, or those of an older generation
	Doubled     int // more
	Resurrected int // there, but should not be
	TTL         int // right but for its end
	Unsure      int // not judged: a write's outcome is not known
	Ending      int // not judged: they end just now
	Samples     []string
	Chance      uint64 // see Model.Chance
}

// Bad says whether there is a fault.
func (r Report) Bad() bool { return r.Missing+r.Lost+r.Doubled+r.Resurrected+r.TTL > 0 }

func (r Report) String() string {
	return fmt.Sprintf("ok %d, missing %d, lost %d, doubled %d, resurrected %d, ttl %d; not judged: unsure %d, ending %d; chance %d",
		r.OK, r.Missing, r.Lost, r.Doubled, r.Resurrected, r.TTL, r.Unsure, r.Ending, r.Chance) + listed(r.Samples)
}

func listed(samples []string) string {
	if len(samples) == 0 {
		return ""
	}
	return "\n\t" + strings.Join(samples, "\n\t")
}
