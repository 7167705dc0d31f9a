// Package tape records live sessions: what the MTA told, what was answered to the
// judgement's questions, and what it decided; so that another policy can judge
// the same mail afterwards, from the tape alone.
package tape

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/rules"
)

// Tape is one message, as far as the live verdict let it come. It is not changed
// after it was handed over.
type Tape struct {
	Peer     gate.Peer
	Helo     string
	Greeted  bool
	Envelope gate.Envelope
	Ref      string // of the live judgement
	Version  string // of the policy that judged

	Mailed     gate.Decision
	Recipients []Recipient
	Header     mail.Header
	Body       []byte
	Complete   bool // it came to its end
	Cut        bool // not all of it is on the tape: it is too long, or there was no room
	Faulted    bool // an internal fault was in it
	Result     gate.Result

	Began, Ended time.Time     // MAIL, and the verdict or what else ended it
	Judging      time.Duration // of all that, in the judgement
	Answers      *Answers

	room *Room
	size int64
}

// Recipient is one RCPT TO with its answer.
type Recipient struct {
	gate.Recipient
	gate.Decision
}

// mostBody is how much of a message is on a tape, in octets; ofRecipient is what a
// recipient takes with its answer, besides its address.
const (
	mostBody    = 2 << 20
	ofRecipient = 400
)

// Room is for all tapes at a time, in octets.
type Room struct {
	most int64
	used atomic.Int64
}

// NewRoom has room for so many octets.
func NewRoom(most int64) *Room { return &Room{most: most} }

func (r *Room) take(n int64) bool {
	if r.used.Add(n) > r.most {
		r.give(n)
		return false
	}
	return true
}

func (r *Room) give(n int64) { r.used.Add(-n) }

// Close gives the tape's room back. It is called once, by whom it was handed to.
func (t *Tape) Close() {
	t.Answers.forget(t.Ref)
	t.Answers.leave()
	t.room.give(t.size)
	t.size = 0
}

// hold takes room for octets of the message.
func (t *Tape) hold(n int) bool {
	if t.Cut || t.size+int64(n) > mostBody || !t.room.take(int64(n)) {
		t.Cut, t.Body = true, nil
		return false
	}
	t.size += int64(n)
	return true
}

// Options of a recorder.
type Options struct {
	// Wanted tells of a session that begins whether it is taped. It is asked for
	// every session and must be quick.
	Wanted func(p gate.Peer) bool
	// Done is told of every message of a taped session; it must not wait, and closes
	// the tape.
	Done func(t *Tape)
	Room *Room
	Now  func() time.Time
}

// Gate is the judgement with a recorder beside it.
type Gate struct {
	*gate.Gate
	o Options
}

// New records what a gate judges.
func New(g *gate.Gate, o Options) *Gate { return &Gate{g, o} }

// Session begins a session; see gate.Gate.
func (g *Gate) Session(ctx context.Context, p gate.Peer) *Session {
	s := &Session{gate: g, ctx: ctx}
	if g.o.Wanted(p) {
		s.answers = newAnswers(g.o.Room)
		s.ctx = recording(ctx, s.answers)
		s.peer = p
	}
	s.Session = g.Gate.Session(s.ctx, p)
	return s
}

// Session is one that may be taped.
type Session struct {
	*gate.Session
	gate    *Gate
	ctx     context.Context
	answers *Answers // nil: it is not taped
	peer    gate.Peer
	helo    string
	greeted bool
	msg     *Message // taped, under way
}

// Helo is gate.Session's.
func (s *Session) Helo(ctx context.Context, name string) {
	s.end()
	s.helo, s.greeted = name, true
	s.Session.Helo(s.with(ctx), name)
}

// Ungreet is gate.Session's.
func (s *Session) Ungreet() {
	s.helo, s.greeted = "", false
	s.Session.Ungreet()
}

// with is ctx with the recorder.
func (s *Session) with(ctx context.Context) context.Context {
	if s.answers == nil {
		return ctx
	}
	return recording(ctx, s.answers)
}

// Mail is gate.Session's.
func (s *Session) Mail(ctx context.Context, e gate.Envelope) (*Message, gate.Decision) {
	s.end()
	began := s.gate.o.Now()
	m, d := s.Session.Mail(s.with(ctx), e)
	t := &Message{Message: m, s: s}
	if s.answers == nil {
		return t, d
	}
	t.tape = &Tape{
		Peer: s.peer, Helo: s.helo, Greeted: s.greeted, Envelope: e, Ref: m.Ref(), Mailed: d, Began: began, Answers: s.answers, room: s.gate.o.Room,
	}
	s.answers.use()
	t.took(began)
	s.msg = t
	return t, d
}

// Abort is gate.Session's.
func (s *Session) Abort() {
	s.end()
	s.Session.Abort()
}

// Close is gate.Session's.
func (s *Session) Close() {
	s.end()
	s.Session.Close()
	s.answers.leave()
}

// Fail is gate.Session's.
func (s *Session) Fail(stage, detail string) {
	if s.msg != nil {
		s.msg.tape.Faulted = true
	}
	s.Session.Fail(stage, detail)
}

// end hands the message under way over.
func (s *Session) end() {
	m := s.msg
	if m == nil {
		return
	}
	s.msg = nil
	t := m.tape
	t.Version = m.Version()
	if t.Ended.IsZero() {
		t.Ended = s.gate.o.Now()
	}
	s.gate.o.Done(t)
}

// Message is one that may be taped.
type Message struct {
	*gate.Message
	s    *Session
	tape *Tape // nil: it is not
}

// took notes time that the judgement took.
func (m *Message) took(since time.Time) { m.tape.Judging += m.s.gate.o.Now().Sub(since) }

// Rcpt is gate.Message's.
func (m *Message) Rcpt(ctx context.Context, r gate.Recipient) gate.Decision {
	if m.tape == nil {
		return m.Message.Rcpt(ctx, r)
	}
	began := m.s.gate.o.Now()
	d := m.Message.Rcpt(m.s.with(ctx), r)
	if m.tape.hold(len(r.Address) + len(r.Resolved) + ofRecipient) {
		m.tape.Recipients = append(m.tape.Recipients, Recipient{r, d})
	}
	m.took(began)
	return d
}

// QueueID is gate.Message's.
func (m *Message) QueueID(id string) {
	if m.tape != nil && id != "" {
		m.tape.Envelope.QueueID = id
	}
	m.Message.QueueID(id)
}

// Header is gate.Message's.
func (m *Message) Header(name, value string) {
	if m.tape != nil && m.tape.hold(len(name)+len(value)+64) {
		m.tape.Header = append(m.tape.Header, mail.Field{Name: name, Value: value})
	}
	m.Message.Header(name, value)
}

// EndOfHeader is gate.Message's.
func (m *Message) EndOfHeader(ctx context.Context) {
	if m.tape == nil {
		m.Message.EndOfHeader(ctx)
		return
	}
	began := m.s.gate.o.Now()
	m.Message.EndOfHeader(m.s.with(ctx))
	m.took(began)
}

// Body is gate.Message's.
func (m *Message) Body(ctx context.Context, p []byte) {
	if m.tape != nil && m.tape.hold(len(p)) {
		m.tape.Body = append(m.tape.Body, p...)
	}
	m.Message.Body(m.s.with(ctx), p)
}

// Complete is gate.Message's.
func (m *Message) Complete(ctx context.Context) gate.Result {
	if m.tape == nil {
		return m.Message.Complete(ctx)
	}
	began := m.s.gate.o.Now()
	r := m.Message.Complete(m.s.with(ctx))
	m.tape.Complete, m.tape.Result, m.tape.Ended = true, r, began
	m.took(began)
	return r
}

// Fail is gate.Message's.
func (m *Message) Fail(ctx context.Context, stage rules.Stage, detail string) gate.Result {
	if m.tape != nil {
		m.tape.Faulted = true
	}
	return m.Message.Fail(ctx, stage, detail)
}

// In gives the tape a room to be in, for those that no session made.
func (t *Tape) In(r *Room) { t.room = r }
