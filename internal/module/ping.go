package module

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/internal/breaker"
	"github.com/tollgate-mail/tollgate/internal/nettext"
)

// pingTime is the longest that a ping waits for its answer.
const pingTime = 5 * time.Second

// errPing is for pings that come while one is left behind.
var errPing = errors.New("an earlier ping has not ended")

// PingEvery pings the service every now and then until ctx ends, so that its
// health is known before a message needs it: at once, at intervals, soon after
// an inspection failed, when the breaker opens, and when it may be tried again.
// An answer closes the breaker; no answer twice in a row, and no result of an
// inspection meanwhile, opens it.
//
// missing is told why, when the very first ping finds nobody, and never again;
// nil: nobody is told.
func (g *Guard) PingEvery(ctx context.Context, every time.Duration, missing func(error)) {
	// Holds the ping under way; one left behind bars others.
	pinging := make(chan struct{}, 1)
	for {
		if err := g.ping(ctx, pinging); err != nil && missing != nil {
			missing(err)
		}
		missing = nil
		timer := time.NewTimer(g.record.nextPing(g.now(), every))
		doubt := g.record.doubt
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-doubt:
				// However many fail, a ping a second finds out.
				doubt = nil
				timer.Reset(min(firstWait, every))
				continue
			case <-timer.C:
			case <-g.record.opened:
				timer.Stop()
			}
			waiting = false
		}
	}
}

// ping pings once. An error means that nobody is there.
func (g *Guard) ping(whole context.Context, pinging chan struct{}) error {
	ctx, cancel := context.WithTimeout(whole, pingTime)
	defer cancel()
	began := g.now()
	pass := g.record.admitPing(began)
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
		err = fmt.Errorf("ping: %w", nettext.Explain(err))
	}
	if !g.record.pinged(pass, began, g.now(), err, whole.Err() != nil) {
		return nil
	}
	return err
}

// admitPing makes a ping a try of the breaker, where one may be made. Pings go
// out in any case.
func (r *record) admitPing(now time.Time) breaker.Pass {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, _ := r.breaker.Admit(now)
	return p
}

// pinged is told what came of a ping, and tells whether nobody is there.
func (r *record) pinged(p breaker.Pass, began, now time.Time, err error, over bool) (gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.silent = false
		r.breaker.Succeed()
		r.success(now)
	case over:
		r.breaker.Release(p)
	case r.lastSuccess.After(began):
		// It has been busy with messages, and had results.
		r.breaker.Release(p)
	default:
		r.silent = true
		r.trip(p, unheard, now)
		r.failure(now, err, true)
		return true
	}
	return false
}

// nextPing is how long to wait with the next.
func (r *record) nextPing(now time.Time, every time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch wait := r.breaker.RetryAt().Sub(now); {
	case r.breaker.Open() && wait > 0:
		return min(wait, every)
	case r.silent:
		return min(firstWait, every)
	}
	return every
}
