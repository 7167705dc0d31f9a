package redis

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/statetest"
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
	// Longer than the guard has patience: it is the guard that must end it.
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = time.Minute, time.Minute, time.Minute
	s := mustNew(t, redis.NewUniversalClient(o), t.Name()+":")
	clock := &clock{at: statetest.Now}
	guard := state.NewGuard(s, 200*time.Millisecond, clock.now)
	list, err := guard.Greylist(state.DefaultGreylist())
	if err != nil {
		t.Fatal(err)
	}
	known, err := guard.Correspondents(state.DefaultCorrespondentLife)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (state.Answer, error) {
		return list.Check(t.Context(), netip.MustParseAddr("192.0.2.1"), "a@example.com", "b@example.org", clock.now())
	}
	if a, err := ask(); err != nil || a.Reason != state.New {
		t.Fatal(a, err)
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
		if st := guard.Status(); !st.Away || st.Error == "" || st.Kind != "redis" {
			t.Fatalf("%+v", st)
		}
		if err := start(); err != nil {
			t.Fatal(err)
		}
		// A started server may load yet, and a connection of before be broken.
		for tries := 0; ; tries++ {
			clock.pass(time.Minute)
			if _, err = ask(); err == nil {
				break
			}
			if tries == 50 {
				t.Fatal(err)
			}
		}
		if st := guard.Status(); st.Away || st.Error != "" {
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

// The keys are documented, and each of them expires.
func TestKeys(t *testing.T) {
	db := redis.NewUniversalClient(options(server.Addr))
	prefix := "keys:"
	s := mustNew(t, db, prefix)
	ctx := t.Context()
	terms := statetest.Terms()
	terms.AutoWhitelist = 2
	must := func(try state.Try) {
		t.Helper()
		if _, err := s.Try(ctx, try); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		must(statetest.Try(1, i, statetest.Now, terms))
	}
	must(statetest.Try(1, 0, statetest.Now.Add(time.Hour), terms))
	must(statetest.Try(1, 1, statetest.Now.Add(time.Hour), terms))
	must(statetest.Try(1, 2, statetest.Now.Add(2*time.Hour), terms))
	if err := s.Remember(ctx, []state.ID{{1}}, statetest.Now, 90*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	id := func(triplet int) string { return text(statetest.Try(1, triplet, statetest.Now, terms).Triplet) }
	const slot = "keys:{grey:10.0.1.0/24}:"
	at, again, last := "1795435200000", "1795438800000", "1795442400000"
	want := map[string]string{
		slot + id(0): "p" + again, slot + id(1): "p" + again, slot + id(2): "w" + at, "keys:corr:" + text(state.ID{1}): at,
	}
	life := map[string]time.Duration{slot + id(2): terms.Window, "keys:corr:" + text(state.ID{1}): 90 * 24 * time.Hour}
	keys, err := db.Keys(ctx, prefix+"*").Result()
	if err != nil || len(keys) != 5 {
		t.Fatal(keys, err)
	}
	for _, k := range keys {
		if life[k] == 0 {
			life[k] = terms.Life
		}
		if ttl := db.PTTL(ctx, k).Val(); ttl > life[k] || ttl < life[k]-time.Minute {
			t.Errorf("%s expires after %v, not %v", k, ttl, life[k])
		}
		if k == slot+"passed" {
			if got := fmt.Sprint(db.HGetAll(ctx, k).Val()); got != fmt.Sprint(map[string]string{"last": last, id(0): "", id(1): ""}) {
				t.Error(got)
			}
		} else if got := db.Get(ctx, k).Val(); got != want[k] {
			t.Errorf("%s: %q", k, got)
		}
		t.Logf("%s: %d octets", k, db.MemoryUsage(ctx, k).Val())
	}
}

// What nobody of ours wrote is as if it were not there, or an error; never
// does it let mail wait for longer than the delay.
func TestStrangeValues(t *testing.T) {
	db := redis.NewUniversalClient(options(server.Addr))
	s := mustNew(t, db, "strange:")
	ctx := t.Context()
	terms := statetest.Terms()
	try := statetest.Try(1, 0, statetest.Now, terms)
	slot := "strange:{grey:" + try.Network.String() + "}:"
	triplet, network, pair := slot+text(try.Triplet), slot+"passed", "strange:corr:"+text(state.ID{1})
	for _, v := range []string{"", "w", "p", "x1795435200000", "w-1", "p1e9", "wnan", "pinf", "w0x10", "w 1", "p99999999999999999999", "\x00\xff", "w1.5"} {
		if err := db.Set(ctx, triplet, v, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if err := db.Del(ctx, network).Err(); err != nil {
			t.Fatal(err)
		}
		if err := db.HSet(ctx, network, "last", v, "a", "", "b", "", "c", "", "d", "", "e", "", "f", "").Err(); err != nil {
			t.Fatal(err)
		}
		if a, err := s.Try(ctx, try); err != nil || a != (state.Answer{Wait: terms.Delay, Reason: state.New}) {
			t.Errorf("%q: %+v %v", v, a, err)
		}
		if err := db.Set(ctx, pair, v, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if ok, err := s.Remembered(ctx, state.ID{1}, statetest.Now, time.Hour); ok || err != nil {
			t.Errorf("%q: %v %v", v, ok, err)
		}
	}
	for _, k := range []string{triplet, network, pair} {
		if err := db.Del(ctx, triplet, network, pair).Err(); err != nil {
			t.Fatal(err)
		}
		if err := db.RPush(ctx, k, "x").Err(); err != nil {
			t.Fatal(err)
		}
		_, err := s.Try(ctx, try)
		if k == pair {
			_, err = s.Remembered(ctx, state.ID{1}, statetest.Now, time.Hour)
		}
		if err == nil || errors.Is(err, state.ErrAway) {
			t.Errorf("%s is a list: %v", k, err)
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
