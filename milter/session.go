package milter

import (
	"context"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// session turns the commands of one milter connection into the gate's events, all
// of them in one goroutine.
type session struct {
	conn    *conn
	agreed  agreement
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	macros  macros
	judge   Session // nil before CONNECT
	peer    gate.Peer
	helo    string
	greeted bool
	// tellsTLS: the MTA takes the list of macros, so that HELO and MAIL come
	// with the TLS they are under.
	tellsTLS bool
	msg      Message // nil between messages
	fields   int     // of the message, for the trace
	octets   int64   // of its body, for the trace

	// judging is the context of verdicts; it is made anew after it was ended.
	judging    context.Context
	endJudging context.CancelCauseFunc

	// answering is the message whose verdict has not been written yet.
	answering Message

	texts, envelope kept // of the header, and of what comes before it
	note            note
	// tell is note.String, made once: an event that is not traced costs no
	// allocation.
	tell func() string
}

func newSession(c *conn, a agreement) *session {
	s := &session{
		conn: c, agreed: a, tellsTLS: a.actions&gomilter.OptSetMacros != 0,
		texts: kept{size: headerChunk}, envelope: kept{size: envelopeChunk},
	}
	s.ctx, s.cancel = context.WithCancel(c.server.context)
	s.tell = s.note.String
	return s
}

// newConnection comes first, and again when the MTA uses the connection for
// another SMTP session (QUIT_NC).
func (s *session) newConnection() {
	defer func() {
		if p := recover(); p != nil {
			s.fault(rules.Connect, p)
		}
	}()
	s.leave()
	s.macros = macros{}
}

// leave ends the SMTP session.
func (s *session) leave() {
	s.msg = nil
	s.conn.turn.enter(between)
	j := s.judge
	s.judge, s.peer, s.helo, s.greeted = nil, gate.Peer{}, "", false
	if j != nil {
		j.Close()
	}
}

func (s *session) connect(host, family string, port uint16, addr string) (resp response) {
	resp = response{code: respContinue}
	defer func() {
		if p := recover(); p != nil {
			s.fault(rules.Connect, p)
		}
	}()
	s.leave()
	s.peer = peer(host, family, port, addr)
	s.peer.Resolve = s.macros.resolve()
	s.open()
	s.trace(note{event: "connect", words: [3]string{host, family, addr}})
	return resp
}

// open begins the SMTP session. An MTA that tells no CONNECT gets one without
// an address.
func (s *session) open() {
	if s.judge != nil {
		return
	}
	if s.peer.Host == "" {
		s.peer.Host = unknownHost
	}
	s.judge = s.conn.server.gate.Session(s.ctx, s.peer)
	if s.greeted {
		s.judge.Helo(s.ctx, s.helo)
	}
}

func (s *session) hello(name string) (resp response) {
	resp = response{code: respContinue}
	defer func() {
		if p := recover(); p != nil {
			s.fault(rules.Helo, p)
		}
	}()
	s.forget()
	had := s.judge != nil
	s.helo, s.greeted = name, true
	s.macros.heloTLS, s.macros.tlsVersion = s.macros.tlsVersion, ""
	s.open()
	if had {
		s.judge.Helo(s.ctx, name) // which ends a message under way
	}
	s.trace(note{event: "helo", words: [3]string{name}})
	return resp
}

func (s *session) mailFrom(from, args string) (resp response) {
	defer func() {
		if p := recover(); p != nil {
			resp = s.mailFault(from, args, p)
		}
	}()
	return s.mail(from, args)
}

func (s *session) mail(from, args string) response {
	s.conn.turn.enter(inMessage)
	s.open()
	s.msg, s.fields, s.octets = nil, 0, 0
	e := s.macros.envelope()
	e.Sender, e.Size = from, declaredSize(args)
	if s.greeted && e.TLSVersion != "" && s.macros.heloTLS == "" && s.tellsTLS {
		// What the client said before STARTTLS is to be forgotten (RFC 3207
		// §4.2); the MTA does not say so.
		s.helo, s.greeted = "", false
		s.judge.Ungreet()
	}
	m, d := s.judge.Mail(s.ctx, e)
	s.msg = m
	s.trace(note{event: "mail", words: [3]string{from, args}, decided: true, verdict: d.Verdict, reply: d.Reply})
	s.macros.clearMail()
	return s.answer(d.Verdict, d.Reply)
}

// mailFault is a panic at MAIL: the session has a fault from now on, and the
// message is begun once more under it.
func (s *session) mailFault(from, args string, p any) (resp response) {
	defer func() {
		if again := recover(); again != nil {
			s.fault(rules.MailFrom, again)
			resp = response{code: respTempFail}
		}
	}()
	s.fault(rules.MailFrom, p)
	return s.mail(from, args)
}

func (s *session) rcptTo(to, args string) (resp response) {
	defer func() {
		if p := recover(); p != nil {
			r := s.fault(rules.RcptTo, p)
			resp = s.answer(r.Verdict, r.Reply)
		}
	}()
	r := gate.Recipient{Address: to, Resolved: s.macros.resolved(), QueueID: s.macros.queueID, Refused: s.macros.refused()}
	s.macros.clearRcpt()
	if s.msg == nil {
		// After a fault at MAIL, or out of order: nobody can judge it.
		return response{code: respTempFail}
	}
	d := s.msg.Rcpt(s.ctx, r)
	n := note{event: "rcpt", words: [3]string{to, args}, decided: true, verdict: d.Verdict, reply: d.Reply}
	if r.Refused != nil {
		n.words[2] = "(refused by the MTA)"
	}
	s.trace(n)
	return s.answer(d.Verdict, d.Reply)
}

// abort ends the message. Postfix sends it after every message, and again
// when it closes.
func (s *session) abort() {
	defer func() {
		if p := recover(); p != nil {
			s.fault(rules.Complete, p)
		}
	}()
	s.end()
	s.trace(note{event: "abort"})
}

// end ends the message under way, if any.
func (s *session) end() {
	s.forget()
	if s.judge != nil {
		s.judge.Abort()
	}
}

func (s *session) forget() {
	s.msg = nil
	s.macros.queueID = ""
	s.conn.turn.enter(between)
}

// cleanup comes last.
func (s *session) cleanup() {
	defer func() {
		if p := recover(); p != nil {
			s.fault(rules.Complete, p)
		}
	}()
	s.cancel()
	s.leave()
}

// answer makes the response of a decision.
func (s *session) answer(v gate.Verdict, r gate.Reply) response {
	if v != gate.Rejected && v != gate.Deferred {
		return response{code: respContinue}
	}
	if r.Code < 400 || r.Code > 599 {
		s.conn.server.log.Error("a refusal has no code: mail is deferred", "reply", r.String())
		return response{code: respTempFail}
	}
	return refusal(r)
}
