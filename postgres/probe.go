package postgres

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// probeTimeout is the longest time of a probe; one that takes longer speaks for
// giving way.
const probeTimeout = 2 * time.Second

// probed asks the application's own probe: a query that gives a number, or a
// URL that answers with one. A number above the limit, or no answer, slows the
// work down, and never to nothing: what the probe measures may have another
// cause.
func (s *Store) probed(ctx context.Context) (store.Signal, bool) {
	if s.limits.probe == "" {
		return store.Signal{}, false
	}
	limited, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	value, err := s.probeValue(limited)
	switch {
	case ctx.Err() != nil:
		return store.Signal{}, false
	case err != nil:
		return store.Signal{Because: "the probe failed: " + s.scrub(err.Error()), Slow: true}, true
	case value > s.limits.probeLimit:
		return store.Signal{Because: fmt.Sprintf("the probe says %s, the limit is %s", short(value), short(s.limits.probeLimit)), Slow: true}, true
	}
	return store.Signal{}, false
}

func short(n float64) string { return strconv.FormatFloat(n, 'g', 6, 64) }

func (s *Store) probeValue(ctx context.Context) (float64, error) {
	if strings.HasPrefix(s.limits.probe, "http://") || strings.HasPrefix(s.limits.probe, "https://") {
		return askURL(ctx, s.limits.probe)
	}
	text, found := "", false
	var m message
	s.beginLook(&m)
	m.own(s.settingsSQL(store.Task{Timeout: probeTimeout}))
	m.ask(s.limits.probe, func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			if !found && len(r.Values()) > 0 {
				text, found = string(r.Values()[0]), true
			}
		}
		return nil
	})
	m.own("COMMIT")
	m.reset()
	if _, err := s.run(ctx, &m); err != nil {
		return 0, err
	}
	switch text {
	case "", "f":
		return 0, nil // no row, NULL or false: nothing to say
	case "t":
		return s.limits.probeLimit + 1, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("it gives %q, no number", text)
	}
	return value, nil
}

// askURL gives the number that a URL answers with or, where it answers with
// something else, the milliseconds that it took.
func askURL(ctx context.Context, url string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, fmt.Errorf("the URL is not understood")
	}
	begun := time.Now()
	transport := &http.Transport{DisableKeepAlives: true} // without the proxies of the environment
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, fmt.Errorf("no answer within %s", probeTimeout)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1000))
	took := time.Since(begun)
	if err != nil {
		return 0, fmt.Errorf("the answer broke off")
	}
	if answer.StatusCode/100 != 2 {
		return 0, fmt.Errorf("it answered %s", answer.Status)
	}
	if value, err := strconv.ParseFloat(strings.TrimSpace(string(body)), 64); err == nil {
		return value, nil
	}
	return float64(took.Milliseconds()), nil
}
