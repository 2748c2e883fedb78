package redismodel

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// Proxy stands before a server and forwards what clients send and what it
// answers: late, not yet, or no more.
type Proxy struct {
	listener net.Listener
	server   string
	done     sync.WaitGroup

	mu     sync.Mutex
	delay  Delay
	holds  []*Hold
	pairs  map[*pair]struct{}
	closed bool
}

// Delay is by how much later everything arrives. What is under way when it
// changes arrives by the old one, in order.
type Delay struct {
	ToServer, ToClient time.Duration
	Only               string // if not "", only on connections on which this text was sent
}

// Hold is a request that is stopped on its way to the server.
type Hold struct {
	text   string
	caught chan struct{}
	let    chan struct{}
	once   sync.Once
}

// Caught is closed when a request was stopped.
func (h *Hold) Caught() <-chan struct{} { return h.caught }

// Release lets the request go on to the server, whether or not its client still
// waits, and everything that the client sent behind it.
func (h *Hold) Release() { h.once.Do(func() { close(h.let) }) }

// Before makes a proxy on a free port before the server at an address.
func Before(server string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen before %s: %w", server, err)
	}
	p := &Proxy{listener: listener, server: server, pairs: map[*pair]struct{}{}}
	p.done.Go(p.accept)
	return p, nil
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Port is Addr's.
func (p *Proxy) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// Delay sets by how much later everything arrives from now on.
func (p *Proxy) Delay(d Delay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Hold stops the next request with a text in it, on whichever connection.
func (p *Proxy) Hold(text string) *Hold {
	h := &Hold{text: text, caught: make(chan struct{}), let: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds = append(p.holds, h)
	return h
}

// Cut ends all connections and gives their number. A request that is held is
// kept; its client sees the end all the same.
func (p *Proxy) Cut() int { return p.cut(func(*pair) bool { return true }) }

// CutDelayed is Cut for the connections alone that Delay.Only is about.
func (p *Proxy) CutDelayed() int {
	return p.cut(func(b *pair) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.seen
	})
}

func (p *Proxy) cut(is func(*pair) bool) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for both := range p.pairs {
		if is(both) {
			both.cut()
			n++
		}
	}
	return n
}

// Close ends the proxy and all its connections, held requests included.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	for both := range p.pairs {
		both.end()
	}
	p.mu.Unlock()
	err := p.listener.Close()
	p.done.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // by Close
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			client.Close()
			continue
		}
		both := &pair{proxy: p, client: client.(*net.TCPConn), server: server.(*net.TCPConn), over: make(chan struct{})}
		if !p.admit(both) {
			both.end()
			return
		}
	}
}

func (p *Proxy) admit(both *pair) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.pairs[both] = struct{}{}
	p.done.Go(both.run)
	return true
}

// holding gives the place of the hold for a request, or -1. It is called with p
// locked.
func (p *Proxy) holding(before, request []byte) int {
	return slices.IndexFunc(p.holds, func(h *Hold) bool { return within(h.text, before, request) })
}

// within says whether a text ends in what was sent now; it may begin in what
// was sent before.
func within(text string, before, now []byte) bool {
	start := before[max(0, len(before)-len(text)+1):]
	return bytes.Contains(slices.Concat(start, now), []byte(text))
}
