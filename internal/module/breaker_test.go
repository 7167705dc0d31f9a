package module_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// service is one that can be switched off.
type service struct {
	fake
	away  atomic.Bool
	deaf  atomic.Bool // does not inspect, but answers pings
	pings atomic.Int64
}

func newService() *service {
	s := &service{}
	s.inspect = func(ctx context.Context, m *module.Message) (module.Finding, error) {
		if s.away.Load() || s.deaf.Load() {
			return module.Finding{}, errRefused
		}
		return whole(ctx, m)
	}
	s.ping = func(context.Context) error {
		s.pings.Add(1)
		if s.away.Load() {
			return errRefused
		}
		return nil
	}
	return s
}

// tried tells how many of n inspections came to the service.
func (s *service) tried(t testing.TB, g *module.Guard, n int) int64 {
	t.Helper()
	before := s.calls.Load()
	m := message(t, 1)
	for range n {
		i := g.Begin(t.Context(), m)
		if r := immediate(t, i); r.Err != nil && !errors.Is(r.Err, module.ErrAway) && !errors.Is(r.Err, errRefused) {
			t.Error(r.Err)
		}
	}
	return s.calls.Load() - before
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		g := guard(&s.fake, module.Limits{Timeout: time.Minute, Parallel: 3})
		s.away.Store(true)
		s.tried(t, g, 4)
		s.away.Store(false)
		s.tried(t, g, 1)
		s.away.Store(true)
		// A success in between: five more.
		if n := s.tried(t, g, 10); n != 5 {
			t.Errorf("%d tried before the breaker opened", n)
		}
		check(t, g, "away", "open", 1, 9)
		if n := g.Health().Spared; n != 5 {
			t.Errorf("%d met the open breaker", n)
		}
		r := immediate(t, g.Begin(t.Context(), message(t, 1)))
		wants(t, "open", r, module.ErrAway)
		if !strings.Contains(r.Err.Error(), errRefused.Error()) {
			t.Errorf("%q does not say what the matter was", r.Err)
		}
		for _, wait := range []int{1, 2, 4, 8, 16, 30, 30} {
			if at := g.Health().RetryAt; !at.Equal(time.Now().Add(time.Duration(wait) * time.Second)) {
				t.Errorf("retry at %v", at)
			}
			time.Sleep(time.Duration(wait)*time.Second - 1)
			if n := s.tried(t, g, 2); n != 0 {
				t.Errorf("%d tried before %d s", n, wait)
			}
			time.Sleep(time.Nanosecond)
			check(t, g, "away", "half-open", 1, g.Health().Failed)
			if n := s.tried(t, g, 3); n != 1 {
				t.Errorf("%d tried after %d s", n, wait)
			}
		}
		time.Sleep(30 * time.Second)
		s.away.Store(false)
		if n := s.tried(t, g, 3); n != 3 {
			t.Errorf("%d tried when it is back", n)
		}
		check(t, g, "degraded", "closed", 4, 16)
		// From the start: five failures, one second.
		s.away.Store(true)
		if n := s.tried(t, g, 9); n != 5 || !g.Health().RetryAt.Equal(time.Now().Add(time.Second)) {
			t.Errorf("%d tried, retry at %v", n, g.Health().RetryAt)
		}
	})
}

// While one is tried, others are not; one that comes to nothing makes room for
// another.
func TestBreakerOneTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{inspect: failing}
		g := guard(f, module.Limits{Timeout: 5 * time.Second, Parallel: 3})
		for range 5 {
			wants(t, "failing", g.Begin(t.Context(), message(t, 1)).Wait(), errRefused)
		}
		time.Sleep(time.Second)
		f.inspect = patient
		for range 2 {
			try := g.Begin(t.Context(), message(t, 1))
			synctest.Wait()
			wants(t, "beside a try", immediate(t, g.Begin(t.Context(), message(t, 1))), module.ErrAway)
			try.Cancel()
			wants(t, "try", try.Wait(), module.ErrAborted)
		}
		m := arriving(t, 1)
		try := g.Begin(t.Context(), m)
		closed(t, m.Stash)
		try.Cancel()
		wants(t, "try", try.Wait(), module.ErrAborted)
		wants(t, "try", g.Begin(t.Context(), message(t, 1)).Wait(), module.ErrTimeout)
		if at := g.Health().RetryAt; !at.Equal(time.Now().Add(2 * time.Second)) {
			t.Errorf("retry at %v, %v", at, time.Now())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		f.inspect = nil
		wants(t, "try", g.Begin(t.Context(), message(t, 1)).Wait(), nil)
		check(t, g, "degraded", "closed", 1, 6)
	})
}

// Many that began before the breaker opened fail after: that is no reason to
// wait longer. Those that still wait for their turn are not tried.
func TestBreakerLateFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{inspect: func(context.Context, *module.Message) (module.Finding, error) {
			time.Sleep(time.Second)
			return module.Finding{}, errRefused
		}}
		g := guard(f, module.Limits{Timeout: time.Minute, Parallel: 10})
		var all []*module.Inspection
		for range 30 {
			all = append(all, g.Begin(t.Context(), message(t, 1)))
		}
		opened := time.Now().Add(time.Second)
		for _, i := range all {
			i.Wait()
		}
		synctest.Wait()
		// The first four failures may have given up their places before the
		// fifth opened the breaker.
		if n := f.calls.Load(); n < 10 || n > 14 {
			t.Errorf("%d tried", n)
		}
		if at := g.Health().RetryAt; !at.Equal(opened.Add(time.Second)) {
			t.Errorf("opened at %v, retry at %v", opened, at)
		}
		time.Sleep(time.Minute)
	})
}

// Whatever comes of single messages, the service is not away for others.
func TestBreakerOfMessages(t *testing.T) {
	t.Parallel()
	for name, inspect := range map[string]func(context.Context, *module.Message) (module.Finding, error){
		"an answer": func(context.Context, *module.Message) (module.Finding, error) {
			return module.Finding{}, errors.New("says: no")
		},
		"a connection that ends": func(context.Context, *module.Message) (module.Finding, error) {
			return module.Finding{}, io.ErrUnexpectedEOF
		},
		"a broken connection": func(context.Context, *module.Message) (module.Finding, error) {
			return module.Finding{}, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
		},
		"a full queue": func(context.Context, *module.Message) (module.Finding, error) {
			return module.Finding{}, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EAGAIN)}
		},
		"a time-out": patient,
		"a panic":    func(context.Context, *module.Message) (module.Finding, error) { panic("ouch") },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{inspect: func(ctx context.Context, m *module.Message) (module.Finding, error) {
				if m.Sender == "bad" {
					return inspect(ctx, m)
				}
				return whole(ctx, m)
			}}
			g := guard(f, module.Limits{Timeout: 5 * time.Second, Parallel: 10})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go g.PingEvery(ctx, time.Minute, nil)
			for range 100 {
				bad := message(t, 1)
				bad.Sender = "bad"
				if r := g.Begin(t.Context(), bad).Wait(); r.Err == nil || errors.Is(r.Err, module.ErrAway) {
					t.Fatalf("%s: %v", name, r.Err)
				}
				wants(t, name, g.Begin(t.Context(), message(t, 1)).Wait(), nil)
			}
			if h := g.Health(); h.Breaker != "closed" || h.State != "degraded" || h.Failed != 100 {
				t.Errorf("%s: %+v", name, h)
			}
		})
	}
}

// One that takes connections and says nothing is found by pings, and mail waits
// no longer than until then.
func TestBreakerFrozen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		frozen := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		g := guard(&fake{inspect: patient, ping: frozen}, module.Limits{Timeout: 20 * time.Second, Parallel: 10})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go g.PingEvery(ctx, time.Minute, nil)
		time.Sleep(5*time.Second + time.Millisecond)
		check(t, g, "away", "closed", 0, 0)
		time.Sleep(6 * time.Second)
		check(t, g, "away", "open", 0, 0)
		wants(t, "frozen", immediate(t, g.Begin(t.Context(), message(t, 1))), module.ErrAway)
	})
}

// Pings that find no turn say nothing while messages have results.
func TestBreakerBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		frozen := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		g := guard(&fake{inspect: func(context.Context, *module.Message) (module.Finding, error) {
			time.Sleep(time.Second)
			return module.Finding{}, nil
		}, ping: frozen}, module.Limits{Timeout: 20 * time.Second, Parallel: 10})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go g.PingEvery(ctx, 2*time.Second, nil)
		for range 60 {
			wants(t, "busy", g.Begin(t.Context(), message(t, 1)).Wait(), nil)
		}
		check(t, g, "up", "closed", 60, 0)
	})
}

// The state follows the last 20 results.
func TestHealthState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		g := guard(&s.fake, module.Limits{})
		began := time.Now()
		s.tried(t, g, 30)
		time.Sleep(time.Second)
		check(t, g, "up", "closed", 30, 0)
		s.away.Store(true)
		s.tried(t, g, 1)
		check(t, g, "away", "closed", 30, 1)
		if h := g.Health(); !h.Since.Equal(began.Add(time.Second)) || h.LastError != "connection refused" || !h.LastErrorAt.Equal(h.Since) {
			t.Errorf("%+v", h)
		}
		s.away.Store(false)
		s.tried(t, g, 19)
		check(t, g, "degraded", "closed", 49, 1)
		s.tried(t, g, 1)
		check(t, g, "up", "closed", 50, 1)
	})
}
