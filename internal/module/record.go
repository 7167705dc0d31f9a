package module

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/breaker"
)

const (
	tolerated = 5 // failures in a row that open a breaker
	unheard   = 3 // of them stand for a ping without an answer
	firstWait = time.Second
	lastWait  = 30 * time.Second
)

// remembered is how many results Health looks back on.
const remembered = 20

// record is how an inspector fared: its places, its breaker, its results.
type record struct {
	// places has one element for each inspection in place; nil: no limit.
	places chan struct{}
	// opened tells PingEvery that the breaker has opened, doubt that an inspection
	// failed, which may be the message's fault or the service's.
	opened, doubt chan struct{}

	mu          sync.Mutex
	breaker     breaker.Breaker
	silent      bool // pings have failed, nothing has succeeded since
	health      Health
	lastSuccess time.Time           // of an inspection
	results     ring[bool]          // of pings too; true is success
	latencies   ring[time.Duration] // of successful inspections
}

func newRecord(parallel int, now time.Time) *record {
	r := &record{opened: make(chan struct{}, 1), doubt: make(chan struct{}, 1), health: Health{State: unknown, Since: now}, breaker: breaker.Breaker{Tolerated: tolerated, First: firstWait, Last: lastWait}}
	if parallel > 0 {
		r.places = make(chan struct{}, parallel)
	}
	return r
}

// admit gives an inspection its pass.
func (r *record) admit(i *Inspection) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ok bool
	if i.pass, ok = r.breaker.Admit(i.begun); !ok {
		r.health.Spared++
		return r.away()
	}
	return nil
}

func (r *record) away() error { return fmt.Errorf("%w, last: %s", ErrAway, r.health.LastError) }

// take waits for a place. It is no use any more when ctx has ended, or the
// breaker opened, meanwhile.
func (r *record) take(ctx context.Context, i *Inspection) error {
	if r.places != nil {
		select {
		case r.places <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	err := ctx.Err()
	if err == nil && i.pass == 0 && r.breaker.Open() {
		err = r.away()
	}
	if err != nil {
		if r.places != nil {
			<-r.places
		}
		return err
	}
	i.placed = i.guard.now()
	r.health.Running++
	return nil
}

// leave frees the place of an inspection that has ended.
func (r *record) leave() {
	r.mu.Lock()
	r.health.Running--
	r.mu.Unlock()
	if r.places != nil {
		<-r.places
	}
}

// excuse is for an inspection that neither succeeded nor failed.
func (r *record) excuse(i *Inspection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.breaker.Release(i.pass)
}

// spared is for an inspection during whose wait the breaker opened.
func (r *record) spared(i *Inspection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.breaker.Release(i.pass)
	r.health.Spared++
}

func (r *record) succeeded(i *Inspection, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.breaker.Succeed()
	r.silent = false
	r.lastSuccess = now
	r.health.Inspected++
	r.latencies.add(now.Sub(i.placed))
	r.success(now)
}

// failed counts a failure. Only a service that cannot be reached is away by it:
// an answer about one message, a connection that ends, a time-out may be what
// that message does to it, and a sender may send many of them. In doubt a ping
// finds out.
func (r *record) failed(i *Inspection, now time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	late := errors.Is(err, ErrTimeout)
	if late && i.placed.IsZero() && r.lastSuccess.After(i.begun) {
		r.breaker.Release(i.pass)
		return // it never had its turn, and others had
	}
	gone := unreachable(err)
	switch {
	case gone, late && i.pass != 0:
		r.trip(i.pass, 1, now)
	case i.pass != 0: // an answer, of a service that was given time
		r.breaker.Succeed()
		r.silent = false
	default:
		tell(r.doubt)
	}
	r.health.Failed++
	r.failure(now, err, gone)
}

// trip counts failures for the breaker.
func (r *record) trip(p breaker.Pass, count int, now time.Time) {
	closed := !r.breaker.Open()
	r.breaker.Fail(p, count, now)
	if closed && r.breaker.Open() {
		tell(r.opened)
	}
}

// tell wakes whoever waits for c, once.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // told, and not yet heard
	}
}

// failure is a failure for Health; gone means that the service is away.
func (r *record) failure(now time.Time, err error, gone bool) {
	r.health.LastError, r.health.LastErrorAt = err.Error(), now
	r.results.add(false)
	if gone || r.breaker.Open() {
		r.state(away, now)
		return
	}
	r.state(degraded, now)
}

// success is one for Health.
func (r *record) success(now time.Time) {
	r.results.add(true)
	state := up
	for _, success := range r.results.all() {
		if !success {
			state = degraded
		}
	}
	r.state(state, now)
}

func (r *record) state(state string, now time.Time) {
	if r.health.State != state {
		r.health.State, r.health.Since = state, now
	}
}

// read is the health, but for a name.
func (r *record) read(now time.Time) Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.health
	h.Breaker, h.RetryAt = r.breaker.State(now), r.breaker.RetryAt()
	if all := r.latencies.all(); len(all) > 0 {
		for _, latency := range all {
			h.Latency += latency
			h.MaxLatency = max(h.MaxLatency, latency)
		}
		h.Latency /= time.Duration(len(all))
	}
	return h
}

// ring has the last values of a series, in no order.
type ring[T any] struct {
	values [remembered]T
	added  int
}

func (r *ring[T]) add(value T) {
	r.values[r.added%remembered] = value
	r.added++
}

func (r *ring[T]) all() []T { return r.values[:min(r.added, remembered)] }
