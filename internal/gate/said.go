package gate

import "github.com/tollgate-mail/tollgate/rules"

// said is what the rules of one scope have said so far: those of connect,
// those of the last HELO, or those of a message.
type said struct {
	hits    []rules.Hit
	accept  *rules.Rule // ended the scope's rules
	refusal *refusal    // ended the scope
	discard *rules.Rule // to be carried out at the end of the message
	hold    *rules.Rule
}

// ended tells whether no further rule of the scope is tried.
func (s *said) ended() bool { return s.accept != nil || s.refusal != nil }

// refusal is a verdict that has yet to be answered: its reply may name the
// recipient it is given to.
type refusal struct {
	stage  string
	rule   string // "" when no rule made it
	reason string
	reply  *rules.Reply
	// captures are the groups of the expression that matched.
	captures []string
	as       Verdict // how the blocks journal calls it; "": by the reply's code
}

// verdict is the class of the reply's code.
func (r *refusal) verdict() Verdict {
	if r.reply.Code >= 500 {
		return Rejected
	}
	return Deferred
}

// hear adds the outcome of one stage.
func (s *said) hear(stage rules.Stage, out rules.Outcome, texts *texts) {
	s.hits = append(s.hits, out.Hits...)
	if s.discard == nil {
		s.discard = out.Discard
	}
	if s.hold == nil {
		s.hold = out.Hold
	}
	switch out.Action {
	case rules.Accept:
		s.accept = out.By
	case rules.Reject, rules.Tempfail:
		s.refusal = refuse(stage, out, texts)
	}
}

// refuse makes the refusal of a rule that rejects or defers.
func refuse(stage rules.Stage, out rules.Outcome, texts *texts) *refusal {
	r := &refusal{stage: stage.String(), rule: out.By.Name, reason: "rule " + out.By.Name, reply: out.By.Reply}
	for _, h := range out.Hits {
		if h.Rule == out.By {
			r.captures = h.Captures
		}
		if h.Rule == out.By && h.Temperror {
			// The rule did not match; what it needs could not be had.
			r.reason = "rule " + out.By.Name + ": a value could not be had (on_temperror)"
			r.reply = texts.tempfail
			return r
		}
	}
	if r.reply == nil {
		r.reply = texts.reject
		if out.Action == rules.Tempfail {
			r.reply = texts.tempfail
		}
	}
	return r
}
