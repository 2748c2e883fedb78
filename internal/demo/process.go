package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

// running is a shop's process with the writes that it acknowledges.
type running struct {
	release string
	command *exec.Cmd
	in      io.Closer
	errors  bytes.Buffer
	heard   atomic.Int64 // writes acknowledged
	ended   chan struct{}
	err     error // how it ended; to be read after ended
}

// start starts a release of the shop. From then on the model hears of its
// writes.
func (p *play) start(ctx context.Context, release string) (*running, error) {
	r := &running{release: release, ended: make(chan struct{})}
	r.command = exec.CommandContext(ctx, p.program, p.folder, release)
	r.command.Dir, r.command.Env, r.command.Stderr = p.folder, environment(p.terminal.Lookup, partShop), &r.errors
	in, err := r.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	r.in = in
	out, err := r.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.command.Start(); err != nil {
		return nil, fmt.Errorf("start release %s of the shop: %w", release, err)
	}
	p.shops = append(p.shops, r)
	go func() {
		defer close(r.ended)
		r.err = r.listen(out, p.model)
		// All that was acknowledged has been heard: Wait may close the pipe.
		r.err = errors.Join(r.err, r.command.Wait())
	}()
	return r, p.hears(ctx, r, 5)
}

// listen takes every acknowledged write over into the model.
func (r *running) listen(out io.Reader, m *model) error {
	decoder := json.NewDecoder(out)
	for {
		var w write
		err := decoder.Decode(&w)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = m.add(w)
		}
		if err != nil {
			_, _ = io.Copy(io.Discard, out) // so that it does not wait for a reader
			return fmt.Errorf("hear the writes of release %s: %w", r.release, err)
		}
		r.heard.Add(1)
	}
}

// hears waits until a shop has acknowledged so many more writes.
func (p *play) hears(ctx context.Context, r *running, more int64) error {
	goal := r.heard.Load() + more
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for r.heard.Load() < goal {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.ended:
			return r.fault("has ended by itself")
		case <-tick.C:
		}
	}
	return nil
}

// stop ends a shop in order: it finishes its write.
func (r *running) stop() error {
	_ = r.in.Close() // it may have ended already; ended tells
	<-r.ended
	if r.err != nil {
		return r.fault("failed")
	}
	return nil
}

func (r *running) fault(what string) error {
	<-r.ended
	return fmt.Errorf("release %s of the shop %s (%w): %s", r.release, what, errors.Join(r.err, errEnded), strings.TrimSpace(r.errors.String()))
}

var errEnded = errors.New("its process is gone")

// end ends every process that may still run, whatever state the play is in.
func (p *play) end() {
	for _, r := range p.shops {
		_ = r.command.Process.Kill() // harmless where it has ended
		_ = r.in.Close()
		<-r.ended
	}
}
