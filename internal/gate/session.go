package gate

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate/lookup"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// Session is one SMTP session. Its methods are called by one goroutine.
type Session struct {
	g    *Gate
	j    *prepared // the policy that connect and helo were judged by
	peer Peer
	ref  string
	// clientIP is the peer's address, "" where there is none.
	clientIP string
	skip     bool // from a network whose mail passes unjudged
	closed   bool

	helo    string
	greeted bool

	atConnect, atHelo scope
	lookups           lookup.Set
	// fault is set after an internal fault outside a message: the session's
	// mail is treated as gateway.on_error says.
	fault string
	spent bool // the rules of connect or helo could not be tried to their end

	msg *Message

	observing []Observer   // to what happens now
	group     lookup.Group // what its look-ups run in
	stopwatch stopwatch
}

// Session begins with the client's connection. What its rules refuse is
// remembered and answered at RCPT, or at MAIL (Wants).
func (g *Gate) Session(ctx context.Context, p Peer) *Session {
	p.Addr = p.Addr.Unmap()
	s := &Session{g: g, peer: p, ref: g.refs.make()}
	s.group.Now, s.group.Took = g.Now, &s.stopwatch.times
	defer s.spend(took.Connect, g.Now())
	if p.Addr.IsValid() {
		s.clientIP = p.Addr.String()
	}
	s.adopt(g.takeFor(p))
	s.connect(ctx)
	return s
}

// adopt takes a policy for what follows, and gives back the one before.
func (s *Session) adopt(j *prepared) {
	if s.j != nil {
		s.j.release()
	}
	s.j = j
	s.lookups = nil
	s.skip = s.peer.Addr.IsValid() && within(s.peer.Addr, j.SkipClients)
}

func (s *Session) connect(ctx context.Context) {
	s.atConnect = scope{}
	if s.skip {
		return
	}
	s.lookups.Begin(ctx, &s.group, s.j.sessionKeys, s.question)
	out := s.evaluate(ctx, rules.Connect, &facts{s: s})
	s.atConnect.add(rules.Connect, out, &s.g.texts)
}

// Helo is told again after STARTTLS: what the rules said before is replaced,
// not added to.
func (s *Session) Helo(ctx context.Context, name string) {
	s.Abort()
	defer s.spend(took.Helo, s.g.Now())
	s.helo, s.greeted = name, true
	s.judgeHelo(ctx)
}

// Ungreet forgets what the client called itself, and what the rules said of it:
// it was said before STARTTLS (RFC 3207 §4.2).
func (s *Session) Ungreet() { s.helo, s.greeted, s.atHelo = "", false, scope{} }

func (s *Session) judgeHelo(ctx context.Context) {
	s.atHelo = scope{}
	if !s.greeted || s.skip || s.atConnect.ended() {
		return
	}
	out := s.evaluate(ctx, rules.Helo, &facts{s: s})
	s.atHelo.add(rules.Helo, out, &s.g.texts)
}

// Mail begins a message. One that was begun before and not ended is aborted.
// The message is judged by the policy in force now; if that is another than
// the session began with, connect and helo are judged again under it.
func (s *Session) Mail(ctx context.Context, e Envelope) (*Message, Decision) {
	s.Abort()
	s.stopwatch.mail, s.stopwatch.end = s.g.Now(), time.Time{}
	defer s.spend(took.MailFrom, s.stopwatch.mail)
	if !s.current() {
		s.adopt(s.g.takeFor(s.peer))
		s.connect(ctx)
		s.judgeHelo(ctx)
	}
	m := newMessage(s, e)
	s.msg = m
	return m, m.mailFrom(ctx)
}

// Fail tells of an internal fault outside a message. The session's mail is
// then treated as gateway.on_error says.
func (s *Session) Fail(stage, detail string) {
	s.fault = stage
	s.g.Log.Error("internal fault", "stage", stage, "ref", s.ref, "client_ip", s.peer.Addr, "detail", detail)
}

// Ref of the current message, or of the session before the first.
func (s *Session) Ref() string {
	if s.msg != nil {
		return s.msg.ref
	}
	return s.ref
}

// Abort ends a message under way; after the end of a message it means nothing
// (Postfix sends one after every message).
func (s *Session) Abort() {
	if s.msg != nil {
		s.msg.abort()
		s.msg = nil
	}
}

// Close ends the session; a message under way is aborted. Look-ups that nobody
// waits for any more are given up, and have ended when it returns. Closing again
// does nothing.
func (s *Session) Close() {
	s.Abort()
	s.group.End()
	if !s.closed {
		s.closed = true
		s.j.release()
	}
}

// Trace writes to the trace journal when protocol tracing is on for this
// client; detail is called only then. Recipient is who was named, of RCPT.
func (s *Session) Trace(recipient string, detail func() string) {
	if on, _ := s.g.Journal.Traced(s.peer.Addr); !on {
		return
	}
	e := s.entry(journal.Trace)
	if s.msg != nil {
		s.msg.traced(e, recipient)
	}
	e.Event, e.Detail = journal.EventProtocol, detail()
	s.logIf(s.g.Journal.Write(e))
}

// stopwatch measures where the time of a session's messages goes. What was spent
// before the first belongs to it.
type stopwatch struct {
	times     took.Times
	mail, end time.Time // when MAIL came, and the end of the message: zero before
}

// spend counts the time since then.
func (s *Session) spend(p took.Part, since time.Time) { s.stopwatch.times.Add(p, s.g.Now().Sub(since)) }

// entry has what is known of the session.
func (s *Session) entry(kind string) *journal.Entry {
	e := &journal.Entry{
		Time: s.g.Now(), Kind: kind, Gateway: s.j.Gateway, Policy: s.j.Version, Ref: s.Ref(),
		ClientHost: s.peer.Host, Helo: s.j.text(s.helo),
	}
	e.ClientIP = s.clientIP
	return e
}

func (s *Session) logIf(err error) {
	if err != nil {
		s.g.Log.Error("journal cannot be written", "ref", s.Ref(), "error", err)
	}
}

// refs makes references: short, unique, easy to read over the telephone.
type refs struct {
	given func() string // makes them in place of make; nil: nobody
	now   func() time.Time
	next  atomic.Uint32
}

func newRefs(now func() time.Time, given func() string) *refs {
	r := &refs{now: now, given: given}
	r.next.Store(rand.Uint32())
	return r
}

// refAlphabet is Crockford's base 32: no i, l, o or u to be misheard.
const refAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// refEpoch is 2026-01-01, in ms since 1970.
const refEpoch = 1767225600000

// make returns 12 characters: 41 bits of milliseconds, so that references
// sort by time, and 19 bits of a counter with a random start, so that neither
// one gateway nor several give the same one twice.
func (r *refs) make() string {
	if r.given != nil {
		return r.given()
	}
	ms := uint64(r.now().UnixMilli()-refEpoch) & (1<<41 - 1)
	v := ms<<19 | uint64(r.next.Add(1))&(1<<19-1)
	var b [12]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = refAlphabet[v&31]
		v >>= 5
	}
	return string(b[:])
}
