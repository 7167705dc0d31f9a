package rules

import (
	"context"
	"math/bits"
	"net/netip"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

// evaluation is one run of the rules of a stage. It is used again by the next
// run, so that judging a message allocates next to nothing.
type evaluation struct {
	plan  *plan
	ctx   context.Context
	facts Facts
	work  *budget.Budget
	out   Outcome

	// Rules that matched before: those of the facts, and so many of out's hits.
	askedRules bool
	earlier    []string
	heard      int
	rulesErr   error

	candidates []uint64 // a bit for each rule that may match, as far as looked at
	answers    []answer // of the plan's probes

	reason // why the rule under way matches
}

// Evaluate tries the rules of stage s in file order. t may be nil.
func (p *Policy) Evaluate(ctx context.Context, s Stage, f Facts, t Tracer) Outcome {
	if int(s) >= len(p.plans) || p.plans[s] == nil {
		return Outcome{}
	}
	e := p.plans[s].begin(ctx, f)
	if t == nil && e.plan.plain {
		t = func(Step) {}
	}
	if t == nil {
		e.run(&e.out)
	} else {
		e.trace(&e.out, t)
	}
	out := e.out
	e.end()
	return out
}

func (p *plan) begin(ctx context.Context, f Facts) *evaluation {
	e, ok := p.scratch.Get().(*evaluation)
	if !ok {
		e = &evaluation{plan: p, candidates: make([]uint64, len(p.always)), answers: make([]answer, len(p.probes))}
		for i := range p.probes {
			if x := p.probes[i].index; x != nil {
				e.answers[i].marks = expr.NewMarks(x)
			}
		}
	}
	e.ctx, e.facts, e.work = ctx, f, f.Work()
	return e
}

// end forgets the message: nothing of it may outlive its evaluation.
func (e *evaluation) end() {
	for i := range e.answers {
		if e.answers[i].asked {
			e.answers[i].reset(&e.plan.probes[i])
		}
	}
	e.ctx, e.facts, e.work, e.out = nil, nil, nil, Outcome{}
	e.reason = reason{}
	clear(e.earlier)
	e.askedRules, e.earlier, e.rulesErr = false, e.earlier[:0], nil
	e.plan.scratch.Put(e)
}

// run tries the candidates in file order. A probe is looked at no earlier than
// the first rule it guards: a stage that ends before does not pay for it.
func (e *evaluation) run(out *Outcome) {
	copy(e.candidates, e.plan.always)
	guards := e.plan.guards
	for from := 0; ; from++ {
		next := e.candidate(from)
		for len(guards) > 0 && int(e.plan.probes[guards[0]].first) <= next {
			e.scan(int(guards[0]))
			guards = guards[1:]
			next = e.candidate(from)
		}
		if next == noRule {
			return
		}
		r := e.plan.rules[next]
		e.because = nil
		v := r.test.holds(e)
		if out.Spent = e.work.Err() != nil; out.Spent || e.add(out, r, v) {
			return
		}
		from = next
	}
}

// candidate returns the first candidate from rule n on, or noRule.
func (e *evaluation) candidate(n int) int {
	for w := n / 64; w < len(e.candidates); w++ {
		word := e.candidates[w]
		if w == n/64 {
			word &= ^uint64(0) << (n % 64)
		}
		if word != 0 {
			return w*64 + bits.TrailingZeros64(word)
		}
	}
	return noRule
}

// ask has the value of a probe, from facts at most once.
func (e *evaluation) ask(i int) *answer {
	a := &e.answers[i]
	if !a.asked {
		p := &e.plan.probes[i]
		v, err := e.facts.Value(e.ctx, p.key)
		a.asked = true
		a.take(p, v, err)
	}
	return a
}

// scan marks the patterns that may match a probe's value, and makes the rules
// candidates that the probe guards.
func (e *evaluation) scan(i int) {
	a, p := e.ask(i), &e.plan.probes[i]
	if a.scanned {
		return
	}
	a.scanned = true
	if a.err != nil || a.value.Partial {
		// What a missing fact means is for each rule to say.
		e.nominate(p.guarded)
	}
	if a.err != nil {
		return
	}
	if p.index != nil {
		a.marks.Begin(p.index)
		for n, s := range a.texts {
			p.index.Scan(s, int32(n), &a.marks, e.work)
		}
		for _, id := range a.marks.Marked() {
			e.nominate(p.guards.of(id))
		}
		for _, id := range p.index.Always() {
			e.nominate(p.guards.of(id))
		}
	}
	for i := range p.direct {
		// Of a list that cannot be read each rule says what that means.
		if _, ok := p.direct[i].findOther(&a.known, e.work); ok || a.unread != nil {
			e.nominate(p.direct[i].rules)
		}
	}
	if p.prefixes != nil {
		for _, addr := range a.value.IPs {
			for _, rules := range p.prefixes.Supernets(netip.PrefixFrom(addr, addr.BitLen())) {
				e.nominate(rules)
			}
		}
	}
}

func (e *evaluation) nominate(rules []int32) {
	for _, r := range rules {
		e.candidates[r/64] |= 1 << (r % 64)
	}
}

// holds tells whether a condition holds.
func (e *evaluation) holds(c *condition) truthValue {
	switch {
	case c.alternatives != nil:
		return e.holdsAny(c.alternatives)
	case c.parts != nil:
		return e.holdsAll(c.parts)
	case c.counted != nil:
		return e.holdsCount(c)
	case c.key.Attr == RuleName:
		_, v := e.holdsRule(c)
		return e.noted(c, v)
	}
	a := e.ask(int(c.probe))
	if a.err != nil {
		return missing
	}
	if len(c.ids) > 0 {
		e.scan(int(c.probe))
		for i, id := range c.ids {
			if a.marks.Matches(id, c.patterns[i], a.texts, e.work) {
				return e.noted(c, yes)
			}
		}
	}
	if _, ok := c.findOther(&a.known, e.work); ok {
		return e.noted(c, yes)
	}
	unread := a.unread != nil
	if _, v := e.holdsRef(c, a); v != no {
		return e.noted(c, v)
	}
	if unread || c.leftOpen(&a.known) {
		return missing
	}
	return no
}

// holdsAll tells whether all of them hold.
func (e *evaluation) holdsAll(all []*condition) truthValue {
	least := yes
	for _, c := range all {
		if least = min(least, e.holds(c)); least == no {
			break
		}
	}
	return least
}

// holdsAny tells whether one of them holds, which no other that cannot be told
// keeps it from.
func (e *evaluation) holdsAny(all []*condition) truthValue {
	best := no
	for _, c := range all {
		if best = max(best, e.holds(c)); best == yes {
			break
		}
	}
	return best
}

// add notes what became of a rule and tells whether the stage ends with it.
func (e *evaluation) add(o *Outcome, r *Rule, v truthValue) bool {
	if v == no || v == missing && !r.test.tempfail {
		return false
	}
	hit := Hit{Rule: r, Temperror: v == missing, Weight: r.Weight}
	if v == yes {
		e.measure(&hit)
	}
	return e.settle(o, r, hit)
}
