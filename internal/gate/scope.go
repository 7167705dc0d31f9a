package gate

import (
	"slices"

	"github.com/tollgate-mail/tollgate/rules"
)

// scope is what the rules of one scope have decided so far: those of connect,
// those of the last HELO, or those of a message.
type scope struct {
	hits    []rules.Hit
	accept  *rules.Rule // ended the scope's rules
	refusal *refusal    // ended the scope
	discard *rules.Rule // to be carried out at the end of the message
	hold    *rules.Rule
}

// ended tells whether no further rule of the scope is tried.
func (s *scope) ended() bool { return s.accept != nil || s.refusal != nil }

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

// add adds the outcome of one stage.
func (s *scope) add(stage rules.Stage, out rules.Outcome, texts *texts) {
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

// texts are the replies no policy sets: of a rule or threshold without one of
// its own, and of what should not happen. They say nothing of the inside; the
// reference leads to the journal, which does.
type texts struct {
	reject, tempfail, fault, noRecipients, infected, oversize, unscanned, greylisted *rules.Reply

	beyond [len(bounds)]*rules.Reply // nil of bounds without a reply
}

func newTexts() texts {
	return texts{
		reject:       fixed("550 5.7.1 Refused by local policy", rules.Reject),
		tempfail:     fixed("451 4.7.1 Deferred by local policy, please try again later", rules.Tempfail),
		fault:        fixed("451 4.3.0 Temporary fault here, please try again later", rules.Tempfail),
		noRecipients: fixed("554 5.5.1 No valid recipients", rules.Reject), // RFC 5321 §3.3
		infected:     fixed("550 5.7.1 Infected: {virus}", rules.Reject),
		oversize:     fixed("552 5.3.4 Too large to be scanned for viruses", rules.Reject), // RFC 3463 §3.4
		unscanned:    fixed("451 4.7.1 Cannot be checked at the moment, please try again later", rules.Tempfail),
		greylisted:   fixed("451 4.7.1 Greylisted, please try again later", rules.Tempfail),
		beyond:       boundReplies(),
	}
}

// OwnReplies are the replies that no policy sets, with their placeholders.
func OwnReplies() []string {
	t := newTexts()
	var all []string
	for _, r := range append([]*rules.Reply{t.reject, t.tempfail, t.fault, t.noRecipients, t.infected, t.oversize, t.unscanned, t.greylisted}, t.beyond[:]...) {
		if r != nil {
			all = append(all, r.Text.String())
		}
	}
	return all
}

// fixed parses a reply that is part of the program: one that does not parse
// is a mistake in it.
func fixed(s string, a rules.Action) *rules.Reply {
	r, err := rules.ParseReply(s, a)
	if err != nil {
		panic("gate: " + err.Error())
	}
	return r
}

// counts gathers what rules contribute to a message: each rule once, however
// many recipients or fields it matched.
type counts struct {
	counted []rules.Hit // of any stage, in order, shadow rules included
	seen    []uint64    // by rules.Rule.Index
	found   ruleHits    // the same for journals
	weight  rules.Weight
	tagged  []tagging
}

// tagging is what a rule or threshold wants set.
type tagging struct {
	rule     string // "" of a threshold
	tags     rules.Tags
	captures []string // of the expression that matched
}

func (c *counts) reset(n int) { c.seen = make([]uint64, (n+63)/64) }

// count adds the rules that matched; a rule whose value could not be had did
// not, and a shadow rule is only noted.
func (c *counts) count(hits []rules.Hit) {
	for _, h := range hits {
		if h.Temperror {
			continue
		}
		if c.has(h.Rule) {
			continue
		}
		c.seen[h.Rule.Index/64] |= 1 << (h.Rule.Index % 64)
		c.counted = append(c.counted, h)
		c.found.add(h)
		if h.Rule.Shadow {
			continue
		}
		c.weight += h.Weight
		c.tagged = append(c.tagged, tagging{h.Rule.Name, h.Rule.Tags, h.Captures})
	}
}

// has tells whether a rule has been counted.
func (c *counts) has(r *rules.Rule) bool { return c.seen[r.Index/64]&(1<<(r.Index%64)) != 0 }

// names are the rules that matched with effect.
func (c *counts) names() []string {
	names := make([]string, 0, len(c.counted))
	for _, h := range c.counted {
		if !h.Rule.Shadow {
			names = append(names, h.Rule.Name)
		}
	}
	return slices.Clip(names)
}

// captured is what a group of an expression matched, "" for none.
func captured(captures []string, name string) (text string, is bool) {
	n := rules.Group(name)
	if n == 0 {
		return "", false
	}
	if n > len(captures) {
		return "", true
	}
	return captures[n-1], true
}
