package simulate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var oneSeed = flag.Uint64("seed", 0, "the seed for TestOneSeed")

// A run leaves nothing behind and makes 20 MB of garbage: collected rarely, it costs
// a third less.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}

// seeds of a run of the tests: as many as SIMULATE_SEEDS says.
func seeds(t testing.TB, usual uint64) uint64 {
	text := os.Getenv("SIMULATE_SEEDS")
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal("SIMULATE_SEEDS: ", err)
	}
	return n
}

// search runs seeds from 1 on until one fails or all have run; the lowest that
// failed, with why, or 0.
func search(n uint64, with func(seed uint64) Options) (seed uint64, why error) {
	var next, failed atomic.Uint64
	var mu sync.Mutex
	failed.Store(n + 1)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			in := newInterpreter()
			for {
				s := next.Add(1)
				if s >= failed.Load() || s > n {
					return
				}
				w := New(with(s))
				w.in = in
				err := w.Run()
				if err == nil {
					continue
				}
				mu.Lock()
				if s < failed.Load() {
					failed.Store(s)
					seed, why = s, err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return seed, why
}

// Whatever happens, nothing is lost and nothing is counted twice.
func TestSeeds(t *testing.T) {
	n := seeds(t, usual)
	begin := time.Now()
	if seed, err := search(n, func(seed uint64) Options { return Options{Seed: seed, Faults: true} }); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	t.Logf("%d seeds, %.0f/s", n, float64(n)/time.Since(begin).Seconds())
}

// The same with the embedded store, whose file is set back.
func TestSeedsEmbedded(t *testing.T) {
	n := seeds(t, usual)/20 + 1
	dir := t.TempDir()
	if seed, err := search(n, func(seed uint64) Options {
		return Options{Seed: seed, Faults: true, Backing: &File{Path: filepath.Join(dir, strconv.FormatUint(seed, 10))}}
	}); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
}

// One seed again, to look at.
func TestOneSeed(t *testing.T) {
	if *oneSeed == 0 {
		t.Skip("-seed names none")
	}
	w := New(Options{Seed: *oneSeed, Faults: true})
	if err := w.Run(); err != nil {
		t.Error(err)
	}
	t.Log(w.Trace())
}

// Seeds that once found a bug.
func TestSeedsThatFailed(t *testing.T) {
	for _, seed := range []uint64{
		6, // a clock that was set back made the drain wait as long again, and again
	} {
		if err := New(Options{Seed: seed, Faults: true}).Run(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// Without faults all goes straight through.
func TestWithoutFaults(t *testing.T) {
	if seed, err := search(50, func(seed uint64) Options { return Options{Seed: seed} }); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
}

// One seed gives one trace.
func TestTraceIsTheSeeds(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		var traces [2]string
		for i := range traces {
			w := New(Options{Seed: seed, Faults: true})
			traces[i] = fmt.Sprint(w.Run(), w.Trace())
		}
		if traces[0] != traces[1] {
			t.Fatalf("seed %d: %s, then %s", seed, traces[0], traces[1])
		}
	}
}

// BenchmarkSeed is one run.
func BenchmarkSeed(b *testing.B) {
	in := newInterpreter()
	for i := range b.N {
		w := New(Options{Seed: uint64(i), Faults: true})
		w.in = in
		if err := w.Run(); err != nil {
			b.Fatalf("seed %d: %v", i, err)
		}
	}
}
