// Package breaker is the circuit breaker before services that may be away.
package breaker

import "time"

// Breaker is a circuit breaker: it opens after failures in a row, and then
// lets one try through at a time, each after twice the wait of the one before.
type Breaker struct {
	Tolerated   int           // failures in a row that open it
	First, Last time.Duration // the least wait between tries, and the most

	row     int           // failures since the last success
	wait    time.Duration // between tries; 0: closed
	retryAt time.Time     // when open
	tries   Pass          // made so far
	try     Pass          // the one under way
}

// Pass is what lets something through a breaker: 0 where it was closed,
// otherwise the number of a try.
type Pass uint64

// Admit gives a pass, if it may.
func (b *Breaker) Admit(now time.Time) (Pass, bool) {
	switch {
	case b.wait == 0:
		return 0, true
	case b.try != 0 || now.Before(b.retryAt):
		return 0, false
	}
	b.tries++
	b.try = b.tries
	return b.try, true
}

// Succeed closes the breaker.
func (b *Breaker) Succeed() { b.row, b.wait, b.retryAt, b.try = 0, 0, time.Time{}, 0 }

// Fail counts failures of what p let through.
func (b *Breaker) Fail(p Pass, count int, now time.Time) {
	b.row += count
	switch {
	case b.wait == 0 && b.row >= b.Tolerated:
		b.wait = b.First
	case b.wait != 0 && p != 0 && p == b.try:
		b.wait = min(2*b.wait, b.Last)
	default:
		// One that was let through before the breaker opened says nothing new.
		return
	}
	b.try = 0
	b.retryAt = now.Add(b.wait)
}

// Release takes back a pass that came to nothing.
func (b *Breaker) Release(p Pass) {
	if p != 0 && p == b.try {
		b.try = 0
	}
}

// State is closed, open or half-open.
func (b *Breaker) State(now time.Time) string {
	switch {
	case b.wait == 0:
		return "closed"
	case now.Before(b.retryAt):
		return "open"
	}
	return "half-open"
}

// Open tells whether it is open or half-open: only tries go through.
func (b *Breaker) Open() bool { return b.wait != 0 }

// RetryAt is when the next try may be made, where it is open.
func (b *Breaker) RetryAt() time.Time { return b.retryAt }
