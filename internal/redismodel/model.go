// Package redismodel is an application for tests that copy keys of a Redis
// server or cluster while they are written: many writers with connections of
// their own, and a model that knows after every acknowledged write what each
// key has to hold. It is imported by tests only.
//
// Nearly every write is an increment that carries the generation of its key, so
// that a write which is lost, done twice, or undone by something older shows in
// the key's count for good. A write whose outcome is not known makes its key
// unsure: such keys are counted, not judged.
package redismodel

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// Options describe the application. Tenants is needed.
type Options struct {
	Tenants   int           // with five keys each; every tenth has none at first
	Writers   int           // 8 when 0; a tenant belongs to one of them
	Rate      int           // writes per second of all together; 0: as many as come
	Hot       int           // only the keys of the first so many tenants are written; 0: of all
	Seed      uint64        // of everything that is left to chance; 0: from the clock
	Tolerance time.Duration // between ends that count as the same; 2 ms when 0
}

// Model is the tenants and what their keys have to hold. Its methods must not
// be called while a Run is under way, but for Start's.
type Model struct {
	options Options
	keys    []key

	mu   sync.Mutex
	runs uint64
	busy bool
}

// key is what the last acknowledged write left behind.
type key struct {
	tenant int
	what   string
	sort   sort

	generation int64 // counts the times that the key came to be
	count      int64 // of increments since; 0: there is no such key
	until      int64 // Unix milliseconds; 0: it stays
	unsure     bool
}

// sort is the data type of a key.
type sort int

const (
	hash sort = iota
	zset
	set
	list
	number
	stream
)

// perTenant are the keys of a tenant.
const perTenant = 5

// generations are as far apart in a key that holds one number.
const generations = 1_000_000

// New makes the application. Nothing is written.
func New(options Options) *Model {
	if options.Writers == 0 {
		options.Writers = 8
	}
	if options.Seed == 0 {
		options.Seed = uint64(time.Now().UnixNano())
	}
	if options.Tolerance == 0 {
		options.Tolerance = 2 * time.Millisecond
	}
	m := &Model{options: options, keys: make([]key, 0, options.Tenants*perTenant)}
	for tenant := range options.Tenants {
		for _, k := range []key{
			{what: "profile", sort: hash}, {what: "settings", sort: hash}, {what: "usage", sort: hash},
			{what: "items", sort: [...]sort{zset, set, list}[tenant%3]}, {what: "log", sort: [...]sort{number, stream}[tenant%2]},
		} {
			k.tenant = tenant
			m.keys = append(m.keys, k)
		}
	}
	return m
}

// Chance is the number that makes the same application again, but for what the
// clock and the scheduler add.
func (m *Model) Chance() uint64 { return m.options.Seed }

// chance is a source for one purpose.
func (m *Model) chance(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(m.options.Seed, purpose))
}

// claim keeps a Run and what reads or replaces the model apart.
func (m *Model) claim() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy {
		return errors.New("the model is being written: stop the run first")
	}
	m.busy = true
	return nil
}

func (m *Model) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy = false
}

// alive says whether the key exists at a time.
func (k *key) alive(now int64) bool { return k.count > 0 && (k.until == 0 || now < k.until) }

// value is what a key that holds one number holds.
func (k *key) value() int64 { return k.generation*generations + k.count }

// element is the last one of a key that holds many.
func (k *key) element() string {
	if k.sort == stream {
		return fmt.Sprintf("%d-%d", k.generation, k.count)
	}
	return fmt.Sprintf("%d:%d", k.generation, k.count)
}

func (k *key) String() string {
	switch {
	case k.count == 0:
		return "absent"
	case k.until == 0:
		return k.element()
	}
	return k.element() + " until " + strconv.FormatInt(k.until, 10)
}
