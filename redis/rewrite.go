package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stopover-dev/stopover/internal/expr"
	"github.com/stopover-dev/stopover/internal/keytemplate"
	"github.com/stopover-dev/stopover/store"
)

// Policy says what is done with a value that a rewriting cannot convert.
type Policy string

const (
	Fail       Policy = "fail"       // the step fails and names the keys
	Keep       Policy = "keep"       // it stays as it is, and is listed
	Quarantine Policy = "quarantine" // it stays, is copied to another key, and is listed
)

// Rewriting says what becomes of the values of keys of one form: of the fields
// of hashes, or of strings that hold a JSON object.
type Rewriting struct {
	Keys   string            // template, such as "tenant:<id:[^:]+>:tenant", without the prefix
	Set    map[string]string // expressions by field
	Rename map[string]string // new name by old
	Remove []string
	Where  string // the condition under which a value is changed; "": always

	Unconvertible Policy // "": Fail
	Quarantine    string // template of the copy, with all parts of Keys; for Quarantine only
}

// Rewrite is a step that changes values where they are. A value is written in
// one script with a look at the guards and at what was read: one that changed
// meanwhile is read again, so it may run beside writers. Keys keep the time of
// their end. Make one with NewRewrite.
//
// It is Stretched, and may be repeated. An expression that would change its own
// result is refused when it comes to a value, before that is written.
type Rewrite struct{ rules []rule }

// rule is a rewriting, understood.
type rule struct {
	keys   keytemplate.Template
	change *expr.Change
	policy Policy
	aside  Layout // to the keys of the quarantine; nil: none

	number int    // among the rules, from 1
	fields packed // the lists of what each of the rules looks at
}

// NewRewrite reads rewritings, and refuses those that contradict themselves. A
// key may be taken by one of them only: one that is taken by two fails the step.
func NewRewrite(all ...Rewriting) (Rewrite, error) {
	if len(all) == 0 {
		return Rewrite{}, errors.New("a rewrite of nothing")
	}
	var r Rewrite
	for _, w := range all {
		next, err := newRule(w)
		if err != nil {
			return Rewrite{}, fmt.Errorf("rewrite %q: %w", w.Keys, err)
		}
		r.rules = append(r.rules, next)
	}
	fields := packed(nil).list(len(r.rules))
	for _, rule := range r.rules {
		fields = fields.texts(rule.change.Reads())
	}
	for i := range r.rules {
		r.rules[i].number, r.rules[i].fields = i+1, fields
	}
	return r, nil
}

func newRule(w Rewriting) (rule, error) {
	n := rule{policy: w.Unconvertible}
	if n.policy == "" {
		n.policy = Fail
	}
	var err error
	if n.keys, err = keytemplate.Parse(w.Keys); err != nil {
		return rule{}, err
	}
	if n.change, err = expr.NewChange(expr.Fields{Set: w.Set, Rename: w.Rename, Remove: w.Remove, Where: w.Where}); err != nil {
		return rule{}, err
	}
	switch n.policy {
	case Fail, Keep:
		if w.Quarantine != "" {
			return rule{}, errors.New("a key for quarantine is given, and nothing is put there: say unconvertible: quarantine")
		}
		return n, nil
	case Quarantine:
		if w.Quarantine == "" {
			return rule{}, errors.New("say by quarantine: to which key a value is copied that cannot be converted")
		}
		n.aside, err = Templates([]Renaming{{From: w.Keys, To: w.Quarantine}}, nil, nil)
		return n, err
	}
	return rule{}, fmt.Errorf("unconvertible: %s is not known (known: fail, keep, quarantine)", n.policy)
}

// Shape tells that it goes over many keys.
func (r Rewrite) Shape() store.Shape { return store.Stretched }

// Statements gives one, for people and for the step's checksum.
func (r Rewrite) Statements() []store.Statement {
	return []store.Statement{{Text: "rewrite values\n" + r.String()}}
}

// String says everything that is done.
func (r Rewrite) String() string {
	var b strings.Builder
	for _, rule := range r.rules {
		fmt.Fprintf(&b, "of %s\n%sunconvertible: %s\n", rule.keys, rule.change, rule.policy)
		if rule.aside != nil {
			fmt.Fprintf(&b, "quarantine: %s\n", rule.aside)
		}
	}
	return b.String()
}

// match gives the pattern of all keys.
func (r Rewrite) match() string {
	var all []string
	for _, rule := range r.rules {
		all = append(all, rule.keys.Prefix())
	}
	return literal.Replace(beginning(all)) + "*"
}

// taken is a key with its rule, and the pair of its quarantine.
type taken struct {
	key   string
	rule  *rule
	aside pair
}

// among gives the keys that a rule takes. What is in quarantine is left alone.
func (r Rewrite) among(keys []string) ([]taken, error) {
	var all []taken
	var unclear []string
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) { // a scan may give a key twice
		t, err := r.take(key)
		if isAmbiguous(err) {
			unclear = append(unclear, err.Error())
			continue
		}
		if err != nil {
			return nil, err
		}
		if t.rule != nil {
			all = append(all, t)
		}
	}
	if len(unclear) > 0 {
		return nil, errors.New(some(unclear))
	}
	return all, nil
}

func (r Rewrite) take(key string) (taken, error) {
	t := taken{key: key}
	for i := range r.rules {
		rule := &r.rules[i]
		var aside pair
		var as role
		if rule.aside != nil {
			var err error
			if aside, as, err = placeOf(rule.aside, key); err != nil {
				return taken{}, err
			}
		}
		switch {
		case as == target:
			return taken{}, nil
		case !rule.keys.Matches(key):
			continue
		case rule.aside != nil && as == neither:
			return taken{}, fmt.Errorf("the key %q has no place in quarantine: braces would be in its hash tag", key)
		case t.rule != nil:
			return taken{}, &AmbiguousError{Key: key, Readings: []string{t.rule.keys.String(), rule.keys.String()}}
		}
		t.rule, t.aside = rule, aside
	}
	return t, nil
}

// sweep rewrites about size keys. If the process dies here, the stretch is done
// again, and finds nothing to do where values were rewritten.
func (r Rewrite) sweep(ctx context.Context, w *Sweep, cursor []byte, size int) ([]byte, bool, int64, error) {
	scan, err := w.store.beginScan(ctx, r.match(), cursor)
	if err != nil {
		return nil, false, 0, err
	}
	listed, err := w.store.there(ctx, []string{w.store.unconverted()})
	if err != nil {
		return nil, false, 0, err
	}
	var rows atomic.Int64
	err = inLanes(ctx, w.store.lanes(), func(ctx context.Context, hand func([]taken) error) error {
		for seen := 0; seen < size && !scan.done; {
			keys, err := scan.more(ctx, size-seen)
			if err != nil {
				return err
			}
			seen += max(len(keys), 1)
			all, err := r.among(keys)
			if err != nil {
				return err
			}
			for batch := range slices.Chunk(all, batchSize) {
				if err := hand(batch); err != nil {
					return err
				}
			}
		}
		return nil
	}, func(ctx context.Context, batch []taken) error {
		n, odd, err := w.rewriteAll(ctx, batch)
		rows.Add(n)
		if err == nil && (len(odd) > 0 || listed[0]) {
			err = w.setAside(ctx, batch, odd)
		}
		return err
	})
	if err != nil {
		return nil, false, rows.Load(), err
	}
	next, err := scan.cursor()
	return next, scan.done, rows.Load(), err
}
