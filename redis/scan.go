package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// place in a scan: a master and SCAN's own cursor on it. Both mean something
// only while the masters are the same processes with the same slots.
type scanCursor struct {
	Masters string `json:"masters"` // see masters
	Master  int    `json:"master"`  // index
	At      uint64 `json:"at"`
}

// longestScan is how long a scan looks for keys that match before it gives a
// cursor and no keys.
const longestScan = 50 * time.Millisecond

// scanCount is the most that one SCAN goes over. More would not be quicker, and
// others would wait longer.
const scanCount = 1000

// scan gives about size keys that match, without the prefix and without
// Stopover's own. A key that is there all the time is given at least once until
// it is done. After a restart, a failover or a move of slots it begins again.
func (s *Store) scan(ctx context.Context, match string, cursor []byte, size int) (keys []string, next []byte, done bool, err error) {
	if size < 1 {
		return nil, nil, false, fmt.Errorf("scan for %d keys: at least one is needed", size)
	}
	scan, err := s.beginScan(ctx, match, cursor)
	if err != nil {
		return nil, nil, false, err
	}
	begun := time.Now()
	for !scan.done && len(keys) < size && time.Since(begun) < longestScan {
		found, err := scan.more(ctx, size)
		if err != nil {
			return nil, nil, false, err
		}
		keys = append(keys, found...)
	}
	next, err = scan.cursor()
	return keys, next, scan.done, err
}

// scanning is a scan on its way. Who owns what is asked at its beginning and
// when it is through, not in between: a digest tells of all that happened.
type scanning struct {
	store *Store
	match string
	addrs []string
	at    scanCursor
	done  bool
}

func (s *Store) beginScan(ctx context.Context, match string, cursor []byte) (*scanning, error) {
	addrs, sum, err := s.masters(ctx)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	scan := &scanning{store: s, match: s.pattern(match), addrs: addrs, at: scanCursor{Masters: sum}}
	if len(cursor) > 0 {
		var before scanCursor
		if err := json.Unmarshal(cursor, &before); err != nil {
			return nil, fmt.Errorf("read the cursor of a scan: %w", err)
		}
		if before.Masters == sum && before.Master < len(addrs) {
			scan.at = before
		}
	}
	return scan, nil
}

// more goes over about size keys, at most scanCount of them, and gives those that
// match; where none does, it goes on for a while.
func (c *scanning) more(ctx context.Context, size int) ([]string, error) {
	begun := time.Now()
	for {
		keys, err := c.page(ctx, size)
		if err != nil || len(keys) > 0 || c.done || time.Since(begun) > longestScan {
			return keys, err
		}
	}
}

// page asks once.
func (c *scanning) page(ctx context.Context, size int) ([]string, error) {
	found, to, err := c.store.scanOnce(ctx, c.addrs[c.at.Master], c.at.At, c.match, size)
	if err != nil {
		return nil, c.store.fault(ctx, err)
	}
	if c.at.At = to; to != 0 {
		return found, nil
	}
	if c.at.Master++; c.at.Master < len(c.addrs) {
		return found, nil
	}
	// Keys may have moved to a master that was through already.
	addrs, sum, err := c.store.masters(ctx)
	if err != nil {
		return nil, c.store.fault(ctx, err)
	}
	if c.done = sum == c.at.Masters; !c.done {
		c.addrs, c.at = addrs, scanCursor{Masters: sum}
	}
	return found, nil
}

// cursor gives what a later scan goes on from; nil if this one is through.
func (c *scanning) cursor() ([]byte, error) {
	if c.done {
		return nil, nil
	}
	return json.Marshal(c.at)
}

func (s *Store) scanOnce(ctx context.Context, addr string, at uint64, match string, size int) ([]string, uint64, error) {
	node, err := s.net.node(addr)
	if err != nil {
		return nil, 0, err
	}
	found, to, err := node.Scan(ctx, at, match, int64(min(size, scanCount))).Result()
	if err != nil {
		return nil, 0, err
	}
	keys := found[:0]
	for _, key := range found {
		if !s.own(key) {
			keys = append(keys, key[len(s.prefix):])
		}
	}
	return keys, to, nil
}

// errMoving says that slots are on their way: keys of such a slot are on two
// masters, and a scan of both may see a key on neither.
var errMoving = errors.New("slots are being moved between masters: keys cannot be gone over until that has ended")

// masters gives the addresses of all masters with a digest of what makes
// SCAN's cursors valid: the process of each, and the slots that it owns.
func (s *Store) masters(ctx context.Context) (addrs []string, sum string, err error) {
	addrs, err = s.net.masters(ctx)
	if err != nil {
		return nil, "", err
	}
	hash := sha256.New()
	for _, addr := range addrs {
		node, err := s.net.node(addr)
		if err != nil {
			return nil, "", err
		}
		traits, err := s.identity(ctx, node)
		if err != nil {
			return nil, "", err
		}
		fmt.Fprintf(hash, "%s %s\n", addr, traits)
	}
	return addrs, hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

// identity gives a node's run id, and in a cluster its epoch and slots.
func (s *Store) identity(ctx context.Context, node *goredis.Client) (string, error) {
	info, err := node.Info(ctx, "server").Result()
	if err != nil {
		return "", err
	}
	id := infoField(info, "run_id")
	if !s.net.cluster {
		return id, nil
	}
	nodes, err := node.ClusterNodes(ctx).Result()
	if err != nil {
		return "", err
	}
	for _, line := range strings.Split(nodes, "\n") {
		words := strings.Fields(line)
		if len(words) < 8 || !strings.Contains(words[2], "myself") {
			continue
		}
		if strings.Contains(line, "[") {
			return "", errMoving
		}
		return id + " " + strings.Join(words[6:], " "), nil
	}
	return "", errors.New("a node does not list itself")
}

// infoField gives a field of what INFO answers.
func infoField(info, name string) string {
	for _, line := range strings.Split(info, "\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
