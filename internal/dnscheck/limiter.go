package dnscheck

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

var errBusy = errors.New("too many questions under way")

// grace is how long a question is safe from having to give its place away. A
// server that is alive answers sooner.
const grace = 250 * time.Millisecond

// limiter bounds the questions under way. Servers that do not answer must not
// take all places from those that do: when all are taken, the oldest that has
// had its grace has to go, and whoever has waited longest gets the place.
type limiter struct {
	max        int
	maxWaiting int

	mu      sync.Mutex
	running list.List // of *permit, the oldest first
	waiting list.List // of *permit, the first to come first
	leaving int       // of those running: told to go
	evicted int64     // all told to go so far
	most    int       // that ever ran
	timer   *time.Timer
}

// permit is a place, or the wait for one.
type permit struct {
	l      *limiter
	el     *list.Element // in running or waiting
	ready  chan struct{} // closed when running
	since  time.Time     // when it began to run
	told   bool          // to go
	cancel context.CancelCauseFunc
}

func newLimiter(places int) *limiter { return &limiter{max: places, maxWaiting: 8 * places} }

// enter waits for a place, to be left by the permit's leave. The context that
// it returns ends when the place is needed for another; errBusy is its cause
// then.
func (l *limiter) enter(ctx context.Context) (context.Context, *permit, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &permit{l: l, ready: make(chan struct{}), cancel: cancel}
	l.mu.Lock()
	switch {
	case l.running.Len() < l.max:
		l.start(p)
	case l.waiting.Len() >= l.maxWaiting:
		l.mu.Unlock()
		cancel(nil)
		return ctx, nil, errBusy
	default:
		p.el = l.waiting.PushBack(p)
		l.evict()
	}
	l.mu.Unlock()

	select {
	case <-p.ready:
		return ctx, p, nil
	case <-ctx.Done():
	}
	err := context.Cause(ctx)
	l.mu.Lock()
	select {
	case <-p.ready: // just now
		l.mu.Unlock()
		p.leave()
	default:
		l.waiting.Remove(p.el)
		l.mu.Unlock()
		cancel(nil)
	}
	return ctx, nil, err
}

func (l *limiter) start(p *permit) {
	p.since = time.Now()
	p.el = l.running.PushBack(p)
	l.most = max(l.most, l.running.Len())
	close(p.ready)
}

// leave gives the place to whoever has waited longest.
func (p *permit) leave() {
	l := p.l
	p.cancel(nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running.Remove(p.el)
	if p.told {
		l.leaving--
	}
	if el := l.waiting.Front(); el != nil {
		l.start(l.waiting.Remove(el).(*permit))
		l.evict() // the rest wait for this one too
	}
}

// evict tells as many of the oldest to go as others wait, and comes back when
// the next has had its grace.
func (l *limiter) evict() {
	need := l.waiting.Len() - l.leaving
	for el := l.running.Front(); el != nil && need > 0; el = el.Next() {
		p := el.Value.(*permit)
		if p.told {
			continue
		}
		if left := grace - time.Since(p.since); left > 0 {
			l.again(left)
			return
		}
		p.told = true
		l.leaving++
		l.evicted++
		need--
		p.cancel(errBusy)
	}
}

func (l *limiter) again(after time.Duration) {
	if l.timer != nil {
		l.timer.Reset(after)
		return
	}
	l.timer = time.AfterFunc(after, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.evict()
	})
}

// load is how many run, how many wait, the most that ever ran, and how many
// were told to go.
func (l *limiter) load() (running, waiting, most int, evicted int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running.Len(), l.waiting.Len(), l.most, l.evicted
}
