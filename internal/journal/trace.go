package journal

import (
	"net/netip"
	"slices"
)

// TraceSwitch is what the trace journal gets; turned while running.
type TraceSwitch struct {
	Protocol bool         `json:"protocol"`  // the SMTP dialogue as the MTA tells it
	Rules    bool         `json:"rules"`     // each rule tried
	ClientIP netip.Prefix `json:"client_ip"` // zero: every client
	// Sender and Recipient narrow it to messages from or to somebody, as in a Query:
	// an address, "@domain", a part. What comes before MAIL, or RCPT, is of nobody.
	Sender    string `json:"sender"`
	Recipient string `json:"recipient"`
}

// traced is what is traced: nil where nothing is.
type traced struct {
	file    *tracer // nil: nothing goes to the file
	watches []*Watch
}

// tracer is a switch made ready.
type tracer struct {
	TraceSwitch
	sender, recipient mailbox
}

func newTracer(s TraceSwitch) *tracer {
	s.ClientIP = s.ClientIP.Masked()
	return &tracer{s, newMailbox(s.Sender), newMailbox(s.Recipient)}
}

// of tells what is traced for a client, of whatever message.
func (t *tracer) of(client netip.Addr) (protocol, rules bool) {
	if t == nil || t.ClientIP.IsValid() && !t.ClientIP.Contains(client.Unmap()) {
		return false, false
	}
	return t.Protocol, t.Rules
}

// Events of the trace journal.
const (
	EventProtocol = "protocol"
	EventRules    = "rules"
)

// wants tells whether a line is among what is traced.
func (t *tracer) wants(e *Entry) bool {
	switch {
	case t == nil, e.Event == EventProtocol && !t.Protocol, e.Event == EventRules && !t.Rules:
		return false
	case t.ClientIP.IsValid() && !holds(t.ClientIP, e.ClientIP):
		return false
	case t.sender.given && (e.Direction == "" || !t.sender.is(e.Sender)): // without a direction there is no message yet
		return false
	}
	return !t.recipient.given || t.recipient.is(e.Recipient) || slices.ContainsFunc(e.Recipients, t.recipient.is)
}

// SetTrace turns tracing to the file on or off.
func (j *Journal) SetTrace(s TraceSwitch) {
	j.retrace(func(t *traced) {
		if t.file = nil; s.Protocol || s.Rules {
			t.file = newTracer(s)
		}
	})
}

// retrace changes what is traced.
func (j *Journal) retrace(change func(*traced)) {
	j.tracing.Lock()
	defer j.tracing.Unlock()
	next := new(traced)
	if now := j.traced.Load(); now != nil {
		next.file, next.watches = now.file, slices.Clone(now.watches)
	}
	change(next)
	if next.file == nil && len(next.watches) == 0 {
		next = nil
	}
	j.traced.Store(next)
}

// Tracing is what the file gets.
func (j *Journal) Tracing() TraceSwitch {
	if t := j.traced.Load(); t != nil && t.file != nil {
		return t.file.TraceSwitch
	}
	return TraceSwitch{}
}

// Traced tells what is traced for a client: one atomic load while tracing is off. Of
// what is narrowed to a sender or recipient it may say more than is kept of it.
func (j *Journal) Traced(client netip.Addr) (protocol, rules bool) {
	t := j.traced.Load()
	if t == nil {
		return false, false
	}
	protocol, rules = t.file.of(client)
	for _, w := range t.watches {
		p, r := w.of(client)
		protocol, rules = protocol || p, rules || r
	}
	return protocol, rules
}

// watched gives lines of the trace to who watches, and returns those for the file.
func (j *Journal) watched(entries []*Entry) []*Entry {
	t := j.traced.Load()
	if t == nil {
		return entries // was turned off a moment ago
	}
	var kept []*Entry
	for _, e := range entries {
		for _, w := range t.watches {
			if w.wants(e) {
				w.add(e)
			}
		}
		if t.file.wants(e) {
			kept = append(kept, e)
		}
	}
	return kept
}
