package milter

import (
	"errors"
	"sync"
	"time"
)

// errClosing ends a connection because the server stops, or needs its descriptor.
var errClosing = errors.New("the server has no use for it any more")

// phase is where a connection is in its dialogue.
type phase uint8

const (
	between   phase = iota // no message is under way
	inMessage              // after MAIL
	inVerdict              // at the end of a message: records may be made
)

// urgency is how much a server that stops asks of a connection.
type urgency uint8

const (
	goOn        urgency = iota
	whenBetween         // close when no message is under way
	atOnce              // close, unless a verdict is being made
)

// past is a deadline that has passed: it ends what waits.
var past = time.Unix(1, 0)

// turn is whose turn it is on a connection, and for how long: shared by the
// connection, the patrol and a server that stops.
type turn struct {
	mu      sync.Mutex
	phase   phase
	urgency urgency
	named   bool     // the MTA said more than its negotiation
	until   tick     // when waiting for the MTA: how long; 0: not waiting
	verdict *waiting // the verdict being made
}

// due tells whether the connection is to close. mu is held.
func (t *turn) due() bool {
	return t.urgency == whenBetween && t.phase == between || t.urgency == atOnce && t.phase != inVerdict
}

// enter notes where the dialogue is. A connection that is to close does so
// before it next waits.
func (t *turn) enter(p phase) {
	t.mu.Lock()
	t.phase = p
	t.mu.Unlock()
}

// wait begins to wait for the MTA, to read or to write.
func (t *turn) wait(until tick) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.due() {
		return errClosing
	}
	t.until = until
	return nil
}

// heard ends waiting. It tells whether the connection is to close.
func (t *turn) heard() (closing bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until = 0
	return t.due()
}

// judge begins or, with nil, ends a verdict.
func (t *turn) judge(w *waiting) {
	t.mu.Lock()
	t.verdict = w
	if w != nil {
		t.phase = inVerdict
	}
	t.mu.Unlock()
}

// check is the patrol's look at the connection.
func (t *turn) check(c *conn, now tick) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until != 0 && now >= t.until {
		t.wake(c)
	}
	if t.verdict != nil {
		t.verdict.check(now)
	}
}

// ask tells a connection to close; one that waits is woken.
func (t *turn) ask(c *conn, u urgency) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.urgency = max(t.urgency, u)
	if t.due() {
		t.wake(c)
	}
}

// wake ends a read or write under way, and every later one. Errors mean that
// the connection is closed already.
func (t *turn) wake(c *conn) { _ = c.Conn.SetDeadline(past) }
