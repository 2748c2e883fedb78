package files

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/internal/spelling"
	"github.com/stopover-dev/stopover/plan"
)

// The words and keys of directives.
const (
	wordOffline    = "offline"
	wordEach       = "each"
	keyWriters     = "writers"
	keyReaders     = "readers"
	keyNeeds       = "needs"
	keyTable       = "table"
	keyRequires    = "requires"
	keyWhen        = "when"
	keyLockTimeout = "lock_timeout"
	keyAfter       = "after"
	keyOld         = "old"
	keyNew         = "new"
	keyUp          = "up"
	keyDown        = "down"
)

var sectionKeys = []string{wordOffline, wordEach, keyWriters, keyReaders, keyNeeds, keyTable, keyRequires, keyWhen, keyLockTimeout}

var mirrorKeys = []string{keyTable, keyOld, keyNew, keyUp, keyDown}

// directive is one directive line while it is read.
type directive struct {
	place    Place
	word     string // what it begins with: a kind, "migration", "mirror"; "" not known
	section  Section
	mirror   Mirror
	after    []string
	seen     []string
	problems []Problem
}

func (d *directive) problem(next, format string, args ...any) {
	d.problems = append(d.problems, Problem{Place: d.place, Message: fmt.Sprintf(format, args...), Next: next})
}

// read takes what stands behind the mark.
func (d *directive) read(line string) {
	if strings.HasPrefix(line, ":") || line == "" || line[0] != ' ' && line[0] != '\t' {
		d.problem("write "+example, "a directive wants a blank and the kind of section behind its colon")
		return
	}
	word, rest := cutWord(line)
	if !d.begin(word) {
		return
	}
	for rest != "" {
		var key, value string
		var has bool
		var fault string
		if key, value, has, rest, fault = cutPair(rest); fault != "" {
			d.problem("", "%s", fault)
			return
		}
		if oneOf(key, d.seen) {
			d.problem("", "%s is given twice", key)
			continue
		}
		d.seen = append(d.seen, key)
		d.set(key, value, has)
	}
}

// begin takes the word that says what the directive is about.
func (d *directive) begin(word string) bool {
	kind, undo := strings.CutPrefix(word, "undo-")
	k, known := plan.ParseKind(kind)
	switch {
	case word == "migration", word == wordMirror:
	case !known || undo && k != plan.Expand && k != plan.Backfill:
		d.unknownKind(word)
		return false
	}
	d.word, d.section.Kind, d.section.Undo = word, k, undo
	return true
}

func (d *directive) unknownKind(word string) {
	switch {
	case word == "":
		d.problem("", "a directive without a kind (known: %s)", strings.Join(kindNames, ", "))
	case strings.HasPrefix(word, "undo-"):
		d.problem("only expand and backfill have an undo-section; what a "+strings.TrimPrefix(word, "undo-")+" did comes back from a restore", "unknown kind of section %q", excerpt(word))
	case word == "cleanup":
		d.problem("", "unknown kind of section %q, did you mean contract?", word)
	default:
		d.problem("", "unknown kind of section %q%s", excerpt(word), spelling.Meant(word, kindNames))
	}
}

// set takes one word or key.
func (d *directive) set(key, value string, has bool) {
	allowed := d.allowed()
	switch {
	case !oneOf(key, allowed) && oneOf(key, slices.Concat(sectionKeys, mirrorKeys, []string{keyAfter})):
		d.problem("it takes "+strings.Join(allowed, ", "), "%s has no place in a directive %s", key, d.word)
	case !oneOf(key, allowed):
		d.problem("", "unknown key %q%s", excerpt(key), spelling.Meant(key, allowed))
	case (key == wordOffline || key == wordEach) && has:
		d.problem("", "%s is a word of its own, without a value", key)
	case key == wordOffline:
		d.section.Offline = true
	case key == wordEach:
		d.section.Each = true
	case strings.TrimSpace(value) == "":
		d.problem("", "%s wants a value: %s", key, sample(key))
	default:
		d.setValue(key, value)
	}
}

// allowed lists the words and keys that the directive takes.
func (d *directive) allowed() []string {
	switch {
	case d.word == "migration":
		return []string{keyAfter}
	case d.word == wordMirror:
		return mirrorKeys
	case d.section.Undo && d.section.Kind == plan.Backfill:
		return []string{wordEach, wordOffline, keyTable, keyLockTimeout}
	case d.section.Undo:
		return []string{wordEach, wordOffline, keyLockTimeout}
	case d.section.Kind == plan.Backfill:
		return sectionKeys
	}
	if d.section.Kind == plan.Verify {
		return []string{wordOffline, keyWriters, keyReaders, keyNeeds, keyRequires, keyWhen, keyLockTimeout}
	}
	return []string{wordOffline, wordEach, keyWriters, keyReaders, keyNeeds, keyRequires, keyWhen, keyLockTimeout}
}

func (d *directive) setValue(key, value string) {
	if d.word == wordMirror {
		d.mirror.set(key, value)
		return
	}
	s := &d.section
	switch key {
	case keyWriters:
		s.Writers = d.release(key, value)
	case keyReaders:
		s.Readers = d.release(key, value)
	case keyNeeds:
		s.Needs = d.release(key, value)
	case keyTable:
		s.Table = value
	case keyRequires:
		s.Requires = splitList(value)
	case keyWhen:
		s.When = value
	case keyAfter:
		d.after = splitList(value)
	case keyLockTimeout:
		t, err := parseDuration(value)
		if err != nil || t <= 0 {
			d.problem("", "lock_timeout %q is no time: write it like 2s or 500ms", excerpt(value))
		}
		s.LockTimeout = t
	}
}

// release takes a release, with or without the only sign that may stand
// before it.
func (d *directive) release(key, value string) string {
	bare := strings.TrimSpace(strings.TrimPrefix(value, ">="))
	if bare == "" || strings.ContainsAny(bare[:1], "<>=~^!") {
		d.problem("write the oldest release that will do, without a sign", "%s %s: only a lower bound can be given, no release knows the future", key, excerpt(value))
		return ""
	}
	return bare
}

func sample(key string) string {
	switch key {
	case keyTable:
		return "table=orders"
	case keyRequires:
		return "requires=main:0042_currency.expand"
	case keyWhen:
		return `when="..."`
	case keyLockTimeout:
		return "lock_timeout=2s"
	case keyAfter:
		return "after=0041_orders"
	case keyOld:
		return "old=cur_code"
	case keyNew:
		return "new=currency"
	case keyUp:
		return `up="upper(cur_code)"`
	case keyDown:
		return `down="lower(currency)"`
	}
	return key + "=1.5"
}

// splitList takes a list apart at its commas.
func splitList(value string) []string {
	var list []string
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
