package gate

import (
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

// BoundID names one bound.
type BoundID uint8

// The bounds on what one message may bring.
const (
	HeaderFields BoundID = iota
	HeaderOctets
	HeaderEdits
	HeadersHeld
	Recipients
	RuleWork
	JournalText
)

// Bound is a row of the table of bounds: whatever a sender chooses the number
// or length of has one. Tables in the documents are made of this one.
type Bound struct {
	ID   BoundID
	Name string // as [gateway] limits has it
	What string // for people
	// Value is the default and the least. A policy may raise it up to Most;
	// none can be lowered or taken away.
	Value, Most int64
	Octets      bool   // Value counts octets
	Reply       string // to what passes it; "": a text is cut, and its length told
}

// bounds has a row for each bound, at its index. Those of the header keep
// Postfix alive as well: 12,000 changes to a header end its cleanup in a
// panic, and each costs it a look at every field before.
var bounds = [...]Bound{
	HeaderFields: {
		Name: "header_fields", What: "fields of a header",
		Value: 50_000, Most: 1_000_000, Reply: "552 5.3.4 Too many header fields", // RFC 3463 §3.4
	},
	HeaderOctets: {
		Name: "header_size", What: "octets of a header",
		Value: 4 << 20, Most: 64 << 20, Octets: true, Reply: "552 5.3.4 Header too large",
	},
	HeaderEdits: {
		Name: "header_edits", What: "changes to a header: forged fields and what modules want removed, marks added",
		Value: 1000, Most: 10_000, Reply: "552 5.3.4 Header has too many fields that would have to be removed",
	},
	HeadersHeld: {
		Name: "headers_held", What: "octets of large headers of all messages under way, decoded ones included",
		Value: 64 << 20, Most: 1 << 30, Octets: true, Reply: "451 4.3.1 Too many large headers at once, please try again later", // RFC 3463 §3.4
	},
	Recipients: {
		Name: "recipients", What: "recipients of a message",
		Value: 10_000, Most: 100_000, Reply: "452 4.5.3 Too many recipients", // RFC 5321 §4.5.3.1.10
	},
	RuleWork: {
		Name: "rule_work", What: "steps that the rules of a message take: matching, and reading its header for them",
		Value: expr.Budget, Most: 64 * expr.Budget, Reply: "552 5.3.4 Message takes too much work to judge",
	},
	JournalText: {
		Name: "journal_text", What: "octets of a text in journals and usage records",
		Value: 640, Most: 64 << 10, Octets: true,
	},
}

// Bounds returns all of them, in order.
func Bounds() []Bound {
	rows := slices.Clone(bounds[:])
	for i := range rows {
		rows[i].ID = BoundID(i)
	}
	return rows
}

// Limits are the bounds that a policy raises; 0 is the table's value.
type Limits [len(bounds)]int64

// of is the bound in force. What is too low or too high is not taken.
func (l *Limits) of(id BoundID) int64 {
	return min(max(l[id], bounds[id].Value), bounds[id].Most)
}

// BoundStatus tells how often a bound was met.
type BoundStatus struct {
	Name  string `json:"name"`
	Value int64  `json:"value"` // in force
	Hits  int64  `json:"hits"`  // messages or recipients since the start
}

// Limits tells of every bound that has a reply.
func (g *Gate) Limits() []BoundStatus {
	p := g.Policy()
	var all []BoundStatus
	for i := range bounds {
		if bounds[i].Reply != "" {
			all = append(all, BoundStatus{bounds[i].Name, p.Limits.of(BoundID(i)), g.bounded[i].Load()})
		}
	}
	return all
}

// boundCounts count how often each bound was met.
type boundCounts [len(bounds)]atomic.Int64

// boundReplies are those of the table.
func boundReplies() (replies [len(bounds)]*rules.Reply) {
	for i := range bounds {
		if s := bounds[i].Reply; s != "" {
			action := rules.Reject
			if s[0] == '4' {
				action = rules.Tempfail
			}
			replies[i] = fixed(s, action)
		}
	}
	return replies
}

// beyond is the refusal of what passes a bound. The reason names it, so that
// an operator knows which one to raise.
func (m *Message) beyond(id BoundID, stage rules.Stage) *refusal {
	m.s.g.bounded[id].Add(1)
	why := fmt.Sprintf("limit %s: more than %d", bounds[id].Name, m.j.Limits.of(id))
	return m.at(stage, why, m.s.g.texts.beyond[id])
}

// overrun notes that the message as a whole passes a bound, once. It is
// refused at its end, whoever sends it and whoever it is for.
func (m *Message) overrun(id BoundID, stage rules.Stage) {
	if m.overran == nil {
		m.overran = m.beyond(id, stage)
	}
}

// text is a text as journals and records have it: a sender chooses its
// length, and it stands there once for each recipient. One that is cut says
// how long it was.
func (j *prepared) text(s string) string {
	most := int(j.Limits.of(JournalText))
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "… (" + strconv.Itoa(len(s)) + " octets)"
}
