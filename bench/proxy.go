package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
)

// proxy stands before a PostgreSQL server and counts the queries that clients
// send: simple queries and, of the extended protocol, the messages that ask for
// an answer. Each is one round trip.
type proxy struct {
	url      string
	server   string
	listener net.Listener
	asked    atomic.Int64
	conns    sync.WaitGroup
}

// startProxy stands before the server of a URL without TLS.
func startProxy(target string) (*proxy, error) {
	parsed, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("understand the server's address: %w", err)
	}
	p := &proxy{server: parsed.Host}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	parsed.Host = p.listener.Addr().String()
	p.url = parsed.String()
	p.conns.Go(p.accept)
	return p, nil
}

func (p *proxy) queries() int64 { return p.asked.Load() }

// close ends the proxy after its clients have gone.
func (p *proxy) close() error {
	err := p.listener.Close()
	p.conns.Wait()
	return err
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.conns.Go(func() { p.serve(client) })
	}
}

// serve passes everything on. An error on either side ends both: the program
// that is measured sees it and fails.
func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		_ = client.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	_ = p.forward(server, client)
	_ = server.Close()
	both.Wait()
}

// forward passes the client's messages on, one by one. The first has no type.
func (p *proxy) forward(server io.Writer, client io.Reader) error {
	if err := pass(server, client, nil); err != nil {
		return err
	}
	kind := make([]byte, 1)
	for {
		if _, err := io.ReadFull(client, kind); err != nil {
			return err
		}
		if kind[0] == 'Q' || kind[0] == 'S' {
			p.asked.Add(1)
		}
		if err := pass(server, client, kind); err != nil {
			return err
		}
	}
}

// pass passes on a message of which the type is read already.
func pass(server io.Writer, client io.Reader, kind []byte) error {
	var length [4]byte
	if _, err := io.ReadFull(client, length[:]); err != nil {
		return err
	}
	size := int(binary.BigEndian.Uint32(length[:])) - len(length)
	if size < 0 {
		return errors.New("a message is shorter than its own length")
	}
	message := append(append([]byte(nil), kind...), length[:]...)
	head := len(message)
	message = append(message, make([]byte, size)...)
	if _, err := io.ReadFull(client, message[head:]); err != nil {
		return err
	}
	_, err := server.Write(message)
	return err
}
