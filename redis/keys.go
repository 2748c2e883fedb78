package redis

import (
	"strconv"
	"strings"
)

// keyspace is what belongs to a store: keys that begin with the prefix.
type keyspace struct {
	prefix string
	tag    string // of the books, see newKeyspace
	books  string // key of the books
	home   int    // its slot
}

// newKeyspace derives the books' key from the prefix: its hash tag is the
// prefix without braces and without the separator at its end, "{shop}", so that
// an application on a cluster can put keys beside the books. A prefix with a
// hash tag of its own keeps that for all its keys.
func newKeyspace(prefix string) keyspace {
	tag := strings.TrimRight(strings.NewReplacer("{", "", "}", "").Replace(prefix), ":./-_|#")
	if tag == "" {
		tag = "stopover"
	}
	books := prefix + "{" + tag + "}:stopover"
	return keyspace{prefix: prefix, tag: tag, books: books, home: slot(books)}
}

// full adds the prefix to a key of an action.
func (k keyspace) full(key string) string { return k.prefix + key }

// fulls adds the prefix to keys.
func (k keyspace) fulls(keys []string) []string {
	all := make([]string, len(keys))
	for i, key := range keys {
		all[i] = k.full(key)
	}
	return all
}

// ours stands behind the hash tag of every key of Stopover's but the books, "{..}".
const ours = ":stopover:"

// own tells whether a full key is Stopover's.
func (k keyspace) own(key string) bool {
	rest, below := strings.CutPrefix(key, k.prefix)
	if key == k.books || !below || !strings.HasPrefix(rest, "{") {
		return key == k.books
	}
	_, name, _ := strings.Cut(rest, "}")
	return strings.HasPrefix(name, ours)
}

// pattern gives the pattern of SCAN for the prefix to the letter, and what the
// glob rest says after it.
func (k keyspace) pattern(rest string) string {
	return literal.Replace(k.prefix) + rest
}

// literal takes the meaning from what has one in a pattern.
var literal = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `\`, `\\`)

// slots is the number of slots in a cluster.
const slots = 16384

// slot gives the slot of a key: CRC-16/XMODEM of its hash tag, or of all of it,
// as in the cluster specification.
func slot(key string) int {
	if open := strings.IndexByte(key, '{'); open >= 0 {
		if length := strings.IndexByte(key[open+1:], '}'); length > 0 {
			key = key[open+1 : open+1+length]
		}
	}
	var crc uint16
	for i := range len(key) {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^key[i]]
	}
	return int(crc) % slots
}

// crcTable is CRC-16/XMODEM by bytes.
var crcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}()

// inEverySlot gives a key of Stopover's with a name in every slot, by slot. The
// name matters: behind a prefix with "{}" all of a key decides on its slot.
func (k keyspace) inEverySlot(name string) []string {
	all := make([]string, slots)
	plain := !strings.Contains(k.prefix, "{") // only what is in our own braces decides
	var word []byte
	for n, found := int64(0), 0; found < slots; n++ {
		word = strconv.AppendInt(word[:0], n, 36)
		var at int
		if plain {
			at = slot(string(word))
		} else {
			at = slot(k.prefix + "{" + string(word) + "}" + ours + name)
		}
		if all[at] == "" {
			all[at] = k.prefix + "{" + string(word) + "}" + ours + name
			found++
		}
	}
	return all
}

// tagged tells whether all keys below the prefix are in one slot.
func (k keyspace) tagged() bool {
	open := strings.IndexByte(k.prefix, '{')
	return open >= 0 && strings.IndexByte(k.prefix[open+1:], '}') > 0
}
