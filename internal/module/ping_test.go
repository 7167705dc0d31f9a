package module_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// Who is not there at the start is told of once, however long that lasts; who
// goes away later is a matter of its health.
func TestWatchTellsWhoIsMissing(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"missing": 1, "there": 0} {
		synctest.Test(t, func(t *testing.T) {
			s := newService()
			s.away.Store(want == 1)
			g := guard(&s.fake, module.Limits{Timeout: time.Minute, Parallel: 3})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var told []string
			over := make(chan struct{})
			go func() {
				defer close(over)
				g.PingEvery(ctx, time.Minute, func(err error) { told = append(told, err.Error()) })
			}()
			time.Sleep(time.Hour)
			s.away.Store(false)
			time.Sleep(time.Hour)
			s.away.Store(true)
			time.Sleep(time.Hour)
			cancel()
			<-over
			if len(told) != want || want == 1 && told[0] != "ping: connection refused" {
				t.Errorf("%s: %q", name, told)
			}
		})
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		g := guard(&s.fake, module.Limits{Timeout: time.Minute, Parallel: 3})
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() {
			defer close(over)
			g.PingEvery(ctx, time.Minute, nil)
		}()
		synctest.Wait()
		check(t, g, "up", "closed", 0, 0)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if n := s.pings.Load(); n != 4 {
			t.Errorf("%d pings", n)
		}
		// The service goes: the next ping tells, messages open the breaker.
		s.away.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		check(t, g, "away", "closed", 0, 0)
		if h := g.Health(); h.LastError != "ping: connection refused" {
			t.Errorf("%+v", h)
		}
		if n := s.tried(t, g, 10); n != 2 {
			t.Errorf("%d tried", n)
		}
		synctest.Wait()
		// From now on pings find out, not messages: after 1, 2, 4, 8 s.
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if n := s.pings.Load(); n != 10 { // 5 so far, one at once, four of these
			t.Errorf("%d pings", n)
		}
		s.away.Store(false)
		time.Sleep(16*time.Second - 1)
		check(t, g, "away", "open", 0, 2)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		check(t, g, "degraded", "closed", 0, 2)
		if n := s.tried(t, g, 10); n != 10 {
			t.Errorf("%d tried when it is back", n)
		}
		cancel()
		<-over
	})
}

// A service that answers pings is not away, whatever it makes of messages: that
// is for each of them to wait for.
func TestWatchDeafService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		g := guard(&s.fake, module.Limits{Timeout: time.Minute, Parallel: 3})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.deaf.Store(true)
		s.tried(t, g, 5)
		if h := g.Health(); h.Breaker != "open" {
			t.Errorf("%+v", h)
		}
		// Not before: a ping would close it as soon as it opens.
		go g.PingEvery(ctx, time.Minute, nil)
		synctest.Wait() // for a ping
		if h := g.Health(); h.Breaker != "closed" {
			t.Errorf("%+v", h)
		}
	})
}

// A ping that never ends, or panics, is a failure, and there is one at a time.
func TestWatchBadPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var pings atomic.Int64
		f := &fake{ping: func(context.Context) error {
			if pings.Add(1) == 1 {
				panic("ouch")
			}
			time.Sleep(time.Hour)
			return nil
		}}
		g := guard(f, module.Limits{})
		ctx, cancel := context.WithCancel(t.Context())
		go g.PingEvery(ctx, 10*time.Second, nil)
		synctest.Wait()
		if h := g.Health(); h.State != "away" || h.LastError != "ping: panicked: ouch" || h.Breaker != "closed" {
			t.Errorf("%+v", h)
		}
		time.Sleep(6*time.Second + time.Millisecond) // one second, and five for an answer
		if h := g.Health(); !strings.HasPrefix(h.LastError, "ping: ") || h.Breaker != "open" {
			t.Errorf("%+v", h)
		}
		time.Sleep(30 * time.Minute)
		if n := pings.Load(); n != 2 {
			t.Errorf("%d pings", n)
		}
		cancel()
		time.Sleep(time.Hour)
		if n := pings.Load(); n != 2 {
			t.Errorf("%d pings", n)
		}
	})
}
