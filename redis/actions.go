package redis

import (
	"context"
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/store"
)

// Script makes a step of a Lua script, which is performed in one piece with its
// record. KEYS are the keys, with the prefix put before them, ARGV the
// arguments. What it returns, if a number, is the number of records changed.
//
// It touches the keys that it declares and no others. When it fails, by an
// error that it raises or returns, all keys are as they were before: they are
// dumped before their first write, which takes time for keys of megabytes.
// Other clients wait meanwhile, as for any script. On a cluster the keys are in
// the books' slot.
//
// The preview is what people read in a plan. The step's checksum is taken from
// it and the script.
func Script(preview, lua string, keys []string, args ...string) store.Action {
	return &inLua{shape: store.Whole, preview: preview, lua: lua, keys: keys, args: args}
}

// QueryScript makes a verification of a Lua script that returns a list of
// violations, one line each. It changes nothing: commands that write are
// refused. As a proof it is performed in one piece with the work.
func QueryScript(preview, lua string, keys []string, args ...string) store.Action {
	return &inLua{shape: store.Query, preview: preview, lua: lua, keys: keys, args: args}
}

// Tx makes a step of a function in Go that reads at once and queues its writes;
// they are performed in one piece with the step's record, if what was read is
// still so. If it is not, the function is called again. On a cluster the keys
// are in the books' slot. The preview is what people read in a plan, and what
// the step's checksum is taken from: change it when the function changes its
// meaning.
func Tx(preview string, do func(context.Context, *Transaction) error) store.Action {
	return &inGo{preview: preview, whole: do}
}

// TxStretch makes a step of a function in Go like that of Tx that is called
// again and again, each time in a transaction of its own that is recorded with
// the cursor, until it says done. The cursor is nil at first, then what the last
// call gave; size is the number of records wanted, rows the number changed.
func TxStretch(preview string, do TxStretchFunc) store.Action {
	return &inGo{preview: preview, stretch: do}
}

// TxStretchFunc does one stretch, see TxStretch.
type TxStretchFunc func(ctx context.Context, tx *Transaction, cursor []byte, size int) (next []byte, done bool, rows int64, err error)

// Stretch makes a step of a function in Go that goes over keys, wherever in a
// cluster they are. The cursor is recorded after the work of a call: what a
// process did that died in between is done again, so the work on a key must
// give the same when it is repeated. A displaced runner is refused key by key,
// see Sweep.Each.
func Stretch(preview string, do StretchFunc) store.Action {
	return &sweeping{preview: preview, do: do}
}

// StretchFunc does one stretch, see Stretch.
type StretchFunc func(ctx context.Context, sweep *Sweep, cursor []byte, size int) (next []byte, done bool, rows int64, err error)

// Query makes a verification of a function in Go: it reports each violation
// that it finds, in one line. As a proof it is performed just before the work,
// not in one piece with it; where that matters use QueryScript.
func Query(preview string, do QueryFunc) store.Action {
	return &asking{preview: preview, do: do}
}

// QueryFunc looks for violations, see Query.
type QueryFunc func(ctx context.Context, reader *Reader, report func(line string)) error

type inLua struct {
	shape        store.Shape
	preview, lua string
	keys, args   []string
}

func (a *inLua) Shape() store.Shape { return a.shape }

// Statements gives the script with what it is given, so that a change of any is
// a change of the step.
func (a *inLua) Statements() []store.Statement {
	var all strings.Builder
	fmt.Fprintf(&all, "%s\n%s", a.preview, a.lua)
	if len(a.keys)+len(a.args) > 0 {
		fmt.Fprintf(&all, "\n-- keys %q, arguments %q", a.keys, a.args)
	}
	return []store.Statement{{Text: all.String()}}
}

type inGo struct {
	preview string
	whole   func(context.Context, *Transaction) error
	stretch TxStretchFunc
}

func (a *inGo) Shape() store.Shape {
	if a.stretch != nil {
		return store.Stretched
	}
	return store.Whole
}
func (a *inGo) Statements() []store.Statement { return []store.Statement{{Text: a.preview}} }

type sweeping struct {
	preview string
	do      StretchFunc
}

func (a *sweeping) Shape() store.Shape            { return store.Stretched }
func (a *sweeping) Statements() []store.Statement { return []store.Statement{{Text: a.preview}} }

func (a *sweeping) sweep(ctx context.Context, w *Sweep, cursor []byte, size int) ([]byte, bool, int64, error) {
	return a.do(ctx, w, cursor, size)
}

type asking struct {
	preview string
	do      QueryFunc
}

func (a *asking) Shape() store.Shape            { return store.Query }
func (a *asking) Statements() []store.Statement { return []store.Statement{{Text: a.preview}} }

func (a *asking) seek(ctx context.Context, r *Reader, report func(string)) error {
	return a.do(ctx, r, report)
}
