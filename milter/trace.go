package milter

import (
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// note is one line of the protocol trace.
type note struct {
	event   string
	words   [3]string // what the MTA said
	fields  int       // of the header; at the end of a message: edits
	octets  int64     // of the body
	decided bool
	verdict gate.Verdict
	reply   gate.Reply
}

// String is what the trace journal gets.
func (n *note) String() string {
	var b strings.Builder
	b.WriteString(n.event)
	for i, w := range n.words {
		if w != "" || i == 0 && n.event == "mail" { // the null sender shows
			b.WriteString(" " + strconv.Quote(clip(w)))
		}
	}
	switch n.event {
	case "header":
		b.WriteString(" of " + strconv.Itoa(n.fields) + " fields")
	case "end of message":
		b.WriteString(": body of " + strconv.FormatInt(n.octets, 10) + " octets, " + strconv.Itoa(n.fields) + " edits")
	}
	switch {
	case !n.decided:
	case n.verdict == gate.Pass:
		b.WriteString(" -> continue")
	default:
		b.WriteString(" -> " + string(n.verdict))
		if n.reply.Code != 0 {
			b.WriteString(": " + n.reply.String())
		}
	}
	return b.String()
}

// trace tells the trace journal, when it wants to know.
func (s *session) trace(n note) {
	if s.judge == nil {
		return
	}
	s.note = n
	recipient := ""
	if n.event == "rcpt" {
		recipient = n.words[0]
	}
	s.judge.Trace(recipient, s.tell)
}
