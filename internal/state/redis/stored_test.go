package redis

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/statetest"
)

// The keys are documented, and each of them expires.
func TestKeys(t *testing.T) {
	db := redis.NewUniversalClient(options(server.Addr))
	prefix := freshPrefix() // with -count, what a test left before does not live as long any more
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
	slot := prefix + "{grey:10.0.1.0/24}:"
	at, again, last := "1795435200000", "1795438800000", "1795442400000"
	want := map[string]string{
		slot + id(0): "p" + again, slot + id(1): "p" + again, slot + id(2): "w" + at, prefix + "corr:" + text(state.ID{1}): at,
	}
	life := map[string]time.Duration{slot + id(2): terms.Window, prefix + "corr:" + text(state.ID{1}): 90 * 24 * time.Hour}
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
