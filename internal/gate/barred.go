package gate

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/rules"
)

// barred is a recipient of sendmail(1) mail that may not have it. Postfix
// would try a refused recipient of its own again for ever, so the message is
// refused as a whole at its end.
type barred struct {
	who recipient
	why refusal
}

// bar is the refusal of the message for its barred recipients, nil when there
// are none. It is for good whatever the state of a client says: nobody comes
// again with what was submitted here.
func (m *Message) bar() *refusal {
	if len(m.barred) == 0 {
		return nil
	}
	why := m.barred[0].why
	why.reply = lasting(why.reply)
	why.as = Rejected
	return &why
}

// lasting is a reply with its codes for good: 450 4.2.1 becomes 550 5.2.1, 452
// becomes 552.
func lasting(r *rules.Reply) *rules.Reply {
	if r.Code >= 500 {
		return r
	}
	l := *r
	if l.Code = 550; r.Code == 452 {
		l.Code = 552
	}
	if strings.HasPrefix(l.Enhanced, "4") {
		l.Enhanced = "5" + l.Enhanced[1:]
	}
	return &l
}

// blockBarred journals each barred recipient; who else does not get the
// message is named there.
func (m *Message) blockBarred(r Result) error {
	bad := make(map[string]bool, len(m.barred))
	for i := range m.barred {
		bad[m.barred[i].who.String()] = true
	}
	var others []string
	for i := range m.accepted {
		if !bad[m.accepted[i].String()] {
			others = append(others, m.accepted[i].given())
		}
	}
	tail := ""
	if len(others) > 0 {
		tail = "; the whole message is refused, also for " + strings.Join(others, ", ")
	}
	entries := make([]*journal.Entry, 0, len(m.barred))
	for i := range m.barred {
		b := &m.barred[i]
		why := b.why
		why.reason += tail
		m.current = &b.who
		reply := m.answer(&refusal{rule: why.rule, reply: lasting(why.reply)})
		m.current = nil
		entries = append(entries, m.blockEntry(&why, r.Verdict, reply, b.who.given()))
	}
	return m.journalBlocks(entries)
}
