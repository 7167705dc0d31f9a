package gate

import "github.com/tollgate-mail/tollgate/rules"

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

// abort ends a message that was not completed.
func (m *Message) abort() {
	if m.done {
		return
	}
	m.done = true
	defer m.release()
	v := Aborted
	switch {
	case len(m.accepted) > 0:
	case m.deferred > 0: // the client may come again
		v = Deferred
	case m.refused > 0:
		v = Rejected
	}
	m.record(v, nil, Reply{})
	stage := ""
	if v != Aborted {
		stage = m.lately
	}
	m.tellFate(v, stage)
	if m.s.attend(); m.s.heard() {
		m.s.tell(Ended{Result{Verdict: v, Ref: m.ref, Weight: m.weight, Hits: m.counted}})
	}
}
