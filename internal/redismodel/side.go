package redismodel

import (
	"context"
	"fmt"
	"net"
	"time"
)

// Side is where an application finds its keys: a server or a cluster, as which
// user, and by which names.
type Side struct {
	Addrs          []string // of a cluster any of its nodes
	Cluster        bool
	User, Password string
	Name           func(tenant int, what string) string
	Timeout        time.Duration // for an answer; 3 s when 0
	// Dial connects in place of the network, as Proxies.Dial does.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// OldNames gives names like tenant:7:profile.
func OldNames(prefix string) func(int, string) string {
	return func(tenant int, what string) string { return fmt.Sprintf("%s:%d:%s", prefix, tenant, what) }
}

// NewNames gives names like tenant:{7}:profile, all of a tenant in one slot.
func NewNames(prefix string) func(int, string) string {
	return func(tenant int, what string) string { return fmt.Sprintf("%s:{%d}:%s", prefix, tenant, what) }
}

func (s Side) name(k *key) string { return s.Name(k.tenant, k.what) }
