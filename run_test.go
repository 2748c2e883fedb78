package stopover

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// looping is a program that says when it runs, and ends as told.
func looping(dir, onTerm string) []string {
	return []string{"sh", "-c", `trap "` + onTerm + `" TERM; touch ` + filepath.Join(dir, "started") + `; while :; do sleep 0.05; done`}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// TestProgramEndsWithItsLease shows that a program whose lease is taken away is
// told to end, and killed if it does not, and that nothing of it is left.
func TestProgramEndsWithItsLease(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		a := shopWithReleases(t, s)
		for _, c := range []struct{ onTerm, leaves string }{{"touch " + s.dir + "/told; exit 0", "told"}, {"", ""}} {
			_ = os.Remove(filepath.Join(s.dir, "started"))
			ended := make(chan error, 1)
			go func() {
				_, err := a.RunProgram(wait(t), RunOptions{JoinOptions: JoinOptions{Component: "api", Release: "1.6", Instance: "api-1", TTL: 600 * time.Millisecond},
					Command: looping(s.dir, c.onTerm), Grace: 200 * time.Millisecond})
				ended <- err
			}()
			eventually(t, func() bool { return exists(filepath.Join(s.dir, "started")) })
			s.exec("DELETE FROM stopover_note WHERE key = 'fleet/api/api-1'")
			err := <-ended
			if err == nil || exitOf(err) != ExitFailed || !strings.Contains(err.Error(), "api 1.6 was ended: the lease in main is lost: it was taken away") {
				t.Errorf("it ends with %v", err)
			}
			if c.leaves != "" && !exists(filepath.Join(s.dir, c.leaves)) {
				t.Error("it was not told")
			}
		}
	})
}

// TestSignalsReachAProgram shows that what is passed on arrives, and that the
// program's end is the run's.
func TestSignalsReachAProgram(t *testing.T) {
	s := newSite(t, "sqlite")
	a := shopWithReleases(t, s)
	for _, c := range []struct {
		sent syscall.Signal
		exit int
	}{{syscall.SIGTERM, 9}, {syscall.SIGHUP, 128 + int(syscall.SIGHUP)}, {syscall.SIGUSR1, 128 + int(syscall.SIGUSR1)}} {
		_ = os.Remove(filepath.Join(s.dir, "started"))
		signals := make(chan os.Signal, 1)
		go func() {
			for !exists(filepath.Join(s.dir, "started")) {
				time.Sleep(5 * time.Millisecond)
			}
			signals <- c.sent
		}()
		exit, err := a.RunProgram(wait(t), RunOptions{JoinOptions: JoinOptions{Component: "api", Release: "1.6"},
			Command: looping(s.dir, "exit 9"), Signals: signals})
		if err != nil || exit != c.exit {
			t.Errorf("%s: it ends with %d, %v; want %d", c.sent, exit, err, c.exit)
		}
	}
	if left := s.rows("SELECT key FROM stopover_note WHERE key LIKE 'fleet/%'"); len(left) > 0 {
		t.Errorf("leases are left: %q", left)
	}
}

// TestStartPage follows an instance from its gate to its end.
func TestStartPage(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		a := shopWithReleases(t, s)
		s.migration("0003_more", "-- stopover: expand needs=1.9\nCREATE TABLE more (id integer PRIMARY KEY);\n")
		a = s.app()
		page := &StartPage{}
		server := httptest.NewServer(page)
		defer server.Close()
		saying(t, server.URL, http.StatusServiceUnavailable, StateWaiting, "the gate is being asked")
		waits := make(chan struct{}, 1)
		ready := make(chan error, 1)
		go func() {
			_, err := a.Ready(wait(t), ReadyOptions{Component: "api", Release: "1.9", Mode: ReadyWait, Every: 10 * time.Millisecond, Progress: func(w Waiting) {
				page.Waits(w)
				select {
				case waits <- struct{}{}:
				default:
				}
			}})
			ready <- err
		}()
		<-waits
		if got := saying(t, server.URL, http.StatusServiceUnavailable, StateWaiting, "api 1.9 needs main 0003_more.expand"); got.Gate == nil || got.Gate.State != "pending" {
			t.Errorf("the gate's answer is not there: %+v", got)
		}
		if _, err := s.app().Apply(wait(t), ApplyOptions{Target: Target{To: "main:0003_more"}}); err != nil {
			t.Fatal(err)
		}
		if err := <-ready; err != nil {
			t.Fatal(err)
		}
		i, err := a.Join(wait(t), JoinOptions{Component: "api", Release: "1.9", Instance: "api-1", TTL: 600 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Leave(wait(t))
		page.Started(i)
		saying(t, server.URL, http.StatusOK, StateStarted, "api 1.9 runs as api-1")
		s.exec("DELETE FROM stopover_note WHERE key = 'fleet/api/api-1'")
		<-i.Lost()
		saying(t, server.URL, http.StatusServiceUnavailable, StateLost, "it was taken away")
	})
}

// saying asks a page both ways.
func saying(t *testing.T, url string, status int, state, text string) (got StartState) {
	t.Helper()
	for _, accept := range []string{"application/json", "text/plain"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", accept)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		line := string(body)
		if answer.StatusCode != status || !strings.Contains(line, state) || !strings.Contains(line, text) {
			t.Errorf("%s: %d %q, want %d, %s: %s", accept, answer.StatusCode, line, status, state, text)
		}
		if accept == "application/json" {
			if err := json.Unmarshal(body, &got); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
	return got
}
