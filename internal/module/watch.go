package module

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pingTime is the longest that a ping waits for its answer.
const pingTime = 5 * time.Second

// errPing is for pings that come while one is left behind.
var errPing = errors.New("an earlier ping has not ended")

// Watch pings the service every now and then until ctx ends, so that its
// health is known before a message needs it: at once, at intervals, when the
// breaker opens, and, if no ping was answered since, when it may be tried
// again. An answer closes the breaker of a service that had not answered pings.
func (g *Guard) Watch(ctx context.Context, every time.Duration) {
	// Holds the ping under way; one left behind bars others.
	pinging := make(chan struct{}, 1)
	for {
		g.ping(ctx, pinging)
		timer := time.NewTimer(g.record.nextPing(g.now(), every))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-g.record.opened:
			timer.Stop()
		}
	}
}

// ping pings once.
func (g *Guard) ping(watch context.Context, pinging chan struct{}) {
	ctx, cancel := context.WithTimeout(watch, pingTime)
	defer cancel()
	pass := g.record.admitPing(g.now())
	err := errPing
	select {
	case pinging <- struct{}{}:
		done := make(chan error, 1)
		go func() {
			_, err := protected(func() (Finding, error) { return Finding{}, g.inspector.Ping(ctx) })
			<-pinging
			done <- err
		}()
		select {
		case err = <-done:
		case <-ctx.Done():
			err = because(ErrTimeout, ctx.Err())
		}
	default:
	}
	if err != nil {
		err = fmt.Errorf("ping: %w", err)
	}
	g.record.pinged(pass, g.now(), err, watch.Err() != nil)
}

// admitPing makes a ping a try of the breaker, where one may be made. Pings go
// out in any case.
func (r *record) admitPing(now time.Time) pass {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, _ := r.breaker.admit(now)
	return p
}

// pinged is told what came of a ping.
func (r *record) pinged(p pass, now time.Time, err error, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		if r.silent {
			r.silent = false
			r.breaker.succeed()
		}
		r.breaker.release(p)
		r.result(true, now)
	case over:
		r.breaker.release(p)
	default:
		r.silent = true
		r.trip(p, now)
		r.failure(now, err)
	}
}

// nextPing is how long to wait with the next.
func (r *record) nextPing(now time.Time, every time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if wait := r.breaker.retryAt.Sub(now); r.breaker.wait != 0 && r.silent && wait > 0 {
		return min(wait, every)
	}
	return every
}
