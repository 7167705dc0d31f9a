package rules

import (
	"errors"
	"strings"
)

// trace tries every rule up to the end of the stage on the facts themselves,
// without the arrangement that run goes by, and tells what decided each.
func (e *evaluation) trace(out *Outcome, t Tracer) {
	before, _ := e.facts.(Recaller)
	for _, r := range e.plan.rules {
		e.because = nil
		if before != nil {
			if gave, matched, known := before.Recall(r); known {
				t(Step{Rule: r, Matched: matched})
				if matched && e.settle(out, r, Hit{Rule: r, Weight: gave}) {
					return
				}
				continue
			}
		}
		v, step := r.test.explain(e)
		if out.Spent = e.work.Err() != nil; out.Spent {
			return
		}
		step.Rule, step.Matched = r, v == yes
		t(step)
		e.tryBeside(r, v)
		if e.add(out, r, v) {
			return
		}
	}
}

// explain is holds in full view. The step names the condition that settled it:
// one that fails, one whose fact is missing, else one that lets the rule match,
// of any before match before unless.
func (t *test) explain(e *evaluation) (truthValue, Step) {
	result, step := yes, Step{}
	for _, c := range t.match {
		v, s := e.look("match", c)
		if v == no {
			return no, s
		}
		if v < result || step.Clause == "" {
			result, step = min(result, v), s
		}
	}
	if len(t.any) > 0 {
		one, decided := e.lookAny("any", t.any)
		if one == no {
			return no, decided
		}
		if one <= result {
			result, step = one, decided
		}
	}
	for _, c := range t.unless {
		switch v, s := e.look("unless", c); v {
		case yes:
			return no, s
		case missing:
			result, step = missing, s
		case no:
			if step.Clause == "" {
				step = s
			}
		}
	}
	return result, step
}

// lookAny returns the best of the conditions and its step.
func (e *evaluation) lookAny(clause string, conditions []*condition) (truthValue, Step) {
	best, step := e.look(clause, conditions[0])
	for _, c := range conditions[1:] {
		if best == yes {
			break
		}
		if v, s := e.look(clause, c); v > best {
			best, step = v, s
		}
	}
	return best, step
}

// look tries one condition and says what it found.
func (e *evaluation) look(clause string, c *condition) (truthValue, Step) {
	switch {
	case c.alternatives != nil:
		return e.lookAny(clause, c.alternatives)
	case c.parts != nil:
		return e.lookAll(clause, c.parts)
	case c.counted != nil:
		v := e.holdsCount(c)
		_, step := e.lookAny(clause, c.counted)
		return v, step
	case c.key.Attr == RuleName:
		name, v := e.holdsRule(c)
		e.noted(c, v)
		step := Step{Clause: clause, Attr: c.key.String(), Value: name}
		if v == missing {
			step.Err = e.rulesErr
		}
		return v, step
	}
	a := e.ask(int(c.probe))
	step := Step{Clause: clause, Attr: c.key.String(), Err: a.err}
	if a.err != nil {
		return missing, step
	}
	i, ok := c.find(&a.known, e.work)
	if ok {
		step.Value = c.show(&a.known, i)
		return e.noted(c, yes), step
	}
	unread := a.unread
	switch i, v := e.holdsRef(c, a); v {
	case yes:
		e.noted(c, yes)
		step.Value = c.show(&a.known, i)
		return yes, step
	case missing:
		step.Err = errReference
		return missing, step
	}
	step.Value = c.showAll(&a.known)
	if unread != nil {
		step.Err = unread
		return missing, step
	}
	if c.leftOpen(&a.known) {
		step.Err = errOpen
		return missing, step
	}
	return no, step
}

// errReference is why a comparison with another attribute is open.
var errReference = errors.New("the value to compare with could not be had now")

// lookAll returns the worst of the conditions and its step.
func (e *evaluation) lookAll(clause string, conditions []*condition) (truthValue, Step) {
	least, step := e.look(clause, conditions[0])
	for _, c := range conditions[1:] {
		if least == no {
			break
		}
		if v, s := e.look(clause, c); v < least {
			least, step = v, s
		}
	}
	return least, step
}

// errOpen is why a rule defers on the value temperror.
var errOpen = errors.New("could not be had now")

// maxShown bounds the texts shown of a value that did not match.
const maxShown = 200

// show prints text or address number i of a value, or the value itself.
func (c *condition) show(k *known, i int) string {
	switch c.kind {
	case KindText:
		if i < len(k.texts) {
			return k.texts[i]
		}
		if i -= len(k.texts); i < len(k.value.Mailboxes) {
			return k.value.Mailboxes[i]
		}
		return ""
	case KindIP, KindDNSBL:
		if n := i - len(k.value.IPs); n >= 0 {
			return k.value.Refused[n].String()
		}
		return k.value.IPs[i].String()
	case KindNumber:
		return Weight(k.value.Num).String()
	case KindBool:
		if k.value.Num != 0 {
			return "true"
		}
		return "false"
	}
	return k.value.Text
}

// showAll prints a whole value, cut where it is long.
func (c *condition) showAll(k *known) string {
	n := 0
	switch c.kind {
	case KindText:
		n = len(k.texts)
	case KindIP, KindDNSBL:
		n = len(k.value.IPs)
	default:
		if k.value.Known {
			n = 1
		}
	}
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		if s := c.show(k, i); b.Len()+len(s) <= maxShown {
			b.WriteString(s)
			continue
		}
		b.WriteString("...")
		break
	}
	return b.String()
}
