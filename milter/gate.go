package milter

import (
	"context"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// Gate is the judgement as a conversation needs it.
type Gate interface {
	// Wants tells which events need an answer; asked at each negotiation.
	Wants() gate.Wants
	Session(ctx context.Context, p gate.Peer) Session
}

// Session is one SMTP session; see gate.Session.
type Session interface {
	Helo(ctx context.Context, name string)
	Ungreet()
	Mail(ctx context.Context, e gate.Envelope) (Message, gate.Decision)
	Abort()
	Close()
	Fail(stage, detail string)
	Ref() string
	Trace(recipient string, detail func() string)
}

// Message is one message; see gate.Message.
type Message interface {
	QueueID(id string)
	Rcpt(ctx context.Context, r gate.Recipient) gate.Decision
	Header(name, value string)
	EndOfHeader(ctx context.Context)
	Body(ctx context.Context, p []byte)
	Complete(ctx context.Context) gate.Result
	Fail(ctx context.Context, stage rules.Stage, detail string) gate.Result
	Unanswered(reason string)
}

// Live is the gate itself.
func Live(g *gate.Gate) Gate { return liveGate{g} }

type liveGate struct{ *gate.Gate }

func (l liveGate) Session(ctx context.Context, p gate.Peer) Session {
	return liveSession{l.Gate.Session(ctx, p)}
}

type liveSession struct{ *gate.Session }

func (l liveSession) Mail(ctx context.Context, e gate.Envelope) (Message, gate.Decision) {
	return l.Session.Mail(ctx, e)
}
