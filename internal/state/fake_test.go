package state

import (
	"context"
	"net/netip"
	"os"
	"sync"
	"time"
)

// fake is a store in memory that may hang or fail.
type fake struct {
	mu       sync.Mutex
	networks map[netip.Prefix]*Network
	triplets map[ID]*Triplet
	pairs    map[ID]time.Time
	asked    int
	batches  []int
	hang     bool
	fail     error
	panics   bool
	closed   bool
}

// NewFake is the fake for tests outside of the package.
func NewFake() Store { return newFake() }

func newFake() *fake {
	return &fake{networks: map[netip.Prefix]*Network{}, triplets: map[ID]*Triplet{}, pairs: map[ID]time.Time{}}
}

func (f *fake) set(hang bool, fail error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hang, f.fail = hang, fail
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

func (f *fake) enter(ctx context.Context) error {
	f.mu.Lock()
	f.asked++
	hang, fail, panics := f.hang, f.fail, f.panics
	if f.closed {
		fail = os.ErrClosed
	}
	f.mu.Unlock()
	if panics {
		panic("fake")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return fail
}

func (f *fake) Try(ctx context.Context, t Try) (Answer, error) {
	if err := f.enter(ctx); err != nil {
		return Answer{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.networks[t.Network] == nil {
		f.networks[t.Network] = &Network{}
	}
	if f.triplets[t.Triplet] == nil {
		f.triplets[t.Triplet] = &Triplet{}
	}
	a, _ := t.Judge(f.networks[t.Network], f.triplets[t.Triplet])
	return a, nil
}

func (f *fake) Remember(ctx context.Context, ids []ID, now time.Time, _ time.Duration) error {
	if err := f.enter(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches = append(f.batches, len(ids))
	for _, id := range ids {
		f.pairs[id] = now
	}
	return nil
}

func (f *fake) Remembered(ctx context.Context, id ID, now time.Time, life time.Duration) (bool, error) {
	if err := f.enter(ctx); err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok := f.pairs[id]
	return ok && now.Sub(at) < life, nil
}

func (f *fake) Kind() string { return "fake" }

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

// Open opens it again.
func (f *fake) Open() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = false
}
