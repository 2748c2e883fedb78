package redismodel

import (
	"bytes"
	"net"
	"sync"
	"time"
)

// pair is a client's connection and the one to the server that stands for it.
type pair struct {
	proxy          *Proxy
	client, server *net.TCPConn
	over           chan struct{} // closed by end
	once           sync.Once

	mu   sync.Mutex
	held bool
	sent []byte // the last that the client sent, for texts cut in two
	seen bool   // Delay.Only was sent
}

// chunk is what arrived at once, and when it goes on.
type chunk struct {
	data []byte
	due  time.Time
	hold *Hold
}

func (b *pair) run() {
	up, down := make(chan chunk, 1<<12), make(chan chunk, 1<<12)
	var all sync.WaitGroup
	all.Go(func() { b.take(b.client, up, b.fromClient) })
	all.Go(func() { b.take(b.server, down, b.fromServer) })
	all.Go(func() {
		b.give(b.server, up)
		_ = b.server.CloseWrite() // the server has its requests, and sees the end
	})
	all.Go(func() {
		b.give(b.client, down)
		b.end() // the server is gone
	})
	all.Wait()
	b.proxy.mu.Lock()
	defer b.proxy.mu.Unlock()
	delete(b.proxy.pairs, b)
}

// take reads until the end of a side.
func (b *pair) take(from net.Conn, into chan<- chunk, stamp func([]byte) chunk) {
	defer close(into)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			select {
			case into <- stamp(bytes.Clone(buffer[:n])):
			case <-b.over:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// give writes what was read when it is due. What a client does not take any
// more is thrown away: a request of its may still be on the way.
func (b *pair) give(to net.Conn, from <-chan chunk) {
	for c := range from {
		if c.hold != nil && !b.wait(c.hold.let) {
			return
		}
		if wait := time.Until(c.due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-b.over:
				return
			}
		}
		_, _ = to.Write(c.data)
		if c.hold != nil {
			b.mu.Lock()
			b.held = false
			b.mu.Unlock()
		}
	}
}

func (b *pair) wait(let <-chan struct{}) bool {
	select {
	case <-let:
		return true
	case <-b.over:
		return false
	}
}

func (b *pair) fromClient(data []byte) chunk {
	b.proxy.mu.Lock()
	defer b.proxy.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	c := chunk{data: data}
	if i := b.proxy.holding(b.sent, data); i >= 0 {
		c.hold = b.proxy.holds[i]
		b.proxy.holds = append(b.proxy.holds[:i:i], b.proxy.holds[i+1:]...)
		b.held = true
		close(c.hold.caught)
	}
	b.seen = b.seen || b.proxy.delay.Only != "" && within(b.proxy.delay.Only, b.sent, data)
	all := append(b.sent, data...)
	b.sent = bytes.Clone(all[max(0, len(all)-128):])
	c.due = b.due(b.proxy.delay.ToServer)
	return c
}

func (b *pair) fromServer(data []byte) chunk {
	b.proxy.mu.Lock()
	defer b.proxy.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	return chunk{data: data, due: b.due(b.proxy.delay.ToClient)}
}

// due is called with the pair and the proxy locked.
func (b *pair) due(delay time.Duration) time.Time {
	if b.proxy.delay.Only != "" && !b.seen {
		delay = 0
	}
	return time.Now().Add(delay)
}

// cut ends the client's connection, and the server's unless it still has a
// request to come.
func (b *pair) cut() {
	b.mu.Lock()
	held := b.held
	b.mu.Unlock()
	if held {
		b.client.Close()
		return
	}
	b.end()
}

func (b *pair) end() {
	b.once.Do(func() {
		close(b.over)
		b.client.Close()
		b.server.Close()
	})
}
