package gate

import (
	"context"

	"github.com/tollgate-mail/tollgate/internal/gate/header"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// Header takes the next field: value as mail.Field has it.
func (m *Message) Header(name, value string) {
	switch m.header.Add(name, value) {
	case header.TooMany:
		m.overrun(HeaderFields, rules.Headers)
	case header.TooLarge:
		m.overrun(HeaderOctets, rules.Headers)
	default:
		m.holdHeader()
		m.inspection.stashField(name, value)
	}
}

// smallHeader is what a header may have before it counts among the large ones
// of all messages: nearly every one is smaller.
const smallHeader = 64 << 10

// holdHeader takes what the header has grown by from the room for those of all
// messages, twice: rules see it decoded, too.
func (m *Message) holdHeader() {
	more := 2*(m.header.Octets-smallHeader) - m.held
	if more <= 0 || m.overran != nil {
		return
	}
	m.held += more
	if m.s.g.held.Add(more) > m.j.Limits.of(HeadersHeld) {
		m.overrun(HeadersHeld, rules.Headers)
		m.header.Fields = m.header.Fields[:0:0]
	}
}

// EndOfHeader judges the header. What it refuses is answered by Complete.
func (m *Message) EndOfHeader(ctx context.Context) {
	defer m.s.spend(took.Headers, m.s.g.Now())
	m.endOfHeader(ctx)
}

func (m *Message) endOfHeader(ctx context.Context) {
	m.headersIn = true
	if m.inspection.keeps() {
		m.inspection.stashOctets([]byte("\r\n"))
	}
	if m.remembers() {
		m.answers = m.header.Fields.FindAnswers()
	}
	if m.ended() {
		return
	}
	out := m.s.evaluate(ctx, rules.Headers, &m.facts)
	m.add(rules.Headers, out, &m.s.g.texts)
	m.count(out.Hits)
}

// Body takes the next octets of the body; p is not kept. A long message is
// handed to its inspectors while the rest is on its way, unless it is refused
// already.
func (m *Message) Body(ctx context.Context, p []byte) {
	m.body += int64(len(p))
	m.inspection.stashOctets(p)
	if m.answers != nil {
		_, _ = m.answers.Write(p) // never fails
	}
	if m.inspection.stash != nil && m.body > earlyFrom && len(m.accepted) > 0 && m.pending(m.unfiltered()) == nil {
		m.inspection.begin(ctx)
	}
}

// size is what the message weighs: every field with its line end, the blank
// line, the body (accounting.md).
func (m *Message) size() int64 { return m.header.Octets + int64(len("\r\n")) + m.body }

// subjects are what readers may see in the first Subject, none without one. They
// are read once: rules, journals and tags ask.
func (m *Message) subjects() []string {
	if !m.headersIn {
		return nil // not yet known; a block at RCPT must not fix it so
	}
	if !m.subjectRead {
		m.subjectReadings, m.subjectRead = m.header.First("Subject"), true
	}
	return m.subjectReadings
}

// subject is the first of subjects, "" without one.
func (m *Message) subject() string {
	if all := m.subjects(); len(all) > 0 {
		return all[0]
	}
	return ""
}
