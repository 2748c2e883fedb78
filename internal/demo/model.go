package demo

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// order is an order as it must be in the end, whatever form it was written in.
type order struct {
	customer int64
	cents    int64
	currency string
}

// model is what the store must hold in the end: what it began with and every
// write that the shop was told is committed. It never looks at the store.
type model struct {
	mu        sync.Mutex
	orders    map[int64]order
	customers map[int64]string // address by id
	writes    int64
	slowest   time.Duration
}

var currencies = []string{"EUR", "GBP", "USD"}

// past makes a shop with a past: so many orders, and a customer for every ten.
// It is the same each time.
func past(orders int) *model {
	m := &model{orders: make(map[int64]order, orders+orders/8), customers: map[int64]string{}}
	random := rand.New(rand.NewPCG(1, 2))
	customers := int64(orders/10 + 3)
	for id := int64(1); id <= customers; id++ {
		m.customers[id] = fmt.Sprintf("customer%d@example.com", id)
	}
	for id := int64(1); id <= int64(orders); id++ {
		m.orders[id] = order{customer: 1 + random.Int64N(customers), cents: 5 + random.Int64N(50_000), currency: currencies[random.IntN(len(currencies))]}
	}
	return m
}

// add takes over a write that was acknowledged.
func (m *model) add(w write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch w.What {
	case placed:
		o := m.orders[w.ID] // another process may have amended it, and be heard first
		m.orders[w.ID] = order{customer: w.Customer, cents: o.cents + w.Cents, currency: w.Currency}
	case amended:
		o := m.orders[w.ID]
		o.cents += w.Cents
		m.orders[w.ID] = o
	case moved:
		m.customers[w.ID] = w.Mail
	default:
		return fmt.Errorf("the shop acknowledged a write of the unknown kind %q", w.What)
	}
	m.writes++
	m.slowest = max(m.slowest, time.Duration(w.Took)*time.Microsecond)
	return nil
}

// written tells how many writes were acknowledged and how long the slowest of
// them took, since written was last asked with reset.
func (m *model) written(reset bool) (total int64, slowest time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	slowest = m.slowest
	if reset {
		m.slowest = 0
	}
	return m.writes, slowest
}

// ordersDigest and customersDigest are over all records in the order of their
// ids.
func ordersDigest(orders map[int64]order) string {
	return digest(orders, func(h hash.Hash, id int64, o order) {
		fmt.Fprintf(h, "%d %d %d %s\n", id, o.customer, o.cents, o.currency)
	})
}

func customersDigest(customers map[int64]string) string {
	return digest(customers, func(h hash.Hash, id int64, mail string) { fmt.Fprintf(h, "%d %s\n", id, mail) })
}

func digest[V any](records map[int64]V, put func(hash.Hash, int64, V)) string {
	h := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(records)) {
		put(h, id, records[id])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// takings adds the amounts up by currency: "EUR 12.50, USD 3.00".
func takings(orders map[int64]order) string {
	sums := map[string]int64{}
	for _, o := range orders {
		sums[o.currency] += o.cents
	}
	var parts []string
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		parts = append(parts, fmt.Sprintf("%s %d.%02d", cmp.Or(currency, "none"), sums[currency]/100, sums[currency]%100))
	}
	return strings.Join(parts, ", ")
}

// differing counts the records that are not in both as they must be.
func differing[V comparable](want, got map[int64]V) (n int64) {
	for id, record := range want {
		if found, there := got[id]; !there || found != record {
			n++
		}
	}
	for id := range got {
		if _, known := want[id]; !known {
			n++
		}
	}
	return n
}
