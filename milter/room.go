package milter

import (
	"cmp"
	"errors"
	"net"
	"slices"
	"syscall"
	"time"
)

// exhausted tells whether the process or the system is out of descriptors.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// makeRoom ends connections where descriptors have run out: those that say nothing would
// keep everybody else out for as long as they like. It tells how many are about to end.
//
// An MTA names its client as soon as the negotiation is answered, so only connections on
// which none was named can be spared, and among them neither the newest half, which may
// have come a moment ago, nor the oldest quarter: who comes in numbers does not displace
// who was there before. Sessions of clients are left alone.
func (s *Server) makeRoom() (ending int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var unnamed []*conn
	for c := range s.conns {
		switch c.turn.standing() {
		case isEnding:
			ending++
		case isUnnamed:
			unnamed = append(unnamed, c)
		}
	}
	if ending > 0 {
		return ending
	}
	slices.SortFunc(unnamed, func(a, b *conn) int { return cmp.Compare(a.number, b.number) })
	from, to := (len(unnamed)+3)/4, len(unnamed)/2
	if from >= to {
		return 0
	}
	for _, c := range unnamed[from:to] {
		c.turn.ask(c, whenBetween)
	}
	s.counts.spared.Add(int64(to - from))
	return to - from
}

// standing is what a connection is to who needs its descriptor.
type standing uint8

const (
	isNamed standing = iota
	isUnnamed
	isEnding
)

func (t *turn) standing() standing {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.urgency != goOn && t.phase == between:
		return isEnding
	case t.named:
		return isNamed
	}
	return isUnnamed
}

// name notes that the MTA said more than its negotiation.
func (t *turn) name() {
	t.mu.Lock()
	t.named = true
	t.mu.Unlock()
}

// accept takes connections from one listener until it is closed. Passing
// errors (no descriptors left, a client that went away in the queue) are
// waited out: a milter that returns here would defer all mail.
func (s *Server) accept(ln net.Listener) {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause, failed := shortest, 0
	told, open := tick(-1), false // an error that was logged, and no end of it yet
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			if open {
				open = false
				s.log.Info("milter connections are accepted again", "listener", ln.Addr().String(), "failures", failed)
			}
			pause, failed = shortest, 0
			s.take(nc)
			continue
		case errors.Is(err, net.ErrClosed) || s.isStopped():
			return
		}
		ending := 0
		if exhausted(err) {
			ending = s.makeRoom()
		}
		// Said once for each while, however often one takes another's place.
		if failed++; (failed == 1 || pause == longest) && told != s.time() {
			told, open = s.time(), true
			s.log.Error("a milter connection cannot be accepted; trying on", "listener", ln.Addr().String(), "error", err, "closed_without_client", s.counts.spared.Load())
		}
		var room <-chan struct{} // nil: nothing is about to end
		if ending > 0 {
			room, pause = s.freed, shortest
		}
		select {
		case <-room:
		case <-time.After(pause):
		case <-s.context.Done():
			return
		}
		pause = min(2*pause, longest)
	}
}
