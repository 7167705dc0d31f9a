// Package gate is the judgement itself: six stage events in, decisions out.
// It knows neither the milter protocol nor the policy file. Live mail,
// explaining, testing, replaying and shadowing all drive it.
package gate

import (
	"context"
	"net/netip"
)

// Verdict is what becomes of a message or recipient; its names are the journals'.
type Verdict string

const (
	Pass      Verdict = "" // go on: nothing is decided
	Accepted  Verdict = "accept"
	Rejected  Verdict = "reject"
	Deferred  Verdict = "tempfail"
	Discarded Verdict = "discard"
	Held      Verdict = "hold"
	Aborted   Verdict = "aborted"
)

// Reply is an SMTP reply, clean: ASCII, no control characters, each line of
// Text within 510 octets with its codes. % stands for itself.
type Reply struct {
	Code     int    // 4yz or 5yz
	Enhanced string // "5.7.1"
	Text     string // without codes; lines separated by \n
}

// Decision is the answer to a stage event before the end of a message.
type Decision struct {
	Verdict Verdict // Pass, Rejected or Deferred
	Reply   Reply   // with Rejected and Deferred
}

// Peer is the SMTP client.
type Peer struct {
	Addr    netip.Addr // unmapped; zero for a local submission
	Host    string     // verified name, "unknown" where there is none
	Resolve string     // "ok", "fail", "forged", "temp"; "" unknown
	Local   bool       // submitted by sendmail(1): outbound by definition
}

// Envelope is what is known at MAIL FROM.
type Envelope struct {
	Sender     string // without angle brackets; empty: null sender
	Size       int64  // SIZE= (RFC 1870), -1 when not declared
	QueueID    string
	TLSVersion string // "" when not encrypted
	AuthType   string // with AuthUser: authenticated by SASL
	AuthUser   string
}

// Recipient is one RCPT TO.
type Recipient struct {
	Address string // without angle brackets
	// Refused is set when the MTA itself has refused it; our answer is then
	// not heard, only journalled.
	Refused *Reply
	QueueID string
}

// EditKind is a change to the header.
type EditKind uint8

const (
	// ChangeField replaces the Index-th field (from 1, per name) by Value.
	ChangeField EditKind = iota
	// DeleteField removes the Index-th field of that name; edits come in an
	// order in which the indexes hold when carried out one after the other.
	DeleteField
	// InsertField puts a field at position Index of the whole header.
	InsertField
	// AppendField adds a field at the end of the header.
	AppendField
)

// Edit is one change to the header. Value has bare LF folds and begins with
// a space.
type Edit struct {
	Kind  EditKind
	Index int
	Name  string
	Value string
}

// Result is the answer to the end of a message.
type Result struct {
	Verdict Verdict // Accepted, Rejected, Deferred, Discarded or Held
	Reply   Reply   // with Rejected and Deferred
	Edits   []Edit  // with Accepted and Held
	Reason  string  // with Held: for the hold queue
	Ref     string
}

// Wants tells which events need an answer at once under the policy in force;
// the others can be told without waiting. RCPT TO and the end of a message
// always need one.
type Wants struct {
	Connect, Helo, MailFrom, Data, Header, Headers, Body bool
}

// Gate judges. It is safe for use by many goroutines.
type Gate struct{}

// Wants of the policy in force.
func (g *Gate) Wants() Wants { return Wants{} }

// Session is one SMTP session. Its methods are called by one goroutine.
type Session struct{}

// Session begins with the client's connection.
func (g *Gate) Session(ctx context.Context, p Peer) (*Session, Decision) {
	return &Session{}, Decision{}
}

// Ref of the current message, or of the session before the first.
func (s *Session) Ref() string { return "" }

// Helo is told again after STARTTLS.
func (s *Session) Helo(ctx context.Context, name string) Decision { return Decision{} }

// Mail begins a message. One that was begun before and not ended is aborted.
func (s *Session) Mail(ctx context.Context, e Envelope) (*Message, Decision) {
	return &Message{}, Decision{}
}

// Close ends the session; a message under way is aborted.
func (s *Session) Close() {}

// Trace writes to the trace journal when protocol tracing is on for this
// session; detail is called only then.
func (s *Session) Trace(detail func() string) {}

// Message is one message of a session.
type Message struct{}

// QueueID tells the queue id as soon as it is known.
func (m *Message) QueueID(id string) {}

// Rcpt judges one recipient.
func (m *Message) Rcpt(ctx context.Context, r Recipient) Decision { return Decision{} }

// Header takes the next field, as mail.Field has it.
func (m *Message) Header(name, value string) {}

// EndOfHeader judges the header. A refusal is remembered: Complete answers it
// again, for it may have been negotiated away here.
func (m *Message) EndOfHeader(ctx context.Context) Decision { return Decision{} }

// Body takes the next octets of the body; p is not kept.
func (m *Message) Body(p []byte) {}

// Complete judges the whole message, makes its records durable and journals
// it. After a result that the MTA did not hear, call Unheard.
func (m *Message) Complete(ctx context.Context) Result { return Result{} }

// Unheard voids the records of a completed message: the answer could not be
// written or came too late.
func (m *Message) Unheard(reason string) {}

// Fail is what an internal fault (a panic) leads to: gateway.on_error, with a
// journal entry that has the detail. At the end of a message its Edits are
// empty. stage names where it happened.
func (m *Message) Fail(stage string, detail string) Result { return Result{} }

// Abort ends a message that was not completed; after Complete it does nothing.
func (m *Message) Abort() {}
