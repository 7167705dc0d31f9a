package gate

import (
	"context"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// Observer is told each step of a judgement as it happens: by tracing,
// explaining, tests of policies, figures. It is called in the goroutine of the
// session, which waits for it, and keeps nothing of a Session or an Event but
// what is told to be its own.
type Observer interface {
	// Observes tells whether it listens to what comes next in a session. It is
	// asked at every stage and must be quick: a no costs nothing further.
	Observes(s *Session) bool
	Observe(s *Session, e Event)
}

// Event is one step: Asked, Tried, Hit, Tagged, Decided, Charged or Ended.
type Event interface{ event() }

// Asked is the value of an attribute that rules asked for.
type Asked struct {
	Stage rules.Stage
	Key   rules.Key
	Value rules.Value
	Err   error // it could not be had now
}

// Tried is a rule that was tried, and what decided about it.
type Tried struct {
	Stage     rules.Stage
	Recipient string // at rcptto, as the client wrote it
	rules.Step
}

// Hit is a rule that matched, or that could not be told and defers.
type Hit struct {
	Stage     rules.Stage
	Recipient string // at rcptto, as the client wrote it
	rules.Hit
	// Text is what matched, or a value that decided.
	Text string
	// Again: it matched this message before, and counts once.
	Again bool
}

// Tagged is what a rule or threshold wants set on a message that passes.
type Tagged struct {
	Rule string // "" of a threshold and of the antivirus
	Tags rules.Tags
}

// Decided is the answer to MAIL or to one recipient, or the verdict on the
// whole message with the reason that stands in the journal.
type Decided struct {
	Stage     rules.Stage
	Recipient string // at rcptto, as the client wrote it
	Verdict   Verdict
	Reply     Reply
	// Rule that refused, "" where none did, and why.
	Rule, Reason string
}

// Charged are usage records that have become durable. The slice is the
// observer's own.
type Charged struct{ Records []accounting.Record }

// Ended is the end of a message: its result or, with the verdict Aborted or
// that of its recipients, the end of one that nobody received.
type Ended struct{ Result Result }

func (Asked) event()   {}
func (Tried) event()   {}
func (Hit) event()     {}
func (Tagged) event()  {}
func (Decided) event() {}
func (Charged) event() {}
func (Ended) event()   {}

// Peer is the SMTP client.
func (s *Session) Peer() Peer { return s.peer }

// HeloName is what the client called itself last.
func (s *Session) HeloName() string { return s.helo }

// Message is the one under way, nil between messages.
func (s *Session) Message() *Message { return s.msg }

// Envelope is what was known at its MAIL.
func (m *Message) Envelope() Envelope { return m.env }

// Weight is that of all rules and modules so far.
func (m *Message) Weight() rules.Weight { return m.weight }

// Recipients are the accepted ones so far, as the client wrote them.
func (m *Message) Recipients() []string { return m.recipients() }

// findObservers finds out who listens to what comes next.
func (s *Session) findObservers() {
	s.observing = s.observing[:0]
	for _, o := range s.g.observers {
		if o.Observes(s) {
			s.observing = append(s.observing, o)
		}
	}
}

// hasObservers tells whether anybody listens. Events are only made where somebody
// does: they cost an allocation each.
func (s *Session) hasObservers() bool { return len(s.observing) > 0 }

// tell tells whoever listens.
func (s *Session) tell(e Event) {
	for _, o := range s.observing {
		o.Observe(s, e)
	}
}

// evaluate tries the rules of a stage.
func (s *Session) evaluate(ctx context.Context, stage rules.Stage, f *facts) rules.Outcome {
	out := s.try(ctx, stage, f)
	if out.Spent {
		s.overspent(f.m, stage)
	}
	return out
}

// overspent notes that the rules could not be tried to their end: the message,
// or where none is under way each of the session, is refused.
func (s *Session) overspent(m *Message, stage rules.Stage) {
	if m == nil {
		s.spent = true
		return
	}
	m.overrun(RuleWork, stage)
}

func (s *Session) try(ctx context.Context, stage rules.Stage, f *facts) rules.Outcome {
	s.findObservers()
	if !s.hasObservers() {
		return s.j.Rules.Evaluate(ctx, stage, f, nil)
	}
	recipient := ""
	if f.m != nil && f.m.current != nil {
		recipient = f.m.current.given()
	}
	texts := make(map[*rules.Rule]string)
	out := s.j.Rules.Evaluate(ctx, stage, observed{f, stage}, func(step rules.Step) {
		texts[step.Rule] = step.Value
		s.tell(Tried{stage, recipient, step})
	})
	for _, h := range out.Hits {
		again := f.m != nil && f.m.counts.has(h.Rule)
		s.tell(Hit{stage, recipient, h, texts[h.Rule], again})
	}
	return out
}

// observed are facts that tell what was asked.
type observed struct {
	*facts
	stage rules.Stage
}

func (o observed) Value(ctx context.Context, k rules.Key) (rules.Value, error) {
	var v rules.Value
	var known bool
	var err error
	if o.s.g.Recall != nil {
		v, known, err = o.s.g.Recall.Value(k)
	}
	if !known {
		v, err = o.facts.Value(ctx, k)
	}
	o.s.tell(Asked{o.stage, k, v, err})
	return v, err
}

// Recall implements rules.Recaller.
func (o observed) Recall(r *rules.Rule) (gave rules.Weight, matched, known bool) {
	if o.s.g.Recall == nil {
		return 0, false, false
	}
	recipient := ""
	if o.m != nil && o.m.current != nil {
		recipient = o.m.current.given()
	}
	return o.s.g.Recall.Rule(r, recipient)
}

// decided tells of an answer.
func (m *Message) decided(stage rules.Stage, recipient string, v Verdict, r Reply, why *refusal) {
	if !m.s.hasObservers() {
		return
	}
	d := Decided{Stage: stage, Recipient: recipient, Verdict: v, Reply: r}
	if why != nil {
		d.Rule, d.Reason = why.rule, why.reason
	}
	if w := m.welcome(); w != nil && d.Rule == "" && v == Accepted && stage == rules.Complete {
		d.Rule = w.Name // as the journal has it
	}
	m.s.tell(d)
}

// Counter counts what became of messages. Unlike an Observer it is told no
// step: where nobody else listens, rules are tried in the quick way.
type Counter interface {
	// Count is called in the goroutine of the session, which waits for it, once
	// for each message.
	Count(Fate)
}

// Fate is what became of a message.
type Fate struct {
	Policy  *rules.Policy // that it was judged by
	Verdict Verdict
	// Stage that decided, a name of rules.Stage; of a fault the place of it. A
	// message that nothing stood against, or that was given up, ended at
	// complete.
	Stage  string
	Weight rules.Weight
	Hits   []rules.Hit // each rule once, shadow rules included; not to be kept

	Accepted, Deferred, Refused int // recipients, by the answer to RCPT TO

	Took *took.Times // nil where nobody measured; not to be changed
}

// tellFate tells those who count, once.
func (m *Message) tellFate(v Verdict, stage string) {
	if m.fated || len(m.s.g.Counters) == 0 {
		return
	}
	if stage == "" {
		stage = rules.Complete.String()
	}
	m.fated = true
	f := Fate{
		Policy: m.j.Rules, Verdict: v, Stage: stage, Weight: m.weight, Hits: m.counted,
		Accepted: len(m.accepted), Deferred: m.deferred, Refused: m.refused,
		Took: m.timed(m.s.g.Now()),
	}
	for _, c := range m.s.g.Counters {
		c.Count(f)
	}
}

// noteRefusal counts a refusal, for the verdict of a message that nobody gets.
func (m *Message) noteRefusal(r *refusal, v Verdict) {
	m.lately = r.stage
	if v == Deferred {
		m.deferred++
	} else {
		m.refused++
	}
}

// givenUp is what is known of a message that ended before its end: a client that goes
// away and Postfix that takes no more of it (RFC 5321 section 4.2.3, 552) look alike
// to a milter.
const givenUp = "given up before its end, by the client or by Postfix, whose log tells which"

// abort ends a message that was not completed.
func (m *Message) abort() {
	if m.done {
		return
	}
	m.done = true
	defer m.inspection.release()
	v := Aborted
	switch {
	case len(m.accepted) > 0:
	case m.deferred > 0: // the client may come again
		v = Deferred
	case m.refused > 0:
		v = Rejected
	}
	if v == Aborted {
		m.remarks = append(m.remarks, givenUp)
	}
	m.record(v, nil, Reply{})
	stage := ""
	if v != Aborted {
		stage = m.lately
	}
	m.tellFate(v, stage)
	if m.s.findObservers(); m.s.hasObservers() {
		m.s.tell(Ended{Result{Verdict: v, Ref: m.ref, Weight: m.weight, Hits: m.counted}})
	}
}
