package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// supervisor runs the instances, and replaces them when it is asked to over
// HTTP: what Kubernetes does in the world.
type supervisor struct {
	story  *story
	url    string
	server *http.Server

	rolling sync.Mutex // one rollout at a time: one whose upgrade died goes on

	mu        sync.Mutex
	instances []*process
	made      int
}

// process is one instance.
type process struct {
	component, release, name string
	cmd                      *exec.Cmd
	errs                     bytes.Buffer
	ended                    chan error // gets its end, once
}

func supervise(s *story) (*supervisor, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &supervisor{story: s, url: "http://" + listener.Addr().String()}
	f.server = &http.Server{Handler: f}
	go func() { _ = f.server.Serve(listener) }() // until it is closed
	return f, nil
}

// ServeHTTP replaces the instances of a component, one after the other: a new
// one is in before an old one is told to go.
func (f *supervisor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	component, release := r.FormValue("component"), r.FormValue("release")
	if component == "worker" && release == "1.6" {
		f.story.strike()
	}
	f.rolling.Lock()
	defer f.rolling.Unlock()
	f.mu.Lock()
	var old []*process
	for _, p := range f.instances {
		if p.component == component && p.release != release {
			old = append(old, p)
		}
	}
	f.mu.Unlock()
	for _, p := range old {
		if err := errors.Join(f.start(context.WithoutCancel(r.Context()), component, release), f.stop(p)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	fmt.Fprintf(w, "%d of %s run %s\n", len(old), component, release)
}

// strike has the upgrade killed, the first time.
func (s *story) strike() {
	if s.kill == nil {
		return
	}
	select {
	case <-s.kill:
	default:
		close(s.kill)
	}
}

// start starts an instance and waits until it is in.
func (f *supervisor) start(ctx context.Context, component, release string) error {
	f.mu.Lock()
	f.made++
	n := f.made
	f.mu.Unlock()
	s := f.story
	p := &process{component: component, release: release, name: fmt.Sprintf("%s-%d", component, n), ended: make(chan error, 1)}
	p.cmd = exec.Command(s.self, "serve", "-component", component, "-release", release, "-instance", p.name,
		"-logs", s.dir, "-first", fmt.Sprint(int64(n)*10_000_000), "-every", s.every.String())
	p.cmd.Env, p.cmd.Stderr = s.env, &p.errs
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	f.mu.Lock()
	f.instances = append(f.instances, p)
	f.mu.Unlock()
	for {
		if _, err := os.Stat(filepath.Join(s.dir, p.name+".ready")); err == nil {
			return nil
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			return fmt.Errorf("%s %s did not start: %w\n%s", component, release, err, p.errs.String())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop tells an instance to end, and waits until it has.
func (f *supervisor) stop(p *process) error {
	f.mu.Lock()
	for i, one := range f.instances {
		if one == p {
			f.instances = append(f.instances[:i:i], f.instances[i+1:]...)
			break
		}
	}
	f.mu.Unlock()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // one that has ended says how below
	if err := <-p.ended; err != nil {
		return fmt.Errorf("%s %s (%s): %w\n%s", p.component, p.release, p.name, err, p.errs.String())
	}
	return nil
}

// end stops everybody.
func (f *supervisor) end() error {
	errs := []error{f.server.Close()}
	f.mu.Lock()
	left := append([]*process(nil), f.instances...)
	f.mu.Unlock()
	for _, p := range left {
		errs = append(errs, f.stop(p))
	}
	return errors.Join(errs...)
}

// askForRollout is the command of roll: in stopover.yaml.
func askForRollout(ctx context.Context) error {
	form := url.Values{"component": {os.Getenv("STOPOVER_COMPONENT")}, "release": {os.Getenv("STOPOVER_RELEASE")}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("ROLLING_CONTROL")+"/roll?"+form.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the rollout failed: %s", bytes.TrimSpace(text))
	}
	fmt.Print(string(text))
	return nil
}
