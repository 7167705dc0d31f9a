package statetest

import (
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/state"
)

// both are two handles on one store, where it can be shared.
func both(t *testing.T, o Open) [2]state.Store {
	s := open(t, o)
	if s.Kind() == "redis" {
		return [2]state.Store{s, open(t, o)}
	}
	return [2]state.Store{s, s}
}

// together asks n times at once and counts the answers.
func together(t *testing.T, stores [2]state.Store, n int, one func(i int) state.Try) map[state.Reason]int {
	t.Helper()
	got := map[state.Reason]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			a, err := stores[i%2].Try(t.Context(), one(i))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[a.Reason]++
		})
	}
	close(start)
	wg.Wait()
	return got
}

// Whoever races, one is the first.
func testRace(t *testing.T, o Open) {
	stores := both(t, o)
	const n = 32
	for triplet := range 5 {
		terms := Terms()
		same := func(at time.Time) func(int) state.Try {
			return func(int) state.Try { return Try(1, triplet, at, terms) }
		}
		if got := together(t, stores, n, same(Now)); got[state.New] != 1 || got[state.Early] != n-1 {
			t.Fatalf("first: %v", got)
		}
		if got := together(t, stores, n, same(Now.Add(time.Hour))); got[state.Retried] != 1 ||
			got[state.Known] != n-1 && (triplet < 4 || got[state.AutoWhitelisted] != n-1) {
			t.Fatalf("triplet %d, again: %v", triplet, got)
		}
	}
}

// Of many triplets that pass at once as many as are asked for pass by
// themselves, and the rest on the white list.
func testRaceNetwork(t *testing.T, o Open) {
	stores := both(t, o)
	const n = 32
	terms := Terms()
	if got := together(t, stores, n, func(i int) state.Try { return Try(1, i, Now, terms) }); got[state.New] != n {
		t.Fatal(got)
	}
	got := together(t, stores, n, func(i int) state.Try { return Try(1, i, Now.Add(time.Hour), terms) })
	if got[state.Retried] != terms.AutoWhitelist || got[state.AutoWhitelisted] != n-terms.AutoWhitelist {
		t.Fatal(got)
	}
}
