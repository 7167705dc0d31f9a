package dnscheck

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Resolver asks recursive servers and keeps their answers. It is safe for use
// by many goroutines.
type Resolver struct {
	total    time.Duration
	now      func() time.Time
	servers  *servers
	limiter  *limiter
	lists    reputations
	networks networks

	ctx    context.Context // of all flights; ended by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // of flights

	mu      sync.Mutex
	closed  bool
	cache   *cache
	flights map[question]*flight
	asked   int64 // by callers
	hits    int64 // answered from the cache
	joined  int64 // answered by a flight of another caller
}

// flight is a question under way, for however many wait for it. It outlives
// callers that give up: its answer serves those who come again.
type flight struct {
	done   chan struct{}
	answer *answer // after done
	err    error
}

// New makes a resolver; it asks nothing yet.
func New(c Config) (*Resolver, error) {
	c = c.withDefaults()
	addrs, err := c.servers()
	if err != nil {
		return nil, err
	}
	s := &servers{try: c.Try, now: c.Now, ask: exchange}
	for _, addr := range addrs {
		s.all = append(s.all, &server{addr: addr})
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Resolver{
		total: c.Total, now: c.Now, servers: s, limiter: newLimiter(c.InFlight), lists: reputations{log: c.Log}, networks: newNetworks(),
		ctx: ctx, cancel: cancel,
		cache: newCache(c.CacheEntries), flights: make(map[question]*flight),
	}, nil
}

// Close ends all questions under way and waits until they have ended. Later
// ones fail.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.wg.Wait()
}

// lookup is the answer to q, from the cache, from a flight under way or from
// one of its own. A failure wraps ErrTemporary.
func (r *Resolver) lookup(ctx context.Context, q question) (*answer, error) {
	r.mu.Lock()
	r.asked++
	if a := r.cache.get(q, r.now()); a != nil {
		r.hits++
		r.mu.Unlock()
		return a, a.err
	}
	f, ok := r.flights[q]
	if ok {
		r.joined++
	} else {
		if r.closed {
			r.mu.Unlock()
			return nil, temporary(q, errClosed)
		}
		f = &flight{done: make(chan struct{})}
		r.flights[q] = f
		r.wg.Go(func() { r.fly(f, q) })
	}
	r.mu.Unlock()
	select {
	case <-f.done:
		return f.answer, f.err
	case <-ctx.Done():
		return nil, temporary(q, context.Cause(ctx))
	}
}

// fly brings the answer home.
func (r *Resolver) fly(f *flight, q question) {
	ctx, cancel := context.WithTimeoutCause(r.ctx, r.total, errTimeout)
	defer cancel()
	f.answer, f.err = r.resolve(ctx, q)
	keep := f.answer
	if f.err != nil {
		f.err = temporary(q, f.err)
		keep = &answer{err: f.err, ttl: failureTTL, octets: 128}
	}
	keep.expires = r.now().Add(keep.ttl)
	r.mu.Lock()
	// Having no place for the question says nothing of its answer.
	if !errors.Is(f.err, errBusy) && !errors.Is(f.err, context.Canceled) {
		r.cache.put(q, keep)
	}
	delete(r.flights, q)
	r.mu.Unlock()
	close(f.done)
}

// resolve asks for q, and for what the aliases found stand for.
func (r *Resolver) resolve(ctx context.Context, q question) (*answer, error) {
	ctx, place, err := r.limiter.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer place.leave()
	t := newTrail(q)
	for {
		m, err := r.servers.reply(ctx, t.q)
		if err != nil {
			return nil, err
		}
		done, err := t.follow(m)
		if err != nil {
			return nil, err
		}
		if done {
			t.answer.ttl = max(t.answer.ttl, minTTL)
			return &t.answer, nil
		}
	}
}

func temporary(q question, cause error) error {
	if errors.Is(cause, context.DeadlineExceeded) {
		cause = errTimeout
	}
	return fmt.Errorf("%w: %v: %w", ErrTemporary, q, cause)
}
