package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sort"
	"strconv"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// network is the nodes of a store, and in a cluster which of them owns which
// slot. A node has a client of its own that repeats nothing by itself.
type network struct {
	settings goredis.Options // without an address
	seed     string
	cluster  bool
	name     string   // of every connection
	atWork   sync.Map // those that bear a task's name: ADDRESS/ID

	mu     sync.Mutex
	nodes  map[string]*goredis.Client // by address
	owners []string                   // address by slot; nil: not known yet
	closed bool
}

func newNetwork(connection *goredis.Options, cluster bool) *network {
	settings := *connection
	settings.Addr, settings.ClientName = "", "" // see introducing
	settings.Protocol = 2
	settings.MaxRetries, settings.DialerRetries = -1, 1
	settings.DialTimeout, settings.ReadTimeout, settings.WriteTimeout = dialLimit, replyLimit, replyLimit
	settings.ContextTimeoutEnabled = true
	settings.MinIdleConns, settings.PoolSize, settings.PoolTimeout = 0, 8, dialLimit
	settings.DisableIdentity = true
	settings.AutoPipelineOptions, settings.ClientSideCacheConfig, settings.ClientSideCache = nil, nil, nil
	settings.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	seed := connection.Addr
	if seed == "" {
		seed = "localhost:6379"
	}
	return &network{settings: settings, seed: seed, cluster: cluster, name: newName(), nodes: map[string]*goredis.Client{}}
}

func (n *network) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	var all []error
	for _, node := range n.nodes {
		all = append(all, node.Close())
	}
	return errors.Join(all...)
}

// node gives the client of an address.
func (n *network) node(addr string) (*goredis.Client, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, errClosed
	}
	if n.nodes[addr] == nil {
		settings := n.settings
		settings.Addr, settings.OnConnect = addr, n.introducing(settings.OnConnect)
		n.nodes[addr] = goredis.NewClient(&settings)
	}
	return n.nodes[addr], nil
}

// owner gives the client of the node that has a slot.
func (n *network) owner(ctx context.Context, slot int) (*goredis.Client, error) {
	if !n.cluster {
		return n.node(n.seed)
	}
	n.mu.Lock()
	owners := n.owners
	n.mu.Unlock()
	if owners == nil {
		var err error
		if owners, err = n.refresh(ctx); err != nil {
			return nil, err
		}
	}
	return n.node(owners[slot])
}

// masters gives the addresses of all nodes that own slots, in order, as they
// are just now.
func (n *network) masters(ctx context.Context) ([]string, error) {
	if !n.cluster {
		return []string{n.seed}, nil
	}
	owners, err := n.refresh(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var all []string
	for _, addr := range owners {
		if !seen[addr] {
			seen[addr] = true
			all = append(all, addr)
		}
	}
	sort.Strings(all)
	return all, nil
}

// refresh asks the nodes, known ones and the first, for the map of slots.
func (n *network) refresh(ctx context.Context) ([]string, error) {
	n.mu.Lock()
	addrs := []string{n.seed}
	for addr := range n.nodes {
		if addr != n.seed {
			addrs = append(addrs, addr)
		}
	}
	n.mu.Unlock()
	var failed error
	for _, addr := range addrs {
		owners, err := n.ask(ctx, addr)
		if err == nil {
			n.mu.Lock()
			n.owners = owners
			n.mu.Unlock()
			return owners, nil
		}
		if failed == nil || errors.As(err, new(*coverageError)) {
			failed = err
		}
	}
	return nil, failed
}

// coverageError says that not every slot has an owner. Keys in such slots are
// neither seen nor reached, so nothing that goes over all keys may go on.
type coverageError struct{ covered int }

func (e *coverageError) Error() string {
	return fmt.Sprintf("the cluster covers %d of %d slots: a master is down, or slots have no owner", e.covered, slots)
}

func (n *network) ask(ctx context.Context, addr string) ([]string, error) {
	node, err := n.node(addr)
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 servers before 7.0 have no CLUSTER SHARDS
	ranges, err := node.ClusterSlots(ctx).Result()
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(addr)
	owners := make([]string, slots)
	covered := 0
	for _, r := range ranges {
		if len(r.Nodes) == 0 {
			continue
		}
		owner := reachable(r.Nodes[0].Addr, host)
		for slot := r.Start; slot <= r.End && slot < slots; slot++ {
			if owners[slot] == "" {
				covered++
			}
			owners[slot] = owner
		}
	}
	if covered != slots {
		return nil, &coverageError{covered}
	}
	return owners, nil
}

// reachable puts the host by which a node was asked where it does not know its
// own.
func reachable(addr, host string) string {
	own, port, err := net.SplitHostPort(addr)
	if err != nil || own != "" && own != "?" {
		return addr
	}
	return net.JoinHostPort(host, port)
}

// redirection reads "MOVED 3999 127.0.0.1:6381" and "ASK ...".
func redirection(message, host string) (addr string, ask, ok bool) {
	words := strings.Fields(message)
	if len(words) != 3 || words[0] != "MOVED" && words[0] != "ASK" {
		return "", false, false
	}
	if _, err := strconv.Atoi(words[1]); err != nil {
		return "", false, false
	}
	return reachable(words[2], host), words[0] == "ASK", true
}
