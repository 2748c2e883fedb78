package stopover

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/collectors"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/stopover-dev/stopover/store"
)

// line is the network between a runner and its server. The application of the
// tests does not go through it.
type line struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// cuttable puts a line between the project and its store.
func (s *site) cuttable() *line {
	s.t.Helper()
	direct := mustURL(s.t, s.url)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	server.Metrics.ProxyMetrics = collectors.NewProxyMetricCollectors()
	l := &line{s.t, toxiproxy.NewProxy(server, "line", "127.0.0.1:0", direct.Host)}
	if err := l.proxy.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(l.proxy.Stop)
	through := url.URL{Scheme: direct.Scheme, User: direct.User, Host: l.proxy.Listen, Path: direct.Path, RawQuery: direct.RawQuery}
	s.write("url", through.String())
	return l
}

// deaf lets everything through to the server and nothing back: what is asked
// for is done, and nobody hears of it.
func (l *line) deaf() {
	l.t.Helper()
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(`{"type": "limit_data", "stream": "downstream", "attributes": {"bytes": 0}}`)); err != nil {
		l.t.Error(err)
	}
}

// cut breaks all connections at once, and takes new ones.
func (l *line) cut() {
	l.t.Helper()
	l.proxy.Stop()
	if err := l.proxy.Start(); err != nil {
		l.t.Error(err)
	}
}

func (l *line) heal() { l.proxy.Toxics.ResetToxics(context.Background()) }

// tap is somebody at the store's calls. A nil function is not called.
type tap struct {
	before func(store.Task)                 // each task that records something, before it is sent
	after  func(store.Task, error)          // and after it was answered, or was not
	looked func(error)                      // after the books were read
	record func(store.Task, store.Progress) // while the record of a task is made
}

// tapped makes the kind of a site whose stores call a tap.
func tapped(kinds []store.Kind, name string, tap *tap) []store.Kind {
	for _, kind := range kinds {
		if kind.Name != name {
			continue
		}
		open := kind.Open
		kind.Open = func(ctx context.Context, settings store.Settings) (store.Store, error) {
			inner, err := open(ctx, settings)
			return &tappedStore{Store: inner, tap: tap}, err
		}
		return []store.Kind{kind}
	}
	panic("no kind " + name)
}

type tappedStore struct {
	store.Store
	tap *tap
}

func (s *tappedStore) Unwrap() store.Store { return s.Store }

func (s *tappedStore) Do(ctx context.Context, task store.Task) (store.Progress, error) {
	s.begin(task)
	progress, err := s.Store.Do(ctx, s.recorded(task))
	s.end(task, err)
	return progress, err
}

func (s *tappedStore) DoAll(ctx context.Context, tasks []store.Task) ([]store.Progress, error) {
	batcher, _ := store.As[store.Batcher](s.Store)
	s.begin(tasks[0])
	progress, err := batcher.DoAll(ctx, tasks)
	s.end(tasks[0], err)
	return progress, err
}

func (s *tappedStore) begin(task store.Task) {
	if s.tap.before != nil {
		s.tap.before(task)
	}
}

func (s *tappedStore) recorded(task store.Task) store.Task {
	if record := task.Record; record != nil && s.tap.record != nil {
		task.Record = func(p store.Progress) []store.Note {
			s.tap.record(task, p)
			return record(p)
		}
	}
	return task
}

func (s *tappedStore) end(task store.Task, err error) {
	if s.tap.after != nil {
		s.tap.after(task, err)
	}
}

func (s *tappedStore) Look(ctx context.Context, prefixes ...string) (store.View, error) {
	view, err := s.Store.Look(ctx, prefixes...)
	if s.tap.looked != nil {
		s.tap.looked(err)
	}
	return view, err
}
