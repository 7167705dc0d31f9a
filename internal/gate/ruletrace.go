package gate

import (
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/rules"
)

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
		s.msg.describe(line)
	}
	line.Event, line.Stage, line.Rule = "rules", tried.Stage.String(), tried.Rule.Name
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
		text += " = " + step.Value
	}
	if step.Err != nil {
		text += ": " + step.Err.Error()
	}
	return text
}

// ruleHits are what the journals say of the rules that matched: the one
// listener of every message, told without an event.
type ruleHits []journal.RuleHit

func (h *ruleHits) hear(hit rules.Hit) {
	*h = append(*h, journal.RuleHit{
		Name: hit.Rule.Name, Stage: hit.Rule.Stage.String(), Weight: hit.Weight.String(), Shadow: hit.Rule.Shadow,
	})
}
