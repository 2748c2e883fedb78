package main

import (
	"fmt"
	"strings"
)

// release is one of the shop's, 1.minor. What it does is all in this file: the
// three services are one program here, and differ by it.
type release struct{ minor int }

func parseRelease(text string) (release, error) {
	var r release
	if n, err := fmt.Sscanf(text, "1.%d", &r.minor); n != 1 || err != nil || r.minor < 3 || r.minor > 9 {
		return r, fmt.Errorf("there is no release %q of the shop", text)
	}
	return r, nil
}

func (r release) String() string { return fmt.Sprintf("1.%d", r.minor) }

// writes lists the columns of an order that a release writes.
func (r release) writes() []string {
	columns := []string{"id", "cur_code", "street", "town"}
	if r.minor >= 5 {
		columns = append(columns, "currency")
	}
	if r.minor >= 8 {
		columns = append(columns, "address")
	}
	return columns
}

// goes says whether a column that a release writes may be gone: then it writes
// the others.
func (r release) goes(column string) bool {
	switch column {
	case "cur_code":
		return r.minor >= 6
	case "street", "town":
		return r.minor >= 8
	}
	return false
}

// reads is the query by which a release reads an order: id, currency, address.
func (r release) reads() string {
	currency, address := "cur_code", "street || ', ' || town"
	if r.minor >= 6 {
		currency = "currency"
	}
	if r.minor >= 8 {
		address = "address"
	}
	return fmt.Sprintf("SELECT %s, %s FROM %s.orders WHERE id = $1", currency, address, schema)
}

// counts is the script by which a release counts a hit of a session. From 1.6 on
// both forms are written in one script, as long as the old one is there. The old
// one counts then: a release that knows nothing else may still be alive beside.
func (r release) counts() string {
	if r.minor < 6 {
		return `return redis.call('HINCRBY', KEYS[1], 'hits', 1)`
	}
	return strings.TrimSpace(`
if redis.call('HEXISTS', KEYS[1], 'hits') == 0 then return redis.call('HINCRBY', KEYS[1], 'visits', 1) end
return redis.call('HSET', KEYS[1], 'visits', redis.call('HINCRBY', KEYS[1], 'hits', 1))`)
}
