package proof

import (
	"slices"

	"github.com/tollgate-mail/tollgate/rules"
)

// Dead tells why a rule can never match, "" where it is not known that it cannot.
func (p *Prover) Dead(rule int) string {
	if p.src.Rules[rule].OnTemperror == "tempfail" {
		return "" // it speaks where it does not match, too
	}
	why := ""
	for _, c := range p.cases[rule] {
		w := p.impossible(c)
		if w == "" {
			return ""
		}
		why = w
	}
	return why
}

// impossible says which two conditions exclude each other.
func (p *Prover) impossible(c conjunction) string {
	for i := range c {
		if a := &c[i]; !a.not {
			if why := p.excluded(a, c); why != "" {
				return why
			}
		}
	}
	return ""
}

// excluded tells why no value is what a wants, given all of c.
func (p *Prover) excluded(a *literal, c conjunction) string {
	var not []rules.Want
	for i := range c {
		b := &c[i]
		switch {
		case b.not && b.key == a.key:
			not = append(not, b.wants...)
		case !b.not && apart(a, b) || !b.not && apart(b, a):
			return a.row.Name + " and " + b.row.Name + " exclude each other"
		}
	}
	name := p.name(a)
	if a.row.Kind == rules.KindNumber && !slices.ContainsFunc(a.wants, func(w rules.Want) bool { return w.Low <= w.High }) {
		return name + " is never so"
	}
	left := slices.Clone(a.wants)
	left = slices.DeleteFunc(left, func(w rules.Want) bool { return p.within(a.key, &w, not) || p.never(a, &w, not) })
	if len(left) == 0 {
		return "what match wants of " + name + " is what unless excludes"
	}
	for i := range c {
		b := &c[i]
		if b.not || b.key != a.key || b == a || !single(&a.row) && !presence(a, b) {
			continue
		}
		apart := !slices.ContainsFunc(left, func(x rules.Want) bool {
			return slices.ContainsFunc(b.wants, func(y rules.Want) bool { return !p.disjoint(&x, &y) })
		})
		if apart {
			return "no " + name + " is all that is wanted of it"
		}
	}
	return ""
}

// never tells of names whether only those are left that are not wanted.
func (p *Prover) never(a *literal, w *rules.Want, not []rules.Want) bool {
	if a.row.Kind != rules.KindNumber || w.Low > w.High {
		return false
	}
	return numbers(not).covers(interval{w.Low, w.High})
}

// presence tells whether one of them says that there is no text at all.
func presence(a, b *literal) bool {
	absent := func(l *literal) bool {
		return len(l.wants) == 1 && l.wants[0].Kind == rules.WantTruth && !l.wants[0].Truth
	}
	return absent(a) || absent(b)
}

// apart tells of two attributes that they cannot be so at once.
func apart(a, b *literal) bool {
	no := len(a.wants) == 1 && a.wants[0].Kind == rules.WantTruth && !a.wants[0].Truth
	switch {
	case a.key.Attr == rules.TLS && b.key.Attr == rules.TLSVersion,
		a.key.Attr == rules.Authenticated && b.key.Attr == rules.AuthUser:
		return no
	}
	return false
}

func (p *Prover) name(l *literal) string { return l.key.String() }

// Covered is the first rule by which every message that the rule would match is
// out of its reach before; -1 where none is known.
func (p *Prover) Covered(rule int) int {
	src := &p.src.Rules[rule]
	if src.OnTemperror == "tempfail" || src.Disabled {
		return -1
	}
	at, tried := p.places[src.Name]
	if !tried {
		return -1
	}
	for i := range p.src.Rules {
		earlier := &p.src.Rules[i]
		before, ok := p.places[earlier.Name]
		if !ok || i == rule || earlier.Disabled || earlier.Shadow || !p.ends(i, before, at) {
			continue
		}
		if p.implied(i, rule, before.stage != at.stage) {
			return i
		}
	}
	return -1
}

// ends tells whether a rule that matches keeps those of a place from being
// tried.
func (p *Prover) ends(rule int, before, at place) bool {
	action := p.src.Rules[rule].Action
	final := action == "accept" || action == "reject" || action == "tempfail"
	switch {
	case before.stage == at.stage:
		return before.order < at.order && (final || p.src.Rules[rule].Last)
	case !final || before.stage > at.stage || before.order >= p.cut[before.stage]:
		return false
	}
	// At helo nothing is tried for a client that says none.
	return before.stage == rules.Connect || before.stage == rules.MailFrom || before.stage == rules.Headers || before.stage == rules.Complete
}

// implied tells whether the earlier rule matches whenever the later one does.
func (p *Prover) implied(earlier, later int, acrossStages bool) bool {
	f := &p.forms[earlier]
	if acrossStages && !steady(f) || len(f.Match)+len(f.Any)+len(f.Unless) > mostCases {
		return false
	}
	for _, c := range p.cases[later] {
		if !p.entails(c, f) {
			return false
		}
	}
	return true
}

// entails tells whether a form holds wherever a conjunction does.
func (p *Prover) entails(c conjunction, f *rules.Form) bool {
	for i := range f.Match {
		if !p.entailsTerm(c, &f.Match[i]) {
			return false
		}
	}
	if len(f.Any) > 0 && !slices.ContainsFunc(f.Any, func(t rules.Term) bool { return p.entailsTerm(c, &t) }) {
		return false
	}
	for i := range f.Unless {
		if !p.refutes(c, &f.Unless[i]) {
			return false
		}
	}
	return true
}

func (p *Prover) entailsTerm(c conjunction, t *rules.Term) bool {
	switch {
	case t.Group != nil:
		return !slices.ContainsFunc(t.Group, func(g rules.Term) bool { return !p.entailsTerm(c, &g) })
	case t.Hits != "" || t.Key.Attr == rules.RuleName:
		return false
	case t.All:
		for i := range t.Wants {
			one := *t
			one.All, one.Wants = false, t.Wants[i:i+1]
			if !p.entailsTerm(c, &one) {
				return false
			}
		}
		return true
	}
	return slices.ContainsFunc(c, func(l literal) bool {
		return !l.not && l.key == t.Key && !slices.ContainsFunc(l.wants, func(w rules.Want) bool { return !p.within(l.key, &w, t.Wants) })
	})
}

// refutes tells whether a term is known not to hold wherever a conjunction does.
func (p *Prover) refutes(c conjunction, t *rules.Term) bool {
	switch {
	case t.Group != nil:
		return slices.ContainsFunc(t.Group, func(g rules.Term) bool { return p.refutes(c, &g) })
	case t.Hits != "" || t.Key.Attr == rules.RuleName:
		return false
	}
	row := t.Row()
	// Of all wants of a term one that is refuted will do; else each.
	refuted := func(w rules.Want) bool {
		return slices.ContainsFunc(c, func(l literal) bool {
			switch {
			case l.key != t.Key:
				return false
			case l.not:
				return p.within(l.key, &w, l.wants)
			}
			// Of what inspectors find there may be more than could be read.
			return (single(&row) || !row.Inspected && presence(&l, &literal{wants: []rules.Want{w}})) && !slices.ContainsFunc(l.wants, func(x rules.Want) bool { return !p.disjoint(&x, &w) })
		})
	}
	if t.All {
		return slices.ContainsFunc(t.Wants, refuted)
	}
	return !slices.ContainsFunc(t.Wants, func(w rules.Want) bool { return !refuted(w) })
}

// steady tells whether a form asks only for what is the same at every later
// stage.
func steady(f *rules.Form) bool {
	for _, clause := range [...][]rules.Term{f.Match, f.Any, f.Unless} {
		for i := range clause {
			for _, leaf := range leaves(&clause[i]) {
				row := leaf.Row()
				switch {
				case row.Asks != rules.Nobody, row.Stage == rules.RcptTo, row.Attr == rules.RuleName, row.Inspected:
					return false
				}
			}
		}
	}
	return true
}

// leaves are the conditions with a key that a term is made of.
func leaves(t *rules.Term) []rules.Term {
	if t.Group == nil {
		return []rules.Term{*t}
	}
	var all []rules.Term
	for i := range t.Group {
		all = append(all, leaves(&t.Group[i])...)
	}
	return all
}

// Disjoint tells whether no message is what both rules are for at one stage;
// false where that is not known.
func (p *Prover) Disjoint(a, b int) bool {
	if p.src.Rules[a].OnTemperror == "tempfail" || p.src.Rules[b].OnTemperror == "tempfail" {
		return false // they speak where they do not match, too
	}
	for _, x := range p.cases[a] {
		for _, y := range p.cases[b] {
			if p.impossible(append(x[:len(x):len(x)], y...)) == "" {
				return false
			}
		}
	}
	return true
}
