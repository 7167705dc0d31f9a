package milter

import (
	"context"
	"time"

	"github.com/tollgate-mail/tollgate/internal/unixsocket"
)

// Drain stops the server without cutting a message: no more connections are
// taken; SMTP sessions go on until they end by themselves or grace is over,
// then their connections are closed between two messages. When ctx ends, what
// is left is cut, but for verdicts being made: those are waited for (at most
// Limits.Verdict), because usage records may have been made. It returns when
// no connection is left, with ctx's error if any had to be cut.
func (s *Server) Drain(ctx context.Context, grace time.Duration) error {
	s.stop(goOn)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-s.empty:
		return nil
	case <-timer.C:
		s.stop(whenBetween)
		select {
		case <-s.empty:
			return nil
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
	s.stop(atOnce)
	<-s.empty
	return ctx.Err()
}

// Hurry ends connections between two messages from now on, when no more are taken.
func (s *Server) Hurry() {
	if s.isStopped() {
		s.stop(whenBetween)
	}
}

// Close stops the server and cuts every connection, but for verdicts being
// made.
func (s *Server) Close() { s.stop(atOnce) }

// stop closes the listeners, the first time, and asks all connections to end.
func (s *Server) stop(u urgency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.stopped = true
		for _, ln := range s.listeners {
			if err := ln.Close(); err != nil {
				s.log.Warn("closing a listener", "listener", ln.Addr().String(), "error", err)
			}
		}
	}
	if u > goOn {
		for c := range s.conns {
			c.turn.ask(c, u)
		}
	}
	s.signal()
}

// Status is what goes on.
type Status struct {
	Connections int   `json:"connections"` // now
	Total       int64 `json:"total"`       // connections taken since the start
	// Negotiated are those on which a milter session was begun: by Postfix, not
	// by what only tries whether the socket opens. Last is when, Unix time in
	// ms, 0 for never; Lull the longest time between two of them so far, in ms.
	Negotiated int64 `json:"negotiated"`
	Last       int64 `json:"last_negotiated_ms"`
	Lull       int64 `json:"longest_lull_ms"`
	Refused    int64 `json:"refused"`  // connections closed for want of room
	Spared     int64 `json:"spared"`   // that named no client, closed for want of descriptors
	Messages   int64 `json:"messages"` // that came to their end
	Lost       int64 `json:"lost"`     // connections closed for what they said, or lost
	Faults     int64 `json:"faults"`   // panics
	Draining   bool  `json:"draining"`
	// Awaiting are connections now on which a client is sending the content of a
	// message; of more than AwaitingMost the one that has waited the longest is
	// closed, AwaitingDropped times so far.
	Awaiting        int   `json:"awaiting_content"`
	AwaitingMost    int   `json:"awaiting_content_most"`
	AwaitingDropped int64 `json:"awaiting_content_dropped"`
	// Sockets are the unix sockets it listens on.
	Sockets []unixsocket.Status `json:"sockets"`
}

// Status tells what goes on.
func (s *Server) Status() Status {
	s.mu.Lock()
	now, draining := len(s.conns), s.stopped
	s.mu.Unlock()
	sockets := []unixsocket.Status{}
	for _, l := range s.sockets() {
		sockets = append(sockets, l.Status())
	}
	awaiting, dropped := s.awaiting.count()
	return Status{
		Sockets:  sockets,
		Awaiting: awaiting, AwaitingMost: s.awaiting.most, AwaitingDropped: dropped,
		Connections: now, Total: s.counts.total.Load(), Refused: s.counts.refused.Load(), Spared: s.counts.spared.Load(),
		Negotiated: s.counts.negotiated.Load(), Last: s.counts.last.Load(), Lull: s.counts.lull.Load(),
		Messages: s.counts.messages.Load(), Lost: s.counts.lost.Load(), Faults: s.counts.faults.Load(), Draining: draining,
	}
}

// sockets are those of its listeners that are on a path.
func (s *Server) sockets() []*unixsocket.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*unixsocket.Listener
	for _, ln := range s.listeners {
		if l, ok := ln.(*unixsocket.Listener); ok {
			all = append(all, l)
		}
	}
	return all
}
