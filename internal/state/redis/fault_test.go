package redis

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/statetest"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// clock is that of the breaker, which does not stand still and need not be
// waited for.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// away checks that a server that does not answer costs the time-out once, and
// is asked again when it is back.
func away(t *testing.T, addr string, stop, start func() error) {
	t.Helper()
	o := options(addr)
	// Longer than the access has patience: it is this that must end it.
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = time.Minute, time.Minute, time.Minute
	s := mustNew(t, redis.NewUniversalClient(o), t.Name()+":")
	clock := &clock{at: statetest.Now}
	access := state.NewAccess(s, 200*time.Millisecond, clock.now)
	list, err := access.Greylist(state.DefaultGreylist())
	if err != nil {
		t.Fatal(err)
	}
	known, err := access.Correspondents(state.DefaultCorrespondentLife)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (state.Answer, error) {
		return list.Check(t.Context(), netip.MustParseAddr("192.0.2.1"), "a@example.com", "b@example.org", clock.now())
	}
	// A started server may load yet, a connection of before be broken, and a busy machine
	// take longer to answer than the access has patience.
	answered := func() state.Answer {
		for {
			a, err := ask()
			if err == nil {
				return a
			}
			if !errors.Is(err, state.ErrAway) && !strings.Contains(err.Error(), "LOADING ") || t.Context().Err() != nil {
				t.Fatal(err)
			}
			clock.pass(time.Minute)
		}
	}
	if a := answered(); a.Reason != state.New && a.Reason != state.Early {
		t.Fatal(a)
	}
	for round := range 2 {
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		for i := range 1000 {
			var err error
			switch i % 3 {
			case 0:
				_, err = ask()
			case 1:
				_, err = known.Wrote(t.Context(), "a@example.org", "b@example.com", clock.now())
			case 2:
				err = known.Remember(t.Context(), "a@example.org", []string{"b@example.com"}, clock.now())
			}
			if !errors.Is(err, state.ErrAway) {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		// Far less than a minute, and than 1000 time-outs.
		if took := time.Since(begun); took > 20*time.Second {
			t.Fatal(took)
		}
		if st := access.Status(); !st.Away || st.Error == "" || st.Kind != "redis" {
			t.Fatalf("%+v", st)
		}
		if err := start(); err != nil {
			t.Fatal(err)
		}
		clock.pass(time.Minute)
		answered()
		if st := access.Status(); st.Away || st.Error != "" {
			t.Fatalf("%+v", st)
		}
	}
}

func TestFrozen(t *testing.T) {
	r, err := box.Redis("--appendonly", "no")
	if err != nil {
		t.Fatal(err)
	}
	away(t, r.Addr, func() error { return r.Signal(syscall.SIGSTOP) }, func() error { return r.Signal(syscall.SIGCONT) })
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
}

func TestStopped(t *testing.T) {
	r, err := box.Redis()
	if err != nil {
		t.Fatal(err)
	}
	away(t, r.Addr, r.Stop, r.Start)
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
}

// A server restarted has no script yet.
func TestScriptFlushed(t *testing.T) {
	db := redis.NewUniversalClient(options(server.Addr))
	s := mustNew(t, db, t.Name()+":")
	for range 3 {
		if err := db.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Try(t.Context(), statetest.Try(1, 0, statetest.Now, statetest.Terms())); err != nil {
			t.Fatal(err)
		}
	}
}

// No room in the server is an answer, not an absence.
func TestRefused(t *testing.T) {
	r, err := box.Redis("--appendonly", "no", "--maxmemory", "1", "--maxmemory-policy", "noeviction")
	if err != nil {
		t.Fatal(err)
	}
	s := mustNew(t, redis.NewUniversalClient(options(r.Addr)), "tg:")
	_, err = s.Try(t.Context(), statetest.Try(1, 0, statetest.Now, statetest.Terms()))
	if !redis.HasErrorPrefix(err, "OOM") || errors.Is(err, state.ErrAway) {
		t.Error(err)
	}
	if err := s.Remember(t.Context(), []state.ID{{1}}, statetest.Now, time.Hour); !redis.HasErrorPrefix(err, "OOM") {
		t.Error(err)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
}

// A server that does not let us in says so in the words of whoever set it up.
func TestDenied(t *testing.T) {
	r, err := box.Redis("--appendonly", "no", "--requirepass", "secret")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]string{"": "the server wants a password: NOAUTH", "wrong": "wrong password or user name: WRONGPASS"} {
		o := options(r.Addr)
		o.Password = password
		s := mustNew(t, redis.NewUniversalClient(o), "tg:")
		access := state.NewAccess(s, harness.Patience, func() time.Time { return statetest.Now })
		known, err := access.Correspondents(state.DefaultCorrespondentLife)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := known.Wrote(t.Context(), "a@example.org", "b@example.com", statetest.Now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", password, err)
		}
		if st := access.Status(); !strings.Contains(st.Error, want) {
			t.Errorf("%q: %+v", password, st)
		}
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
}

func TestNeedsDeadlines(t *testing.T) {
	o := options(server.Addr)
	o.ContextTimeoutEnabled = false
	for _, cluster := range []bool{false, true} {
		o.IsClusterMode = cluster
		db := redis.NewUniversalClient(o)
		if _, err := New(db, "tg:"); !errors.Is(err, ErrClient) {
			t.Error(cluster, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What a script returns, if it is not ours.
func FuzzAnswer(f *testing.F) {
	f.Add(int64(1), int64(300000), 2, "x")
	f.Add(int64(4), int64(0), 2, "")
	f.Add(int64(0), int64(-1), 1, "y")
	f.Add(int64(6), int64(300001), 3, "")
	f.Fuzz(func(t *testing.T, reason, wait int64, n int, other string) {
		replies := []any{nil, other, reason, []any{reason, other}, []any{other, wait}}
		for i := range min(max(n, 0), 5) {
			list := make([]any, i)
			for k := range list {
				list[k] = []int64{reason, wait}[k%2]
			}
			replies = append(replies, list)
		}
		delay := 5 * time.Minute
		for _, reply := range replies {
			a, err := answer(reply, delay)
			if err != nil {
				if !errors.Is(err, ErrReply) {
					t.Fatal(err)
				}
				continue
			}
			if a.Wait < 0 || a.Wait > delay || a.Pass != (a.Wait == 0) || a.Reason == "" {
				t.Fatalf("%v: %+v", reply, a)
			}
		}
	})
}

func FuzzWithin(f *testing.F) {
	for _, s := range []string{"", "1795435200000", "-1", "+1", "1_000", "0x1", "9223372036854775807", "999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if within(s, statetest.Now, time.Hour) && !within(s, statetest.Now.Add(-time.Hour), time.Hour) {
			t.Fatalf("%q: remembered, and not an hour before", s)
		}
	})
}

func BenchmarkTry(b *testing.B) {
	s := mustNew(b, redis.NewUniversalClient(options(server.Addr)), "bench:")
	terms := statetest.Terms()
	terms.AutoWhitelist = 0
	b.RunParallel(func(p *testing.PB) {
		for n := 0; p.Next(); n++ {
			if _, err := s.Try(context.Background(), statetest.Try(n%1000, n, statetest.Now, terms)); err != nil {
				b.Error(err)
			}
		}
	})
}
