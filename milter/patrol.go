package milter

import "time"

// tick is a time, counted by the server's patrol: exact enough for limits of
// seconds, and read at the cost of a memory access. A timer of its own for
// each read and each verdict would be a good part of what a message costs.
type tick int64

// tickLength is how exactly limits are kept.
func tickLength(l Limits) time.Duration {
	shortest := min(l.Negotiation, l.Frame, l.Idle, l.Write, l.Progress, l.Verdict)
	return min(max(shortest/10, 5*time.Millisecond), time.Second)
}

func (s *Server) time() tick { return tick(s.now.Load()) }

// after is the first tick at which d has surely passed.
func (s *Server) after(d time.Duration) tick {
	return s.time() + tick((d+s.step-1)/s.step) + 1
}

// patrol keeps the limits of all connections until the server has ended.
func (s *Server) patrol() {
	t := time.NewTicker(s.step)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-s.context.Done():
			return
		}
		now := tick(s.now.Add(1))
		s.mu.Lock()
		for c := range s.conns {
			c.turn.check(c, now)
		}
		s.mu.Unlock()
	}
}
