package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// model is what the instances were told, added up from their logs.
type model struct {
	orders  map[int64]entry // as acknowledged last
	hits    map[int]int     // by session
	writes  int
	reads   int
	retried int
}

func readLogs(dir string) (*model, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return nil, err
	}
	m := &model{orders: map[int64]entry{}, hits: map[int]int{}}
	for _, name := range names {
		if err := m.add(name); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	return m, nil
}

// add adds one log. An order is written by the instance that placed it only.
func (m *model) add(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	for lines := json.NewDecoder(file); ; {
		var e entry
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		m.reads += e.Reads
		m.retried += e.Retried
		switch {
		case e.Session > 0:
			m.hits[e.Session]++
			m.writes++
		case e.Order > 0:
			if e.Address == "" {
				e.Address = m.orders[e.Order].Address
			}
			m.orders[e.Order] = e
			m.writes++
		}
	}
}

// account compares the logs with the stores.
func (s *story) account(ctx context.Context) error {
	m, err := readLogs(s.dir)
	if err != nil {
		return err
	}
	lost, doubled, err := s.compareOrders(ctx, m)
	if err != nil {
		return err
	}
	less, more, err := s.compareSessions(ctx, m)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\n%d reads were right; %d statements were tried again.\n", m.reads, m.retried)
	fmt.Fprintf(s.out, "%d writes made, %d lost, %d doubled.\n", m.writes, lost+less, doubled+more)
	if lost+less+doubled+more > 0 {
		return errors.New("the stores are not what the services were told")
	}
	return nil
}

// compareOrders counts orders that are missing or not as they should be, and
// those that nobody placed.
func (s *story) compareOrders(ctx context.Context, m *model) (lost, doubled int, err error) {
	conn, err := s.database(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	rows, err := conn.Query(ctx, "SELECT id, coalesce(currency, ''), coalesce(address, '') FROM "+schema+".orders")
	if err != nil {
		return 0, 0, err
	}
	seen := 0
	for rows.Next() {
		var id int64
		var currency, address string
		if err := rows.Scan(&id, &currency, &address); err != nil {
			return 0, 0, err
		}
		want, placed := m.orders[id]
		switch {
		case placed && (want.Currency != currency || want.Address != address):
			lost++
		case placed:
			seen++
		case id > oldOrders:
			doubled++
		case currency != "EUR" || address != oldAddress(id):
			lost++
		default:
			seen++
		}
	}
	return lost + max(0, oldOrders+len(m.orders)-seen-lost), doubled, rows.Err()
}

// compareSessions adds up by how many hits sessions are below and above what was
// counted.
func (s *story) compareSessions(ctx context.Context, m *model) (less, more int, err error) {
	cache, err := s.cache()
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, cache.Close()) }()
	for n := 1; n <= sessions; n++ {
		fields, err := cache.HGetAll(ctx, fmt.Sprintf("%ssession:%d", prefix, n)).Result()
		if err != nil {
			return 0, 0, err
		}
		visits, err := strconv.Atoi(fields["visits"])
		if err != nil || len(fields) != 1 {
			return 0, 0, fmt.Errorf("session %d is %v", n, fields)
		}
		off := visits - oldHits - m.hits[n]
		less, more = less+max(0, -off), more+max(0, off)
	}
	return less, more, nil
}
