package proof

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules"
)

// Policy is what findings are made of.
type Policy struct {
	Source   rules.Source
	Compiled *rules.Policy
	// Scored: a module adds to the weight, as much as it likes.
	Scored bool
	Dates  []Date
}

// Date is a day at which something ends.
type Date struct {
	Pos  diag.Pos
	What string // "client ivan: expires"
	Day  time.Time
}

// Findings are what is allowed but serves no purpose, or another than it seems
// to, each a warning.
func Findings(p Policy, now time.Time) diag.Problems {
	f := &findings{Prover: New(p.Source, p.Compiled), policy: p}
	for i := range p.Source.Rules {
		f.rule(i)
	}
	f.weights()
	f.lists()
	for _, d := range p.Dates {
		if !d.Day.IsZero() && !d.Day.After(now) {
			f.tell(d.Pos, "%s is gone by (%s)", d.What, d.Day.Format(time.DateOnly))
		}
	}
	f.problems.Sort()
	return f.problems
}

// findings gathers them.
type findings struct {
	*Prover
	policy   Policy
	problems diag.Problems
	alone    map[string]int // rules of one expression alone, by what they look for
}

func (f *findings) tell(pos diag.Pos, format string, args ...any) {
	f.problems = append(f.problems, diag.Problem{Pos: pos, Msg: fmt.Sprintf(format, args...), Warning: true})
}

// rule looks at one rule.
func (f *findings) rule(i int) {
	src := &f.src.Rules[i]
	name := fmt.Sprintf("rule %q", src.Name)
	if why := f.Dead(i); why != "" {
		f.tell(src.Pos, "%s can never match: %s", name, why)
	} else if by := f.Covered(i); by >= 0 {
		earlier := &f.src.Rules[by]
		f.tell(src.Pos, "%s can never match: whatever it is for is %s by rule %q at %s before", name, ending(earlier), earlier.Name, earlier.Pos)
	}
	form := &f.forms[i]
	for _, clause := range [...][]rules.Term{form.Match, form.Any, form.Unless} {
		for k := range clause {
			for _, leaf := range leaves(&clause[k]) {
				f.term(name, &leaf)
			}
		}
	}
	f.twice(i)
	f.forged(i)
}

// ending is what a rule does to what it matches.
func ending(r *rules.SourceRule) string {
	switch r.Action {
	case "accept":
		return "accepted"
	case "reject":
		return "refused"
	case "tempfail":
		return "deferred"
	}
	return "ended"
}

// term looks at the operands of a condition, each and beside the others.
func (f *findings) term(rule string, t *rules.Term) {
	name := t.Key.String()
	for i := range t.Wants {
		w := &t.Wants[i]
		if t.Key.Attr == rules.RuleName {
			continue
		}
		switch {
		case w.Kind == rules.WantPattern && w.V != "" && f.shape(w.Pattern).everything():
			f.tell(w.Pos, "%s: %s: %q matches everything", rule, name, w.V)
		case w.Kind == rules.WantPattern && w.V != "" && f.shape(w.Pattern).vague():
			f.tell(w.Pos, "%s: %s: %q has no literal and is found nearly everywhere; hold it with ^ or $, or name what must be there", rule, name, w.V)
		case w.Kind == rules.WantPrefix && w.Prefix.Bits() == 0:
			f.tell(w.Pos, "%s: %s: %s is every address", rule, name, w.Prefix)
		}
		f.beside(rule, t, i)
	}
	if row := t.Row(); row.Kind == rules.KindEnum && len(t.Wants) >= len(row.Names) && !t.All && t.Hits == "" {
		f.tell(t.Pos, "%s: %s: every value there is stands here", rule, name)
	}
	if row := t.Row(); row.Kind == rules.KindBool && len(t.Wants) > 1 && !t.All && t.Hits == "" {
		f.tell(t.Pos, "%s: %s: true and false are every value there is", rule, name)
	}
}

// beside tells of an operand that another one of its condition covers.
func (f *findings) beside(rule string, t *rules.Term, i int) {
	if t.Hits != "" {
		return // each counts
	}
	w := &t.Wants[i]
	for k := range t.Wants {
		o := &t.Wants[k]
		same := w.V == o.V
		switch {
		case k == i, same && k > i, w.Kind == rules.WantPrefix && o.Kind == rules.WantPrefix && w.Prefix == o.Prefix && k > i:
		case same:
			f.tell(w.Pos, "%s: %s: %v stands there twice", rule, t.Key, shown(w.V))
			return
		case t.All && f.inOne(t.Key, o, w), !t.All && f.inOne(t.Key, w, o) && !(k > i && f.inOne(t.Key, o, w)):
			f.tell(w.Pos, "%s: %s: %v adds nothing to %v", rule, t.Key, shown(w.V), shown(o.V))
			return
		}
	}
}

func shown(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}

// twice tells of rules that are the same, and of expressions that two rules look
// for alone.
func (f *findings) twice(i int) {
	src := &f.src.Rules[i]
	if src.Disabled || src.Shadow {
		return
	}
	if f.alone == nil {
		f.alone = map[string]int{}
	}
	form := &f.forms[i]
	key := src.Stage + "\n" + fmt.Sprint(texts(form.Match), texts(form.Any), texts(form.Unless))
	if len(form.Match)+len(form.Any)+len(form.Unless) == 0 {
		return
	}
	if other, ok := f.alone[key]; ok {
		f.tell(src.Pos, "rule %q has the same conditions as rule %q at %s", src.Name, f.src.Rules[other].Name, f.src.Rules[other].Pos)
		return
	}
	f.alone[key] = i
	if len(form.Match)+len(form.Any) != 1 || len(form.Unless) > 0 {
		return
	}
	for _, t := range append(form.Match[:len(form.Match):len(form.Match)], form.Any...) {
		if t.Group != nil || t.All || t.Hits != "" {
			continue
		}
		for _, w := range t.Wants {
			if w.Kind != rules.WantPattern && w.Kind != rules.WantPrefix && w.Kind != rules.WantZone {
				continue
			}
			key := src.Stage + " " + t.Key.String() + " " + shown(w.V)
			if other, ok := f.alone[key]; ok && other != i {
				f.tell(w.Pos, "rule %q: %s: rule %q at %s looks for %s, too", src.Name, t.Key, f.src.Rules[other].Name, f.src.Rules[other].Pos, shown(w.V))
				continue
			}
			f.alone[key] = i
		}
	}
}

// texts are the terms of a clause as they were written, in one order.
func texts(clause []rules.Term) []string {
	var all []string
	for i := range clause {
		t := &clause[i]
		if t.Group != nil {
			all = append(all, fmt.Sprint(texts(t.Group)))
			continue
		}
		var wants []string
		for _, w := range t.Wants {
			wants = append(wants, shown(w.V))
		}
		slices.Sort(wants)
		all = append(all, fmt.Sprint(t.Key, t.All, t.Hits, wants))
	}
	slices.Sort(all)
	return all
}

// forged tells of an accept that whoever writes a sender can have: SMTP does not
// vouch for it (RFC 5321 §7.1).
func (f *findings) forged(i int) {
	src := &f.src.Rules[i]
	if src.Action != "accept" || src.Stage == "rcptto" {
		return
	}
	form := &f.forms[i]
	sender, vouched := false, false
	for _, t := range form.Match {
		for _, leaf := range leaves(&t) {
			row := leaf.Row()
			vouched = vouched || row.Client || row.Attr == rules.DKIMDomain || passes(&leaf)
			sender = sender || row.Attr == rules.Sender || row.Attr == rules.SenderDomain
		}
	}
	for _, t := range form.Any {
		for _, leaf := range leaves(&t) {
			row := leaf.Row()
			sender = sender || row.Attr == rules.Sender || row.Attr == rules.SenderDomain
		}
	}
	if sender && !vouched {
		f.tell(src.At["action"].OrElse(src.Pos), "rule %q accepts whoever calls himself so: a sender is what the client says; ask for client_ip or spf = \"pass\", too", src.Name)
	}
	f.anybody(i)
}

// anybody tells of an accept that asks for nothing but that a domain vouches for its
// own mail: which domain, anybody may choose.
func (f *findings) anybody(i int) {
	form := &f.forms[i]
	if len(form.Any) > 0 || len(form.Match) == 0 {
		return
	}
	for _, t := range form.Match {
		for _, leaf := range leaves(&t) {
			switch leaf.Key.Attr {
			case rules.SPF, rules.DKIM, rules.DMARC:
				if len(leaf.Wants) == 1 && leaf.Wants[0].Name == "pass" {
					continue
				}
			}
			return
		}
	}
	src := &f.src.Rules[i]
	f.tell(src.At["action"].OrElse(src.Pos), "rule %q accepts whoever has a domain of his own: say whose mail is meant, with sender_domain, author_domain or dkim_domain", src.Name)
}

// passes tells a condition that somebody vouches for the envelope sender. A signature
// does not, nor DMARC, which asks for the author: both may be those of another domain.
func passes(t *rules.Term) bool {
	switch t.Key.Attr {
	case rules.SPF:
		return len(t.Wants) == 1 && t.Wants[0].Name == "pass"
	case rules.Direction:
		return len(t.Wants) == 1 && t.Wants[0].Name == "outbound"
	}
	return false
}

// lists tells of those that no rule names.
func (f *findings) lists() {
	used := map[string]bool{}
	for i := range f.forms {
		for _, clause := range [...][]rules.Term{f.forms[i].Match, f.forms[i].Any, f.forms[i].Unless} {
			for k := range clause {
				for _, leaf := range leaves(&clause[k]) {
					for _, w := range leaf.Wants {
						used[w.ListName] = true
					}
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.src.Lists)) {
		if !used[name] {
			f.tell(f.src.ListsAt[name], "list %s is in no rule", name)
		}
	}
}
