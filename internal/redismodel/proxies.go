package redismodel

import (
	"context"
	"errors"
	"net"
	"sync"
)

// Proxies stand before all nodes of a server or cluster. Clients take their
// Dial; they go on naming the servers' own addresses.
type Proxies struct {
	mu    sync.Mutex
	delay Delay
	all   map[string]*Proxy
}

// Of gives the proxy before the server at an address, which it makes if need be.
func (g *Proxies) Of(addr string) (*Proxy, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.all[addr]; p != nil {
		return p, nil
	}
	p, err := Before(addr)
	if err != nil {
		return nil, err
	}
	p.Delay(g.delay)
	if g.all == nil {
		g.all = map[string]*Proxy{}
	}
	g.all[addr] = p
	return p, nil
}

// Dial connects to the proxy before an address. It fails as a dial does when
// the server is not there.
func (g *Proxies) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	server, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	server.Close()
	p, err := g.Of(addr)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, p.Addr())
}

// Delay sets the delay of all, those to come included.
func (g *Proxies) Delay(d Delay) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.delay = d
	for _, p := range g.all {
		p.Delay(d)
	}
}

// Cut ends all connections, see Proxy.Cut.
func (g *Proxies) Cut() int { return g.cut((*Proxy).Cut) }

// CutDelayed ends the connections that Delay.Only is about.
func (g *Proxies) CutDelayed() int { return g.cut((*Proxy).CutDelayed) }

func (g *Proxies) cut(one func(*Proxy) int) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.all {
		n += one(p)
	}
	return n
}

// Close ends all.
func (g *Proxies) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []error
	for _, p := range g.all {
		all = append(all, p.Close())
	}
	return errors.Join(all...)
}
