package module

import "time"

const (
	tolerated = 5 // failures in a row that open a breaker
	unheard   = 3 // of them stand for a ping without an answer
	firstWait = time.Second
	lastWait  = 30 * time.Second
)

// breaker is a circuit breaker: it opens after failures in a row, and then
// lets one try through at a time, each after twice the wait of the one before.
type breaker struct {
	row     int           // failures since the last success
	wait    time.Duration // between tries; 0: closed
	retryAt time.Time     // when open
	tries   pass          // made so far
	try     pass          // the one under way
}

// pass is what lets something through a breaker: 0 where it was closed,
// otherwise the number of a try.
type pass uint64

// admit gives a pass, if it may.
func (b *breaker) admit(now time.Time) (pass, bool) {
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

// succeed closes the breaker.
func (b *breaker) succeed() { *b = breaker{tries: b.tries} }

// fail counts failures of what p let through.
func (b *breaker) fail(p pass, count int, now time.Time) {
	b.row += count
	switch {
	case b.wait == 0 && b.row >= tolerated:
		b.wait = firstWait
	case b.wait != 0 && p != 0 && p == b.try:
		b.wait = min(2*b.wait, lastWait)
	default:
		// One that was let through before the breaker opened says nothing new.
		return
	}
	b.try = 0
	b.retryAt = now.Add(b.wait)
}

// release takes back a pass that came to nothing.
func (b *breaker) release(p pass) {
	if p != 0 && p == b.try {
		b.try = 0
	}
}

// state is as in Health.
func (b *breaker) state(now time.Time) string {
	switch {
	case b.wait == 0:
		return "closed"
	case now.Before(b.retryAt):
		return "open"
	}
	return "half-open"
}
