package milter

import (
	"container/list"
	"errors"
	"sync"
)

// An MTA says nothing between DATA and the content: it takes the whole message
// from its client first, however slowly that sends, and its own limit is one for
// each read (Postfix: smtpd_timeout). So no limit of ours applies there; what such
// connections hold is little, and their number is bounded.

// errOldest ends a connection that has waited for content the longest.
var errOldest = errors.New("too many wait for content")

// awaiting are the connections on which DATA was said and nothing since, the oldest
// first.
type awaiting struct {
	mu      sync.Mutex
	most    int
	conns   list.List // of *conn
	dropped int64
}

// add notes a connection. Beyond the number that may wait the oldest is returned:
// it is to end.
func (a *awaiting) add(c *conn) (oldest *conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.waits = a.conns.PushBack(c)
	if a.conns.Len() <= a.most {
		return nil
	}
	oldest = a.conns.Remove(a.conns.Front()).(*conn)
	oldest.waits, oldest.dropped = nil, true
	a.dropped++
	return oldest
}

// remove forgets a connection on which something was said, or that has ended. It
// tells whether that was too late.
func (a *awaiting) remove(c *conn) (dropped bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.waits != nil {
		a.conns.Remove(c.waits)
		c.waits = nil
	}
	return c.dropped
}

// count is how many wait, and how many were ended for waiting the longest.
func (a *awaiting) count() (now int, dropped int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.conns.Len(), a.dropped
}

// awaitContent is called at DATA.
func (c *conn) awaitContent() {
	c.parked = true
	if oldest := c.server.awaiting.add(c); oldest != nil {
		oldest.turn.ask(oldest, atOnce)
	}
}

// resume is called when the MTA has said something.
func (c *conn) resume() error {
	if !c.parked {
		return nil
	}
	c.parked = false
	if c.server.awaiting.remove(c) {
		return errOldest
	}
	return nil
}
