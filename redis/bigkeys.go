package redis

import (
	"fmt"
	"sync"
)

// A server works on one key at a time, and answers nobody meanwhile: to read a big
// one as bytes, to make one of bytes, or to copy it takes it long. Between slots the
// size is known before anything is done; inside of a slot asking would take as long
// as copying, so there only the estimate's sample tells.
const (
	announcedKey = 8 << 20   // bytes of memory of a key that is named when it is met
	longestKey   = 512 << 20 // of one that is refused: no server takes more in one piece
)

// sized names a key with its size.
func sized(key string, bytes int64) string {
	return fmt.Sprintf("%s (%d MB)", shortened(key), bytes>>20)
}

// tooBig says why a key is refused; "": it is not.
func (s *Store) tooBig(bytes int64) string {
	if bytes <= s.longestKey {
		return ""
	}
	return fmt.Sprintf("it takes %d MB of memory, and keys of more than %d MB do not go between slots: split it, or copy it by other means, and run again",
		bytes>>20, s.longestKey>>20)
}

// mostNotices bounds what is remembered of what was met.
const mostNotices = 1000

// notices are what a sweep met that people should know of, each once.
type notices struct {
	mu    sync.Mutex
	known map[string]bool
	fresh []string
}

// met notes a big key.
func (n *notices) met(key string, bytes int64) {
	if bytes <= announcedKey {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known[key] || len(n.known) == mostNotices {
		return
	}
	if n.known == nil {
		n.known = map[string]bool{}
	}
	n.known[key] = true
	n.fresh = append(n.fresh, "a big key goes between slots; the server answers nobody while it works on it: "+sized(key, bytes))
}

// take gives what was noted since the last time.
func (n *notices) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	fresh := n.fresh
	n.fresh = nil
	return fresh
}
