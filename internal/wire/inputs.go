package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Seal gives the inputs with their hash over everything else in them.
func (in Inputs) Seal() Inputs {
	in.Hash = ""
	// Strings and lists of strings always have JSON.
	text, _ := json.Marshal(in)
	sum := sha256.Sum256(text)
	in.Hash = hex.EncodeToString(sum[:16])
	return in
}

// Intact says whether the hash fits: nobody edited the plan file by hand.
func (in Inputs) Intact() bool { return in.Hash == in.Seal().Hash }

// Changes names what differs between the inputs of a plan and those of now,
// one sentence each, in the order of the document. Empty: the plan still holds.
func (in Inputs) Changes(now Inputs) []string {
	var out []string
	if in.Catalogue != now.Catalogue {
		out = append(out, "the components, the releases or the soak in stopover.yaml were changed")
	}
	out = append(out, storeChanges(in.Stores, now.Stores)...)
	out = append(out, stepChanges(in.Steps, now.Steps)...)
	return append(out, fleetChanges(in.Fleet, now.Fleet)...)
}

func storeChanges(was, is []InputStore) []string {
	return differences(was, is, func(s InputStore) string { return s.Name },
		func(name string, a, b *InputStore) string {
			switch {
			case b == nil:
				return fmt.Sprintf("store %s is not there any more", name)
			case a == nil:
				return fmt.Sprintf("store %s is new", name)
			case a.Place != b.Place:
				return fmt.Sprintf("store %s is another one: it was %s, now it is %s", name, a.Place, b.Place)
			case a.Position != b.Position:
				return fmt.Sprintf("store %s has moved from %s to %s", name, named(a.Position), named(b.Position))
			case a.Sum != b.Sum:
				return fmt.Sprintf("store %s is still at %s, but steps were begun, done or undone, or floors were changed", name, named(b.Position))
			}
			return ""
		})
}

func named(position string) string {
	if position == "" {
		return "the beginning"
	}
	return position
}

func stepChanges(was, is []InputStep) []string {
	return differences(was, is, func(s InputStep) string { return s.Step },
		func(name string, a, b *InputStep) string {
			switch {
			case b == nil:
				return fmt.Sprintf("step %s is not to be done any more", name)
			case a == nil:
				return fmt.Sprintf("step %s is new", name)
			case a.Sum != b.Sum:
				return fmt.Sprintf("step %s was edited", name)
			}
			return ""
		})
}

func fleetChanges(was, is []Running) []string {
	return differences(was, is, func(r Running) string { return r.Component },
		func(name string, a, b *Running) string {
			before, after := "nothing", "nothing"
			if a != nil && len(a.Releases) > 0 {
				before = strings.Join(a.Releases, ", ")
			}
			if b != nil && len(b.Releases) > 0 {
				after = strings.Join(b.Releases, ", ")
			}
			if before == after {
				return ""
			}
			return fmt.Sprintf("component %s ran %s, now it runs %s", name, before, after)
		})
}

// differences puts two lists side by side by name, and collects what say says
// of each pair. The list of before leads the order.
func differences[T any](was, is []T, name func(T) string, say func(name string, was, is *T) string) []string {
	index := func(list []T) map[string]*T {
		byName := make(map[string]*T, len(list))
		for i := range list {
			byName[name(list[i])] = &list[i]
		}
		return byName
	}
	before, after := index(was), index(is)
	var out []string
	add := func(text string) {
		if text != "" {
			out = append(out, text)
		}
	}
	for i := range was {
		add(say(name(was[i]), &was[i], after[name(was[i])]))
	}
	for i := range is {
		if before[name(is[i])] == nil {
			add(say(name(is[i]), nil, &is[i]))
		}
	}
	return out
}
