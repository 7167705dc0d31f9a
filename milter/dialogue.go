package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// converse holds the conversation on a connection, from the negotiation to its
// end, in one goroutine. (The library's own loop does the same with a goroutine
// and a server more for each connection and forty allocations more for each
// message; library_test.go holds the two to the same answers.)
func (s *Server) converse(c *conn) {
	defer func() { _ = c.Close() }()
	defer c.contain()
	var f frame
	if c.await(&f) != nil {
		return // it has been logged
	}
	agreed := c.negotiate(f.data)
	c.session = newSession(c, agreed)
	defer c.session.cleanup()
	c.session.newConnection()
	d := dialogue{session: c.session, protocol: agreed.protocol}
	for c.await(&f) == nil {
		if err := d.command(&f); err != nil {
			return
		}
	}
}

// contain is deferred where a panic outside of a session's own handling would end
// the process.
func (c *conn) contain() {
	if p := recover(); p != nil {
		c.server.counts.faults.Add(1)
		c.server.log.Error("milter connection closed after an internal fault", "mta", c.name(), "detail", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
}

// fault is what a panic in a callback leads to: the message gets what
// gateway.on_error says, the daemon lives. The result is the answer where one
// is due.
func (s *session) fault(stage rules.Stage, p any) (r gate.Result) {
	s.conn.server.counts.faults.Add(1)
	detail := fmt.Sprintf("%v\n%s", p, debug.Stack())
	r = gate.Result{Verdict: gate.Deferred, Reply: gate.Reply{Code: 451, Enhanced: "4.3.0", Text: "Temporary fault here, please try again later"}}
	defer func() {
		// What is broken may be broken here too.
		if again := recover(); again != nil {
			s.conn.server.log.Error("internal fault while handling one", "stage", stage.String(), "detail", fmt.Sprint(again), "first", detail)
		}
	}()
	switch {
	case s.msg != nil:
		return s.msg.Fail(s.ctx, stage, detail)
	case s.judge != nil:
		s.judge.Fail(stage.String(), detail)
	default:
		s.conn.server.log.Error("internal fault", "stage", stage.String(), "detail", detail)
	}
	return r
}

// errEnd ends a conversation without a word in the log.
var errEnd = errors.New("the conversation is over")

// dialogue keeps the order of an MTA's commands.
type dialogue struct {
	session  *session
	protocol gomilter.OptProtocol
	last     byte // the command before
	order    int  // of the last one that has a place in the order
}

// order is the place of a command in an SMTP session, 0 of one without.
func order(code byte) int {
	switch code {
	case cmdConnect:
		return 1
	case cmdHelo:
		return 2
	case cmdMail:
		return 3
	case cmdRcpt:
		return 4
	case cmdEnd:
		return 5
	}
	return 0
}

// command carries out a checked frame.
func (d *dialogue) command(f *frame) error {
	if at := order(f.code); at != 0 {
		// Postfix aborts every message that is over; Sendmail does not always say so
		// before the next.
		if d.order > at && d.last != cmdAbort {
			d.session.abort()
		}
		d.order = at
	} else if f.code == cmdAbort && d.last == cmdAbort {
		return nil // Postfix says it again when it closes
	}
	d.last = f.code
	resp, silent, err := d.carryOut(f)
	if err != nil {
		return err
	}
	if resp.code != 0 && d.protocol&silent == 0 {
		d.session.conn.put(resp.code, resp.text)
	}
	return nil
}

// carryOut has the session judge a command. silent is the option by which the MTA
// wants no reply to it.
func (d *dialogue) carryOut(f *frame) (resp response, silent gomilter.OptProtocol, err error) {
	s := d.session
	switch f.code {
	case cmdConnect:
		host, family, port, addr := connectData(f.data)
		return s.connect(host, family, port, addr), gomilter.OptNoConnReply, nil
	case cmdHelo:
		name, _ := cutText(f.data)
		return s.hello(string(name)), gomilter.OptNoHeloReply, nil
	case cmdMail:
		from, args := s.path(f.data)
		return s.mailFrom(from, args), gomilter.OptNoMailReply, nil
	case cmdRcpt:
		to, args := s.path(f.data)
		return s.rcptTo(to, args), gomilter.OptNoRcptReply, nil
	case cmdEnd:
		resp, err = s.endOfMessage(s.conn)
		return resp, 0, err
	case cmdUnknown:
		return response{code: respContinue}, gomilter.OptNoUnknownReply, nil
	case cmdAbort:
		s.abort()
	case cmdQuitNew:
		s.newConnection()
	case cmdQuit:
		return response{}, 0, errEnd
	}
	return response{}, 0, nil
}

// cutText cuts a text with its NUL off. Without a NUL it is all.
func cutText(data []byte) (text, rest []byte) {
	text, rest, _ = bytes.Cut(data, []byte{0})
	return text, rest
}

// path reads the data of MAIL and RCPT: the address, without its angle brackets,
// and the parameters with a space between them.
func (s *session) path(data []byte) (address, args string) {
	text, rest := cutText(data)
	if n := len(text); n > 1 && text[0] == '<' && text[n-1] == '>' {
		text = text[1 : n-1]
	}
	rest = bytes.TrimSuffix(rest, []byte{0})
	for i, c := range rest { // the frame is ours
		if c == 0 {
			rest[i] = ' '
		}
	}
	return s.envelope.one(text), s.envelope.one(rest)
}

// connectData reads that of CONNECT, which has been checked. The address of a
// family of which it is known is in its shortest form.
func connectData(data []byte) (host, family string, port uint16, addr string) {
	name, rest := cutText(data)
	host = string(name)
	if rest[0] == 'U' {
		return host, "unknown", 0, ""
	}
	port = binary.BigEndian.Uint16(rest[1:])
	text, _ := cutText(rest[3:])
	addr = string(text)
	switch rest[0] {
	case 'L':
		family = "unix"
	case '4':
		family = "tcp4"
	case '6':
		family = "tcp6"
		if a, err := parseIPv6(addr); err == nil {
			addr = a.Unmap().String()
		}
	}
	return host, family, port, addr
}

// await waits for the next command. An error has been logged here: it is the end
// of the conversation.
func (c *conn) await(f *frame) (err error) {
	if err = c.next(f); err != nil {
		c.ended(err)
		return io.EOF
	}
	return nil
}
