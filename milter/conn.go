package milter

import (
	"container/list"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// maxReplies is how much waits to be written before it is written without
// anything being read: an MTA that does not take replies gets no memory.
const maxReplies = 64 << 10

var errWriting = errors.New("writing replies")

// conn is a guarded connection: what it gives out has been checked, and what is
// answered is gathered until something is to be read again.
type conn struct {
	net.Conn
	server  *Server
	raw     syscall.RawConn // nil where the connection has none
	tcp     bool
	opening tick // until when the negotiation must have come

	in      *input
	out     []byte // replies not yet written
	packet  int    // where in out the one begins that is being put
	failure error  // of a write

	number  int64    // of all connections, in the order in which they came
	opened  bool     // the negotiation has come
	named   bool     // and more
	session *session // from the negotiation on

	stalled    int  // the number of the frame that is waited for
	frameUntil tick // how long

	parked bool // DATA was said, and nothing since
	// Kept by the server's awaiting:
	waits   *list.Element // nil: it does not wait
	dropped bool          // it waited the longest of too many

	turn turn
	once sync.Once
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{Conn: nc, server: s, opening: s.after(s.limits.Negotiation)}
	_, c.tcp = nc.(*net.TCPConn)
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
		}
	}
	c.in = newInput(c, s.budget)
	return c
}

// next reads the next command into f. Macros and the content of messages go to the
// session here, as they come.
func (c *conn) next(f *frame) error {
	if err := c.flush(); err != nil {
		return err
	}
	for {
		err := c.in.next(f)
		if late := c.resume(); late != nil {
			return late
		}
		if err != nil {
			return err
		}
		if f.raw != nil {
			if problem := check(f.code, f.data); problem != "" {
				return c.in.fault(f.code, problem)
			}
		}
		if c.opened == (f.code == cmdNegotiate) {
			if c.opened {
				return c.in.fault(f.code, "a second one")
			}
			return c.in.fault(f.code, "before the negotiation")
		}
		if c.opened && !c.named {
			c.named = true
			c.turn.name()
		}
		switch f.code {
		case cmdNegotiate:
			c.opened = true
		case cmdEnd:
			// Protocol version 2 allows a last piece of the body here.
			if len(f.data) > 0 {
				c.session.body(f.data)
			}
		case cmdMacro, cmdData, cmdHeader, cmdEndHeader, cmdBody:
			c.session.content(f)
			if f.code == cmdData {
				c.awaitContent()
			}
			continue
		}
		return nil
	}
}

// read is the one place that waits for the MTA.
func (c *conn) read(p []byte, unfinished bool) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	if err := c.turn.wait(c.patience(unfinished)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if c.tcp && quickACK && c.raw != nil {
		acknowledge(c.raw)
	}
	if c.turn.heard() && err != nil {
		err = errClosing
	}
	return n, err
}

// slow implements source.
func (c *conn) slow() bool { return c.parked }

// patience is until when the next read may wait.
func (c *conn) patience(unfinished bool) tick {
	s := c.server
	switch {
	case !c.opened:
		return c.opening
	case unfinished:
		if c.stalled != c.in.number {
			c.stalled, c.frameUntil = c.in.number, s.after(s.limits.Frame)
		}
		return c.frameUntil
	case c.parked:
		return 0 // no limit
	}
	return s.after(s.limits.Idle)
}

// put gathers a packet for the MTA; flush writes.
func (c *conn) put(code byte, data []byte) {
	c.begin(code)
	c.out = append(c.out, data...)
	c.finish()
}

// begin begins a packet: what is appended to out until finish is its data.
func (c *conn) begin(code byte) {
	c.packet = len(c.out)
	c.out = append(c.out, 0, 0, 0, 0, code)
}

func (c *conn) finish() {
	binary.BigEndian.PutUint32(c.out[c.packet:], uint32(len(c.out)-c.packet-4))
	if len(c.out) > maxReplies {
		_ = c.write() // the next flush says so
	}
}

// write writes what is due in one call.
func (c *conn) write() error {
	if c.failure != nil || len(c.out) == 0 {
		return c.failure
	}
	// What is due is written even when the connection is to close.
	_ = c.turn.wait(c.server.after(c.server.limits.Write))
	_, c.failure = c.Conn.Write(c.out)
	c.turn.heard()
	if c.failure != nil {
		c.failure = fmt.Errorf("%w: %w", errWriting, c.failure)
	}
	if c.out = c.out[:0]; cap(c.out) > maxReplies {
		c.out = nil
	}
	return c.failure
}

// flush writes what is due, and tells the session whether its answer went out.
func (c *conn) flush() error {
	if c.failure != nil || len(c.out) == 0 {
		return c.failure
	}
	_ = c.write()
	if c.session != nil {
		c.session.answered(c.failure)
	}
	return c.failure
}

// ended says why a connection is closed, where that is worth a line.
func (c *conn) ended(err error) {
	log := c.server.log.With("mta", c.name())
	var bad *FrameError
	switch {
	case errors.Is(err, errOldest):
		log.Warn("milter connection closed: too many wait for content, and this one the longest", "limit", c.server.awaiting.most)
	case errors.Is(err, errClosing) && !c.server.isStopped():
		log.Debug("milter connection closed: it named no client, and no descriptors are left for others")
	case errors.Is(err, errClosing):
		log.Info("milter connection closed between messages: shutting down")
	case errors.As(err, &bad):
		c.server.counts.lost.Add(1)
		log.Error("milter connection closed: not what an MTA says", "error", err)
	case errors.Is(err, io.EOF):
		log.Debug("milter connection closed by the MTA")
	case errors.Is(err, io.ErrUnexpectedEOF):
		c.server.counts.lost.Add(1)
		log.Warn("milter connection closed by the MTA in the middle of a frame", "frame", c.in.number)
	case errors.Is(err, errWriting):
		c.server.counts.lost.Add(1)
		log.Warn("milter connection lost", "error", err)
	case errors.Is(err, os.ErrDeadlineExceeded) && !c.opened:
		log.Warn("milter connection closed: no negotiation in time", "limit", c.server.limits.Negotiation)
	case errors.Is(err, os.ErrDeadlineExceeded):
		log.Warn("milter connection closed: nothing heard in time", "frame", c.in.number)
	default:
		c.server.counts.lost.Add(1)
		log.Warn("milter connection lost", "frame", c.in.number, "error", err)
	}
}

// name is the MTA's end: an address on TCP, the socket's path elsewhere.
func (c *conn) name() string {
	if c.tcp {
		return c.RemoteAddr().String()
	}
	return c.LocalAddr().String()
}

// Close ends the connection.
func (c *conn) Close() error {
	var err error
	c.once.Do(func() {
		if c.flush() != nil && c.session != nil {
			c.session.answered(c.failure)
		}
		err = c.Conn.Close()
		c.in.free()
		c.server.forget(c)
	})
	return err
}
