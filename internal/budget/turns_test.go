package budget

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// work charges until done; running is how many do so beyond what is cheap.
func work(ctx context.Context, t *testing.T, charges int, running, most *atomic.Int64) {
	t.Helper()
	b := New(ctx, math.MaxInt64, math.MaxInt64)
	done := b.Share(ctx)
	defer done()
	for range charges / look {
		if err := b.Charge(look); err != nil {
			t.Error(err)
			return
		}
		if b.share.held {
			n := running.Add(1)
			for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
			}
			running.Add(-1)
		}
	}
}

// However many there are, no more are worked on at once than there are places, and
// all come to an end.
func TestTurns(t *testing.T) {
	turns := NewTurns(2)
	var running, most atomic.Int64
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			work(turns.In(t.Context(), fmt.Sprint("client", n%3)), t, 8*slice, &running, &most)
		})
	}
	all.Wait()
	if most.Load() > 2 {
		t.Errorf("%d at once", most.Load())
	}
	if turns.free != 2 || len(turns.ring) > 0 || len(turns.queues) > 0 {
		t.Errorf("left behind: %+v", turns)
	}
}

// What is cheap never waits, though nobody leaves.
func TestCheapNeverWaits(t *testing.T) {
	turns := NewTurns(1)
	if err := turns.enter(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	b := New(t.Context(), math.MaxInt64, math.MaxInt64)
	defer b.Share(turns.In(t.Context(), "b"))()
	for range cheap/look - 2 {
		if err := b.Charge(look); err != nil {
			t.Fatal(err)
		}
	}
}

// The places go round by client, however many wait of one.
func TestTurnsAreFair(t *testing.T) {
	turns := NewTurns(1)
	if err := turns.enter(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	var order []string
	var mu sync.Mutex
	var all sync.WaitGroup
	for n, client := range []string{"many", "many", "many", "one", "other"} {
		all.Go(func() {
			if err := turns.enter(t.Context(), client); err != nil {
				t.Error(err)
			}
			mu.Lock()
			order = append(order, client)
			mu.Unlock()
			turns.leave()
		})
		for turns.waiting() <= n { // in this order
			runtime.Gosched()
		}
	}
	turns.leave()
	all.Wait()
	third := strings.Join(order[:3], " ")
	if !strings.Contains(third, "one") || !strings.Contains(third, "other") {
		t.Errorf("%q", order)
	}
}

func (t *Turns) waiting() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.queues {
		n += len(q)
	}
	return n
}

// Who gives up takes nobody's place along.
func TestTurnsGivenUp(t *testing.T) {
	turns := NewTurns(1)
	if err := turns.enter(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() { gaveUp <- turns.enter(ctx, "b") }()
	for turns.waiting() == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	turns.leave()
	if turns.free != 1 || len(turns.ring) > 0 {
		t.Errorf("%+v", turns)
	}
}

// A message that is long in coming keeps no place meanwhile.
func TestArriving(t *testing.T) {
	turns := NewTurns(1)
	b := New(t.Context(), math.MaxInt64, math.MaxInt64)
	defer b.Share(turns.In(t.Context(), "slow"))()
	for range cheap / look {
		if err := b.Charge(look); err != nil {
			t.Fatal(err)
		}
	}
	if !b.share.held {
		t.Fatal("no place was taken")
	}
	r := b.Arriving(readerFunc(func([]byte) (int, error) {
		if turns.free != 1 {
			t.Error("the place is kept")
		}
		return 0, nil
	}))
	_, _ = r.Read(nil)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
