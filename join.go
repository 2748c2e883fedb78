package stopover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// JoinOptions say what starts.
type JoinOptions struct {
	Component string // "": the only one
	Release   string // "": Config.Release
	// Instance is its name among the instances of the component, without blanks or
	// slashes. "": made of the host, the process and a random part.
	Instance string
	// Sessions is what the names of its own sessions in the stores begin with
	// (application_name), so that they are not taken for strangers. It should tell
	// releases apart. "": COMPONENT/INSTANCE.
	Sessions string
	// TTL is how long its lease lives without being renewed. 0: a minute.
	TTL time.Duration
	// Lost is called once, from a goroutine of its own, if the lease is lost: from
	// then on the instance is not reckoned with and must not use the stores.
	Lost func(error)
}

// Instance is a running process of the application that holds a lease, until
// Leave or until it is lost.
type Instance struct {
	app   *App
	ask   JoinOptions
	token string
	held  []*tenure
	work  sync.Mutex // of held, while the leases are renewed

	stop chan struct{}
	gone sync.WaitGroup
	once sync.Once

	lost chan struct{}
	mu   sync.Mutex
	err  error
}

// tenure is an instance's lease in one store.
type tenure struct {
	*place
	st   store.Store
	note book.Instance
	rev  int64
	seen time.Time // last write, on the store's clock
	sent time.Time // begin of the last renewal that was answered, on ours
}

// Join asks the gate as Ready does and keeps a lease in every store that the
// component uses, renewed in the background, so that no step begins that the
// release cannot live with. The lease is written first, then the floors are
// read, and it is taken back if they refuse: a runner that raises a floor does
// the same the other way around, so that of the two at least one sees the other.
//
// Without it a process can only be vouched for by an operator.
func (a *App) Join(ctx context.Context, ask JoinOptions) (*Instance, error) {
	ask, err := a.joinable(ask)
	if err != nil {
		return nil, err
	}
	sights := a.lookFor(ctx, ask.Component)
	if err := a.mayJoin(ctx, sights, ask); err != nil {
		return nil, err // without a trace in the stores
	}
	i := &Instance{app: a, ask: ask, token: newID(), stop: make(chan struct{}), lost: make(chan struct{})}
	for _, s := range sights {
		if err := i.enter(ctx, s); err != nil {
			i.withdraw(ctx)
			return nil, a.leaseless(s, err)
		}
	}
	if err := i.admit(ctx); err != nil {
		i.withdraw(ctx)
		return nil, err
	}
	for _, t := range i.held {
		i.gone.Go(func() { i.renew(context.WithoutCancel(ctx), t) })
	}
	return i, nil
}

// leaseless is the failure of an instance that cannot write its lease.
func (a *App) leaseless(s *sight, err error) *Failure {
	f := a.explain(s.name, err)
	if f.Detail.Kind == wire.KindRights {
		f.Detail.Hint = "a lease is a note in the books: give the store lease_url, with a login that may write them, or attest what runs"
	}
	return f
}

// joinable fills in what was left out, and refuses what cannot be.
func (a *App) joinable(ask JoinOptions) (JoinOptions, error) {
	var names []string
	for _, c := range a.project.Components {
		names = append(names, c.Name)
	}
	if len(names) == 0 {
		names = []string{"app"}
	}
	switch {
	case ask.Component == "" && len(names) == 1:
		ask.Component = names[0]
	case !slices.Contains(names, ask.Component):
		return ask, misuse(fmt.Sprintf("there is no component %q; there are %s", ask.Component, strings.Join(names, ", ")), a.cmd("lint"))
	}
	if ask.Release == "" {
		ask.Release = a.cfg.Release
	}
	if ask.Release == "" && len(a.project.Releases) > 0 {
		return ask, misuse("an instance has to say which release it is: JoinOptions.Release or Config.Release", a.cmd("fleet"))
	}
	if ask.Instance == "" {
		ask.Instance = fmt.Sprintf("%s-%d-%s", strings.Map(plainRune, host()), os.Getpid(), newID()[:6])
	}
	if len(ask.Instance) > 200 || strings.Map(plainRune, ask.Instance) != ask.Instance {
		return ask, misuse(fmt.Sprintf("%q is no name for an instance: letters, digits and -._ only, 200 at most", ask.Instance), a.cmd("fleet"))
	}
	if ask.Sessions == "" {
		ask.Sessions = ask.Component + "/" + ask.Instance
	}
	if ask.TTL == 0 {
		ask.TTL = book.InstanceTTL
	}
	if ask.TTL < 0 {
		return ask, misuse("the time to live of a lease is negative", a.cmd("fleet"))
	}
	return ask, nil
}

func plainRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._", r) {
		return r
	}
	return '-'
}

// lookAs looks at the stores that a component uses, so that another one may be
// down; at all of them where it is not known which.
func (a *App) lookAs(ctx context.Context, component string) []*sight {
	for _, c := range a.project.Components {
		if c.Name == component {
			return a.lookFor(ctx, component)
		}
	}
	return a.look(ctx)
}

// lookFor looks at the stores that a component uses, side by side.
func (a *App) lookFor(ctx context.Context, component string) []*sight {
	var used []*place
	for _, p := range a.stores {
		switch {
		case !a.uses(component, p.name):
		case p.leases != nil:
			used = append(used, p.leases)
		default:
			used = append(used, p)
		}
	}
	sights := make([]*sight, len(used))
	var wait sync.WaitGroup
	for n, p := range used {
		wait.Go(func() { sights[n] = a.lookAt(ctx, p) })
	}
	wait.Wait()
	return sights
}

// mayJoin asks the gate from what was seen.
func (a *App) mayJoin(ctx context.Context, sights []*sight, ask JoinOptions) error {
	doc, err := a.gateOf(ctx, sights, CheckOptions{Component: ask.Component, Release: ask.Release})
	if err != nil {
		return err
	}
	if doc.State != wire.Ready {
		return a.notReady(doc)
	}
	for _, s := range sights {
		if !s.stamped() || s.fresh() {
			f := refuse(fmt.Sprintf("%s %s may not start yet: the store is not set up to its end", ask.Component, ask.Release), a.cmd("status"), a.cmd("apply"))
			return f.in(s.name)
		}
	}
	return nil
}

// enter writes the lease in one store. A dead instance of the same name, or one
// of the same release that is being replaced, is taken the place of.
func (i *Instance) enter(ctx context.Context, s *sight) error {
	t := &tenure{place: s.place, st: s.st, note: book.Instance{Component: i.ask.Component, Name: i.ask.Instance, Release: i.ask.Release,
		Role: roleText(i.app.role(i.ask.Component, s.name)), Host: host(), PID: os.Getpid(), Sessions: i.ask.Sessions, Token: i.token, Since: s.books.Clock(), TTL: i.ask.TTL}}
	over := store.Absent
	for _, other := range s.books.Instances {
		if other.Key() != t.note.Key() {
			continue
		}
		if other.Left(s.books.Now) > 0 && other.Release != i.ask.Release {
			return refuse(fmt.Sprintf("an instance %s of %s is alive at %s, on %s (pid %d): two of one name cannot be told apart",
				other.Name, other.Component, other.Release, other.Host, other.PID), i.app.cmd("fleet"))
		}
		over = other.Rev
	}
	t.sent = time.Now()
	written, err := s.st.Swap(ctx, nil, t.note.Note(over))
	var conflict *store.ConflictError
	if errors.As(err, &conflict) {
		return refuse(fmt.Sprintf("another instance of the name %s joins at this moment", i.ask.Instance), i.app.cmd("fleet"))
	}
	if err != nil {
		return fmt.Errorf("write the lease: %w", err)
	}
	t.rev, t.seen = written[0].Rev, written[0].At
	i.held = append(i.held, t)
	return nil
}

// admit reads the floors behind the lease that was written, and answers for it.
// A proposal that counts for nothing any more is taken away before anybody
// relies on that, so that its runner notices if it only slept.
func (i *Instance) admit(ctx context.Context) error {
	for {
		sights := i.app.lookFor(ctx, i.ask.Component)
		if err := i.app.mayJoin(ctx, sights, i.ask); err != nil {
			return err
		}
		again := false
		for _, s := range sights {
			if _, dead := s.books.Proposed(); dead != nil {
				_, err := s.st.Swap(ctx, nil, dead.Gone())
				var conflict *store.ConflictError
				if err != nil && !errors.As(err, &conflict) {
					return i.app.explain(s.name, err)
				}
				again = true
			}
		}
		if !again {
			i.remember(ctx, sights)
			return nil
		}
	}
}

// remember notes since which release the component's instances hold leases, and
// takes away leases that ran out long ago. Both are done by whoever comes next if
// they fail here.
func (i *Instance) remember(ctx context.Context, sights []*sight) {
	w := &way{sights: sights, seen: []string{i.ask.Release}}
	if err := i.app.catalogue(w); err != nil {
		return
	}
	for _, s := range sights {
		gate, found := s.books.Gates[i.ask.Component]
		if !found || w.older(i.ask.Release, gate.From) {
			_, _ = s.st.Swap(ctx, nil, s.books.GateNote(i.ask.Component, book.Gate{From: i.ask.Release}))
		}
		swept := 0
		for _, other := range s.books.Instances {
			if other.Component == i.ask.Component && other.Left(s.books.Now) < -20*other.TTL && swept < 20 {
				_, _ = s.st.Swap(ctx, nil, other.Gone())
				swept++
			}
		}
	}
}

// withdraw takes the leases back, also where the caller's context has ended.
// What cannot be taken back dies by itself.
func (i *Instance) withdraw(ctx context.Context) {
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	for _, t := range i.held {
		_, _ = t.st.Swap(after, nil, store.Note{Key: t.note.Key(), Rev: t.rev})
	}
}

// Name is the instance's name among those of its component.
func (i *Instance) Name() string { return i.ask.Instance }

// SessionName is what the names of its sessions in the stores should begin with:
// the application_name of its connections.
func (i *Instance) SessionName() string { return i.ask.Sessions }

// Lost is closed when the lease is lost. Err then says why.
func (i *Instance) Lost() <-chan struct{} { return i.lost }

// Err says why the lease was lost; nil: it was not.
func (i *Instance) Err() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.err
}

// Leave gives the lease back. It is called when the instance's work on the
// stores has ended, before the App is closed; it may be called more than once.
func (i *Instance) Leave(ctx context.Context) {
	i.once.Do(func() {
		close(i.stop)
		i.gone.Wait()
		i.withdraw(ctx)
	})
}

// roleText is how the component uses the store, as it is recorded.
func roleText(role plan.Role) string {
	if role == plan.ReadOnly {
		return "ro"
	}
	return "rw"
}
