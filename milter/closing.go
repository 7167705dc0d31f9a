package milter

import (
	"errors"
	"sync"
	"time"
)

// errClosing ends a connection because the server stops.
var errClosing = errors.New("the server stops")

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

// closing is what a stopping server and a connection agree on.
type closing struct {
	mu      sync.Mutex
	phase   phase
	urgency urgency
}

func (l *closing) due() bool {
	return l.urgency == whenBetween && l.phase == between || l.urgency == atOnce && l.phase != inVerdict
}

// enter notes where the dialogue is; a connection that is to close does so
// before it next waits.
func (l *closing) enter(p phase) {
	l.mu.Lock()
	l.phase = p
	l.mu.Unlock()
}

// arm sets the deadline of the next read, or says that none is to follow.
func (l *closing) arm(c *conn, until time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.due() {
		return errClosing
	}
	if until.IsZero() {
		return nil
	}
	return c.Conn.SetReadDeadline(until)
}

// ask tells a connection to close; one that waits is woken.
func (l *closing) ask(c *conn, u urgency) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.urgency = max(l.urgency, u)
	if !l.due() {
		return
	}
	// A deadline in the past: a read under way returns, and its caller sees
	// why. Errors mean that the connection is closed already.
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	if u == atOnce {
		_ = c.Conn.SetWriteDeadline(time.Unix(1, 0))
	}
}

// asked tells whether a read ended because the server stops.
func (l *closing) asked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.due()
}
