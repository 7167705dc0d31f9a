package gate

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// describe adds what is known of the message.
func (m *Message) describe(e *journal.Entry) {
	e.Ref = m.ref
	e.QueueID = m.queueID
	e.MessageID = m.messageID()
	e.TLS = m.env.TLSVersion
	if m.authenticated() {
		e.AuthUser = m.j.text(m.env.AuthUser)
	}
	e.Direction = m.direction()
	e.Sender = m.j.text(m.from.given())
	subject := m.subject()
	e.Subject = m.j.text(subject)
	if m.headersIn {
		e.Size = m.size()
	}
}

// traced describes the message in a line of the trace: recipient is who is named or
// judged just now, "" where all are concerned.
func (m *Message) traced(e *journal.Entry, recipient string) {
	m.describe(e)
	if recipient == "" && m.current != nil {
		recipient = m.current.given()
	}
	if recipient == "" {
		e.Recipients = m.recipientTexts()
		return
	}
	e.Recipient = m.j.text(recipient)
}

// recipientTexts are the accepted recipients for journals.
func (m *Message) recipientTexts() []string {
	all := m.recipients()
	for i, to := range all {
		all[i] = m.j.text(to)
	}
	return all
}

// messageID is the Message-ID for journals and records.
func (m *Message) messageID() string { return m.j.text(m.header.Fields.MessageID()) }

// judged adds what the rules found.
func (m *Message) judged(e *journal.Entry) {
	e.Weight = m.weight.String()
	e.Rules = m.found
	e.Modules = m.inspection.hits
}

// entry of a message in one of the journals.
func (m *Message) entry(kind string) *journal.Entry {
	e := m.s.entry(kind)
	e.Gateway, e.Policy = m.j.Gateway, m.j.Version
	m.describe(e)
	m.judged(e)
	return e
}

func (m *Message) blockEntry(why *refusal, v Verdict, r Reply, recipient string) *journal.Entry {
	e := m.entry(journal.Blocks)
	e.Recipient = m.j.text(recipient)
	e.Verdict = string(v)
	e.Stage, e.Rule, e.Reason = why.stage, why.rule, m.j.text(why.reason)
	e.Reply = r.String()
	if m.current != nil {
		e.Client = m.payerID(m.current)
	}
	return e
}

// block journals the refusal of one recipient, before it is answered.
func (m *Message) block(why *refusal, r Reply, recipient string) {
	v := r.verdict()
	if why.as != "" {
		v = why.as
	}
	m.s.logIf(m.s.g.Journal.Write(m.blockEntry(why, v, r, recipient)))
}

// blocksAtOnce are the blocks of one message that are written together.
const blocksAtOnce = 256

// blockAll journals what becomes of every accepted recipient of a message
// that is not passed on to them.
func (m *Message) blockAll(why *refusal, r Result) error {
	if len(m.accepted) == 0 {
		return nil
	}
	// All but the recipient is the same, and many are written in pieces: what
	// waits to be written must not grow with text times recipients.
	base := m.blockEntry(why, r.Verdict, r.Reply, "")
	for all := range slices.Chunk(m.accepted, blocksAtOnce) {
		entries := make([]*journal.Entry, len(all))
		for i := range all {
			e := *base
			e.Recipient, e.Client = m.j.text(all[i].given()), m.payerID(&all[i])
			entries[i] = &e
		}
		if err := m.journalBlocks(entries); err != nil {
			return err
		}
	}
	return nil
}

// journalRefusal journals what becomes of a message that is not passed on.
func (m *Message) journalRefusal(why *refusal, r Result) error {
	if len(m.barred) > 0 && m.overran == nil {
		return m.blockBarred(r)
	}
	return m.blockAll(why, r)
}

func (m *Message) journalBlocks(entries []*journal.Entry) error {
	if err := m.s.g.Journal.Write(entries...); err != nil {
		m.s.logIf(err)
		return errors.Join(errors.New("a block cannot be journalled"), err)
	}
	return nil
}

// record writes what became of the message.
func (m *Message) record(v Verdict, why *refusal, r Reply) {
	e := m.entry(journal.Messages)
	e.Recipients = m.recipientTexts()
	e.Verdict = string(v)
	if why != nil {
		e.Stage, e.Rule, e.Reason = why.stage, why.rule, m.j.text(why.reason)
	}
	if r := m.welcome(); r != nil && why == nil && v == Accepted {
		e.Stage, e.Rule = r.Stage.String(), r.Name
	}
	switch {
	case m.s.skip:
		e.Reason = "skip_clients"
	case m.fault != "" && v == Accepted:
		e.Reason = "unjudged after an internal fault at " + m.fault
	}
	e.Detail = m.j.text(strings.Join(m.remarks, "; "))
	e.Reply = r.String()
	if v == Accepted || v == Held {
		e.Tags = m.marks
	}
	e.Thresholds = m.passed
	e.Took = m.timed(e.Time)
	m.s.logIf(m.s.g.Journal.Write(e))
}

// timed is where the time of a message went that ends now.
func (m *Message) timed(now time.Time) *took.Times {
	if m.measured {
		return &m.times
	}
	w := &m.s.stopwatch
	if !w.end.IsZero() {
		w.times.Add(took.Complete, now.Sub(w.end))
	}
	m.times, w.times, m.measured = w.times, took.Times{}, true
	m.times.Total = max(now.Sub(w.mail), 0)
	return &m.times
}

// ruleTrace writes to the trace journal what decided about each rule, when
// that is switched on for the client.
type ruleTrace struct{ journal Journal }

func (t ruleTrace) Observes(s *Session) bool {
	_, on := t.journal.Traced(s.peer.Addr)
	return on
}

func (t ruleTrace) Observe(s *Session, e Event) {
	tried, ok := e.(Tried)
	if !ok {
		return
	}
	line := s.entry(journal.Trace)
	if s.msg != nil {
		s.msg.traced(line, "")
	}
	line.Event, line.Stage, line.Rule = journal.EventRules, tried.Stage.String(), tried.Rule.Name
	line.Detail = s.j.text(describe(tried.Step))
	s.logIf(t.journal.Write(line))
}

// describe tells what decided about a rule.
func describe(step rules.Step) string {
	text := "no match"
	if step.Matched {
		text = "match"
	}
	if step.Clause != "" {
		text += ": " + step.Clause + " " + step.Attr
	}
	if step.Value != "" {
		text += ", which is " + step.Value // the value, not what it is compared with
	}
	if step.Err != nil {
		text += ": " + step.Err.Error()
	}
	return text
}

// visible is a text without control characters and without those that turn the
// direction of writing.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// ruleHits are what the journals say of the rules that matched: the one
// listener of every message, told without an event.
type ruleHits []journal.RuleHit

func (h *ruleHits) add(hit rules.Hit) {
	one := journal.RuleHit{
		Name: hit.Rule.Name, Stage: hit.Rule.Stage.String(), Weight: hit.Weight.String(), Shadow: hit.Rule.Shadow,
		Attribute: hit.Attr, Text: visible(hit.Text),
	}
	if hit.Rule.Action != rules.Continue {
		one.Action = hit.Rule.Action.String()
	}
	*h = append(*h, one)
}

// addThreshold adds one in shadow that was passed.
func (h *ruleHits) addThreshold(t *rules.Threshold) {
	one := journal.RuleHit{Name: ThresholdName(t), Stage: rules.Complete.String(), Weight: "0", Shadow: true}
	if t.Action != rules.Continue {
		one.Action = t.Action.String()
	}
	*h = append(*h, one)
}

// ThresholdName is what journals call a threshold: no rule can have that name.
func ThresholdName(t *rules.Threshold) string { return "threshold above " + t.Above.String() }
