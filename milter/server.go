package milter

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Limits are how long things may take. Those of Postfix: 30 s for a command,
// 300 s for the end of a message (milter_command_timeout,
// milter_content_timeout).
type Limits struct {
	Negotiation time.Duration // from the connection to a complete negotiation
	Frame       time.Duration // for a frame that has begun to arrive
	Idle        time.Duration // between frames: an SMTP client may be slow
	Write       time.Duration // for what is due to be taken by the MTA
	Progress    time.Duration // between signs of life while a verdict is made
	Verdict     time.Duration // for the end of a message; less than the MTA's
}

// Options of a server; zero values mean the defaults.
type Options struct {
	Log            *slog.Logger
	Now            func() time.Time // time.Now
	MaxConnections int              // 10000
	// MaxAwaiting is how many connections may wait for the content of a message,
	// which a client sends as slowly as it likes: beyond, the one that has waited
	// the longest is closed. Half of MaxConnections.
	MaxAwaiting int
	Limits      Limits
}

func defaultLimits() Limits {
	return Limits{
		Negotiation: 30 * time.Second,
		Frame:       30 * time.Second,
		Idle:        time.Hour,
		Write:       30 * time.Second,
		Progress:    10 * time.Second,
		Verdict:     240 * time.Second,
	}
}

func (l *Limits) complete() {
	def := defaultLimits()
	for _, d := range []struct{ is, def *time.Duration }{
		{&l.Negotiation, &def.Negotiation},
		{&l.Frame, &def.Frame},
		{&l.Idle, &def.Idle},
		{&l.Write, &def.Write},
		{&l.Progress, &def.Progress},
		{&l.Verdict, &def.Verdict},
	} {
		if *d.is <= 0 {
			*d.is = *d.def
		}
	}
}

// Server talks to MTAs on behalf of a gate.
type Server struct {
	gate   Gate
	log    *slog.Logger
	clock  func() time.Time
	limits Limits
	step   time.Duration // of now
	now    atomic.Int64  // in ticks
	most   int
	// awaiting are connections on which a client is sending content.
	awaiting awaiting
	budget   *budget
	next     chan *conn    // to those who wait for a connection
	idle     atomic.Int64  // how many do
	freed    chan struct{} // a connection has ended
	macros   []byte        // that are asked for

	context context.Context // of all sessions; ends with Close
	cancel  context.CancelFunc

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[*conn]struct{}
	stopped   bool          // takes no more connections
	empty     chan struct{} // closed when stopped and without connections
	full      bool          // the limit was met, and that was logged
	counts    counts
}

type counts struct {
	total, refused, messages, lost, faults atomic.Int64
	negotiated, last, lull                 atomic.Int64
	spared                                 atomic.Int64 // ended for want of descriptors
}

// session counts one that was begun at that time.
func (c *counts) session(now time.Time) {
	c.negotiated.Add(1)
	at := now.UnixMilli()
	if before := c.last.Swap(at); before > 0 && at-before > c.lull.Load() {
		c.lull.Store(at - before) // two at once may write the shorter one: it is a rule of thumb
	}
}

// New makes a server.
func New(g Gate, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = 10000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxAwaiting <= 0 {
		o.MaxAwaiting = max(o.MaxConnections/2, 1)
	}
	o.Limits.complete()
	s := &Server{
		gate: g, log: o.Log, clock: o.Now, limits: o.Limits, most: o.MaxConnections,
		step:   tickLength(o.Limits),
		budget: newBudget(unfinishedTotal), macros: macroLists(),
		conns: make(map[*conn]struct{}), empty: make(chan struct{}), next: make(chan *conn),
		freed: make(chan struct{}, 1),
	}
	s.awaiting.most = o.MaxAwaiting
	s.context, s.cancel = context.WithCancel(context.Background())
	return s
}

// Serve takes connections from the listeners until Drain or Close is called
// or ctx ends (which is as Close), and returns when the last connection has
// ended. The listeners are closed then. It is called once.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	if !s.listen(listeners) {
		return net.ErrClosed
	}
	defer context.AfterFunc(ctx, s.Close)()
	var loops, keepers sync.WaitGroup
	keepers.Go(s.patrol)
	for _, l := range s.sockets() {
		keepers.Go(func() { l.Keep(s.context, "milter socket", s.log) })
	}
	for _, ln := range listeners {
		loops.Go(func() { s.accept(ln) })
	}
	loops.Wait()
	<-s.empty
	s.cancel()
	keepers.Wait()
	return nil
}

// listen makes the listeners the server's own; false after Drain or Close.
func (s *Server) listen(listeners []net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		for _, ln := range listeners {
			_ = ln.Close() // never used
		}
		return false
	}
	s.listeners = listeners
	return true
}

func (s *Server) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// take starts the conversation on a connection, if there is room for it.
func (s *Server) take(nc net.Conn) {
	s.mu.Lock()
	if s.stopped || len(s.conns) >= s.most {
		told := s.full || s.stopped
		s.full = true
		s.mu.Unlock()
		if !told {
			s.log.Error("too many milter connections: further ones are closed", "limit", s.most)
		}
		s.counts.refused.Add(1)
		_ = nc.Close() // nothing was said on it
		return
	}
	s.full = false
	c := newConn(s, nc)
	c.number = s.counts.total.Add(1)
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	select {
	case s.next <- c:
	default:
		go s.work(c)
	}
}

// mostIdle is how many goroutines wait for further connections.
const mostIdle = 64

// work converses on a connection, and then on others: the stack that a conversation
// needs has grown once then, which is worth a good part of what a message costs.
func (s *Server) work(c *conn) {
	for {
		s.converse(c)
		if s.idle.Add(1) > mostIdle {
			s.idle.Add(-1)
			return
		}
		select {
		case c = <-s.next:
			s.idle.Add(-1)
		case <-s.empty:
			return
		}
	}
}

// forget is called by a connection that has ended.
func (s *Server) forget(c *conn) {
	s.awaiting.remove(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.signal()
	select {
	case s.freed <- struct{}{}:
	default: // it is known
	}
}

// signal tells whoever waits that nothing is left. s.mu is held.
func (s *Server) signal() {
	if s.stopped && len(s.conns) == 0 {
		select {
		case <-s.empty:
		default:
			close(s.empty)
		}
	}
}
