package dnscheck

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// offline is a resolver whose one server is a function: it is given questions
// and time passes only when all wait.
func offline(t *testing.T, c Config, ask func(ctx context.Context, q question) (*dns.Msg, error)) *Resolver {
	t.Helper()
	c.Servers = []string{"192.0.2.53"}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.servers.ask = func(ctx context.Context, _ string, q question, try time.Duration) (*dns.Msg, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, try, errTimeout)
		defer cancel()
		return ask(ctx, q)
	}
	t.Cleanup(r.Close)
	return r
}

func nothingThere(q question) *dns.Msg {
	m := new(dns.Msg).SetQuestion(q.name, q.kind)
	m.Response, m.RecursionAvailable, m.Rcode = true, true, dns.RcodeNameError
	return m
}

// slowly answers what is below "slow." after 3 s, what is below "silent."
// never, the rest after 5 ms.
func slowly(ctx context.Context, q question) (*dns.Msg, error) {
	wait := 5 * time.Millisecond
	switch {
	case strings.HasSuffix(q.name, "slow."):
		wait = 3 * time.Second
	case strings.HasSuffix(q.name, "silent."):
		wait = time.Hour
	}
	select {
	case <-time.After(wait):
		return nothingThere(q), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// However many wait for an answer, it is asked for once.
func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := offline(t, Config{}, slowly)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if a, err := r.lookup(t.Context(), question{"x.example.", dns.TypeA}); err != nil || !a.nxdomain {
					t.Error(a, err)
				}
			})
		}
		wg.Wait()
		if s := r.Stats(); s.Asked != 50 || s.Joined != 49 || s.Queries != 1 {
			t.Errorf("%+v", s)
		}
		if _, err := r.lookup(t.Context(), question{"x.example.", dns.TypeA}); err != nil || r.Stats().Hits != 1 {
			t.Error(err, r.Stats())
		}
	})
}

// 200 connections, each with four questions that nobody answers, leave the
// time of the others as it is: not one of them waits for a place.
func TestSlowDoNotDelay(t *testing.T) {
	for _, places := range []int{64, 1024} {
		synctest.Test(t, func(t *testing.T) {
			r := offline(t, Config{InFlight: places}, slowly)
			var wg sync.WaitGroup
			for i := range 800 {
				wg.Go(func() {
					if _, err := r.lookup(t.Context(), question{fmt.Sprintf("n%d.silent.", i), dns.TypeA}); !errors.Is(err, ErrTemporary) {
						t.Error(err)
					}
				})
				if i%8 == 7 { // 200 questions a second
					time.Sleep(40 * time.Millisecond)
				}
			}
			for i := range 1000 {
				start := time.Now()
				if a, err := r.lookup(t.Context(), question{fmt.Sprintf("n%d.example.", i), dns.TypeA}); err != nil || !a.nxdomain {
					t.Fatal(a, err)
				}
				if d := time.Since(start); d != 5*time.Millisecond {
					t.Fatalf("%d places: question %d took %v", places, i, d)
				}
			}
			wg.Wait()
			if s := r.Stats(); s.MostInFlight > places || places < 800 && s.Evicted == 0 {
				t.Errorf("%d places: %+v", places, s)
			}
		})
	}
}

// All the slow at once, and more than there are places: the others wait until
// each of these has had its grace, and no longer.
func TestBurstOfSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const places = 100
		r := offline(t, Config{InFlight: places}, slowly)
		var wg sync.WaitGroup
		for i := range 4 * places {
			wg.Go(func() { r.lookup(t.Context(), question{fmt.Sprintf("n%d.silent.", i), dns.TypeA}) })
		}
		synctest.Wait()
		if s := r.Stats(); s.InFlight != places || s.Waiting != 3*places {
			t.Errorf("%+v", s)
		}
		start := time.Now()
		if _, err := r.lookup(t.Context(), question{"x.example.", dns.TypeA}); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d > 4*grace+5*time.Millisecond {
			t.Error(d)
		}
		wg.Wait()
	})
}

// A place taken away is no failure of the name: it is asked for again.
func TestEvictedIsNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := offline(t, Config{InFlight: 1}, slowly)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := r.lookup(t.Context(), question{"x.slow.", dns.TypeA}); !errors.Is(err, errBusy) {
				t.Error(err)
			}
		})
		synctest.Wait()
		if _, err := r.lookup(t.Context(), question{"x.example.", dns.TypeA}); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if s := r.Stats(); s.CacheSize != 1 || s.Evicted != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A dead zone costs the first message its time, not the next ones for a while;
// a slow one has its second chance within the same check.
func TestFailuresAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := offline(t, Config{}, slowly)
		took := func(name string) time.Duration {
			start := time.Now()
			if _, err := r.lookup(t.Context(), question{name, dns.TypeA}); !errors.Is(err, ErrTemporary) {
				t.Error(err)
			}
			return time.Since(start)
		}
		if d := took("x.silent."); d != 8*time.Second {
			t.Error(d)
		}
		if d := took("x.silent."); d != 0 {
			t.Error(d)
		}
		time.Sleep(failureTTL)
		if d := took("x.silent."); d != 8*time.Second {
			t.Error(d)
		}
		if s := r.Stats(); s.Timeouts != 2*tries || s.Servers[0].State != "down" {
			t.Errorf("%+v", s)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := offline(t, Config{}, slowly)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := r.lookup(t.Context(), question{"x.silent.", dns.TypeA}); !errors.Is(err, ErrTemporary) {
				t.Error(err)
			}
		})
		synctest.Wait()
		start := time.Now()
		r.Close()
		wg.Wait()
		if d := time.Since(start); d != 0 {
			t.Error(d)
		}
		if _, err := r.lookup(t.Context(), question{"y.example.", dns.TypeA}); !errors.Is(err, errClosed) {
			t.Error(err)
		}
		if s := r.Stats(); s.InFlight != 0 || s.CacheSize != 0 {
			t.Errorf("%+v", s)
		}
	})
}
