package breaker

import (
	"testing"
	"time"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	b := &Breaker{Tolerated: 2, First: time.Second, Last: 3 * time.Second}
	admitted := func(want bool) Pass {
		t.Helper()
		p, ok := b.Admit(now)
		if ok != want {
			t.Errorf("at %s: admitted %t in state %s", now, ok, b.State(now))
		}
		return p
	}
	early := admitted(true)
	b.Fail(early, 1, now)
	b.Fail(admitted(true), 1, now)
	admitted(false)
	for _, wait := range []time.Duration{1, 2, 3, 3} { // twice as long each time, up to Last
		if got := b.RetryAt().Sub(now); got != wait*time.Second || b.State(now) != "open" {
			t.Errorf("it waits %s, not %ds: %s", got, wait, b.State(now))
		}
		now = b.RetryAt()
		if b.State(now) != "half-open" {
			t.Error(b.State(now))
		}
		try := admitted(true)
		admitted(false) // one at a time
		b.Fail(early, 1, now)
		admitted(false) // what was let through before says nothing new
		b.Fail(try, 1, now)
	}
	now = b.RetryAt()
	b.Release(admitted(true)) // came to nothing: another may try
	admitted(true)
	b.Succeed()
	if b.Open() || b.State(now) != "closed" {
		t.Error(b.State(now))
	}
	b.Fail(admitted(true), 1, now)
	admitted(true)
}
