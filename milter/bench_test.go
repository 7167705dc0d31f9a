package milter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// idle is a gate that does nothing.
type idle struct{}

func (idle) Wants() gate.Wants                          { return gate.Wants{} }
func (idle) Session(context.Context, gate.Peer) Session { return idle{} }
func (idle) Helo(context.Context, string)               {}
func (idle) Ungreet()                                   {}
func (idle) Mail(context.Context, gate.Envelope) (Message, gate.Decision) {
	return idleMessage{}, gate.Decision{}
}
func (idle) Abort()                      {}
func (idle) Close()                      {}
func (idle) Fail(string, string)         {}
func (idle) Ref() string                 { return "" }
func (idle) Trace(string, func() string) {}

type idleMessage struct{}

func (idleMessage) QueueID(string)                                        {}
func (idleMessage) Rcpt(context.Context, gate.Recipient) gate.Decision    { return gate.Decision{} }
func (idleMessage) Header(string, string)                                 {}
func (idleMessage) EndOfHeader(context.Context)                           {}
func (idleMessage) Body(context.Context, []byte)                          {}
func (idleMessage) Complete(context.Context) gate.Result                  { return gate.Result{Verdict: gate.Accepted} }
func (idleMessage) Fail(context.Context, rules.Stage, string) gate.Result { return gate.Result{} }
func (idleMessage) Unanswered(string)                                     {}

// played is a connection on which an MTA says the same message n times.
type played struct {
	net.Conn
	begin, message []byte
	n, at          int
	over           chan struct{}
}

func (p *played) Read(b []byte) (int, error) {
	if len(p.begin) > 0 {
		n := copy(b, p.begin)
		p.begin = p.begin[n:]
		return n, nil
	}
	if p.n == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.message[p.at:])
	if p.at += n; p.at == len(p.message) {
		p.at = 0
		p.n--
	}
	return n, nil
}

func (p *played) Write(b []byte) (int, error) { return len(b), nil }
func (p *played) Close() error                { close(p.over); return nil }
func (p *played) LocalAddr() net.Addr         { return &net.UnixAddr{Name: "played", Net: "unix"} }
func (p *played) RemoteAddr() net.Addr        { return p.LocalAddr() }
func (p *played) SetDeadline(time.Time) error { return nil }

// BenchmarkMessage is what the room costs for a message of 25
// fields to 2 recipients as Postfix tells it, without system calls and without
// the gate.
func BenchmarkMessage(b *testing.B) {
	var m bytes.Buffer
	say := func(code byte, data string) { m.Write(appendFrame(nil, code, data)) }
	say('D', "M{mail_addr}\x00a@example.net\x00")
	say('M', "<a@example.net>\x00SIZE=8192\x00BODY=8BITMIME\x00")
	for i := range 2 {
		say('D', "R{rcpt_addr}\x00b@example.org\x00{rcpt_host}\x00example.org\x00{rcpt_mailer}\x00local\x00")
		say('R', fmt.Sprintf("<user%d@example.org>\x00", i))
	}
	say('D', "Ti\x004ABCDEF0123\x00")
	say('T', "")
	for i := range 25 {
		say('D', "Li\x004ABCDEF0123\x00")
		say('L', fmt.Sprintf("X-Field-%d\x00 %s\x00", i, bytes.Repeat([]byte("some words "), 10+i)))
	}
	say('D', "Ni\x004ABCDEF0123\x00")
	say('N', "")
	say('D', "Bi\x004ABCDEF0123\x00")
	say('B', string(bytes.Repeat([]byte("x"), 8192)))
	say('D', "Ei\x004ABCDEF0123\x00")
	say('E', "")
	say('A', "")
	begin := appendFrame(nil, 'O', "\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff")
	begin = append(begin, appendFrame(nil, 'C', "mail.example.net\x004\x12\x34192.0.2.7\x00")...)
	begin = append(begin, appendFrame(nil, 'H', "mail.example.net\x00")...)

	s := New(idle{}, Options{})
	b.ReportAllocs()
	p := &played{begin: begin, message: m.Bytes(), n: b.N, over: make(chan struct{})}
	b.ResetTimer()
	s.take(p)
	<-p.over
}
