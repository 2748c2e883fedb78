package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// probes ask each server of a store whether it answers, a millisecond after the
// last answer.
type probes struct {
	cancel context.CancelFunc
	group  sync.WaitGroup
	mu     sync.Mutex
	took   []time.Duration
	errs   []error
}

func startProbes(ctx context.Context, servers []*testserver.RedisServer) (*probes, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &probes{cancel: cancel}
	for _, server := range servers {
		conn, err := net.Dial("tcp", server.Addr())
		if err != nil {
			cancel()
			p.group.Wait()
			return nil, err
		}
		p.group.Go(func() {
			took, err := probe(ctx, conn)
			p.mu.Lock()
			defer p.mu.Unlock()
			p.took = append(p.took, took...)
			p.errs = append(p.errs, err, conn.Close())
		})
	}
	return p, nil
}

// probe sends PING and waits for the answer until the context ends.
func probe(ctx context.Context, conn net.Conn) (took []time.Duration, err error) {
	answer := make([]byte, len("+PONG\r\n"))
	for ctx.Err() == nil {
		begun := time.Now()
		if _, err := conn.Write([]byte("PING\r\n")); err != nil {
			return took, err
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			return took, err
		}
		took = append(took, time.Since(begun))
		time.Sleep(time.Millisecond)
	}
	return took, nil
}

// calm is what the probes of one run saw.
type calm struct {
	probes  int
	longest float64 // milliseconds
	slow    int     // answers that took more than 20 ms
}

func (p *probes) stop() (calm, error) {
	p.cancel()
	p.group.Wait()
	if err := errors.Join(p.errs...); err != nil {
		return calm{}, fmt.Errorf("ask whether the server answers: %w", err)
	}
	if len(p.took) == 0 {
		return calm{}, errors.New("the servers were never asked whether they answer")
	}
	slices.Sort(p.took)
	late, _ := slices.BinarySearch(p.took, 20*time.Millisecond+1)
	return calm{len(p.took), longest(p.took), len(p.took) - late}, nil
}
