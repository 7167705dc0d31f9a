package gate

import (
	"net/netip"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/rules"
)

// Verdict is what becomes of a message or recipient; its names are the
// journals'.
type Verdict string

const (
	Pass      Verdict = "" // go on: nothing is decided
	Accepted  Verdict = "accept"
	Rejected  Verdict = "reject"
	Deferred  Verdict = "tempfail"
	Discarded Verdict = "discard"
	Held      Verdict = "hold"
	Aborted   Verdict = "aborted"
	// Greylisted is how the blocks journal calls a recipient that was deferred
	// so that its client comes again.
	Greylisted Verdict = "greylist"
)

// severity orders verdicts: of several the strictest stands.
func (v Verdict) severity() int {
	switch v {
	case Rejected:
		return 4
	case Deferred:
		return 3
	case Discarded:
		return 2
	case Held:
		return 1
	}
	return 0
}

// Reply is an SMTP reply, clean: ASCII, no control characters, each line of
// Text short enough that with its codes it stays within 510 octets. A percent
// sign stands for itself.
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
	Addr    netip.Addr // IPv4-mapped ones are unmapped; zero where there is none
	Host    string     // verified name, "unknown" where there is none
	Resolve string     // "ok", "fail", "forged", "temp"; "" when not told
	Local   bool       // submitted by sendmail(1): outbound by definition
}

// Envelope is what is known at MAIL FROM.
type Envelope struct {
	Sender string // as the client wrote it; empty: null sender
	// Resolved is the sender's address as the MTA resolved it, without quotes;
	// "" when not told.
	Resolved   string
	Size       int64 // SIZE= (RFC 1870 §6), -1 when not declared
	QueueID    string
	TLSVersion string // "" when not encrypted
	AuthType   string // with AuthUser: authenticated by SASL
	AuthUser   string
}

// Recipient is one RCPT TO.
type Recipient struct {
	Address string // as the client wrote it
	// Resolved is the address as the MTA resolved it, without quotes; "" when
	// not told.
	Resolved string
	QueueID  string
	// Refused is set when the MTA itself has refused it; our answer is then
	// not heard, only journalled.
	Refused *Reply
}

// EditKind is a kind of change to the header.
type EditKind uint8

const (
	// ChangeField replaces the Index-th field (from 1, per name) by Value.
	ChangeField EditKind = iota
	// DeleteField removes the Index-th field of that name; edits come in an
	// order in which the indexes hold when carried out one after the other.
	DeleteField
	// InsertField puts a field at position Index of the whole header: 0 is
	// above the Received field of our own MTA, 1 below it.
	InsertField
	// AppendField adds a field at the end of the header.
	AppendField
)

// Edit is one change to the header. Value has bare LF folds and begins with a
// space.
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

	Weight  rules.Weight
	Hits    []rules.Hit         // of every stage, each rule once, shadow rules included
	Records []accounting.Record // that have become durable; not to be changed
}
