// Package proof tells of the rules of a policy what holds for every message:
// which can never match, which are covered by others, which changes change
// nothing. It is decided over networks, lists, names, numbers and expressions
// that are literals; where it cannot be decided, nothing is said.
package proof

import (
	"net/netip"
	"slices"

	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// Prover knows the rules of one policy. It is for one goroutine.
type Prover struct {
	src    rules.Source
	forms  []rules.Form
	cases  [][]conjunction // of each rule
	shapes map[*expr.Pattern]*shape
	places map[string]place
	// cut is the order of the first rule of a stage that may not be tried because
	// one before it says last.
	cut [rules.Inspected + 1]int
}

// place is when a rule is tried.
type place struct {
	stage rules.Stage // of the two halves of complete the one that it is in
	order int         // in it
}

// New reads the rules of a policy that compiles, which Policy is.
func New(src rules.Source, policy *rules.Policy) *Prover {
	p := &Prover{src: src, forms: rules.Forms(src), shapes: map[*expr.Pattern]*shape{}, places: map[string]place{}}
	for s := rules.Connect; s <= rules.Inspected; s++ {
		tried := policy.Tried(s)
		p.cut[s] = len(tried)
		for i, r := range tried {
			p.places[r.Name] = place{s, i}
			if r.Last && !r.Shadow {
				p.cut[s] = min(p.cut[s], i+1)
			}
		}
	}
	p.cases = make([][]conjunction, len(src.Rules))
	for i := range p.forms {
		p.cases[i] = p.casesOf(&p.forms[i])
	}
	return p
}

// As is the prover of the policy in which a rule is another: the first of a
// source, of the same name and at the same place.
func (p *Prover) As(rule int, src rules.Source) *Prover {
	other := *p
	other.src.Rules = slices.Clone(p.src.Rules)
	other.forms, other.cases = slices.Clone(p.forms), slices.Clone(p.cases)
	other.src.Rules[rule] = src.Rules[0]
	other.forms[rule] = rules.Forms(src)[0]
	other.cases[rule] = p.casesOf(&other.forms[rule])
	return &other
}

func (p *Prover) shape(e *expr.Pattern) *shape {
	s, ok := p.shapes[e]
	if !ok {
		s = shapeOf(e)
		p.shapes[e] = s
	}
	return s
}

// literal is a condition or its contrary.
type literal struct {
	key   rules.Key
	row   rules.Attribute
	wants []rules.Want // any of them
	not   bool
}

// conjunction are conditions that hold together.
type conjunction []literal

// mostCases bounds the ways in which one rule is looked at.
const mostCases = 256

// casesOf are ways in which a rule can match: whenever it does, all literals of
// one of them hold. What cannot be said as literals is left out of them.
func (p *Prover) casesOf(f *rules.Form) []conjunction {
	var base conjunction
	for i := range f.Match {
		base = append(base, positives(&f.Match[i])...)
	}
	for i := range f.Unless {
		if t := &f.Unless[i]; t.Group == nil && t.Hits == "" && (!t.All || len(t.Wants) == 1) {
			base = append(base, literal{key: t.Key, row: t.Row(), wants: t.Wants, not: true})
		}
	}
	if len(f.Any) == 0 || len(f.Any) > mostCases {
		return []conjunction{base}
	}
	var all []conjunction
	for i := range f.Any {
		all = append(all, append(base[:len(base):len(base)], positives(&f.Any[i])...))
	}
	return all
}

// positives are the literals that hold where a term does.
func positives(t *rules.Term) []literal {
	switch {
	case t.Group != nil:
		var all []literal
		for i := range t.Group {
			all = append(all, positives(&t.Group[i])...)
		}
		return all
	case t.Hits != "":
		return nil
	case t.All:
		var all []literal
		for i := range t.Wants {
			all = append(all, literal{key: t.Key, row: t.Row(), wants: t.Wants[i : i+1]})
		}
		return all
	}
	return []literal{{key: t.Key, row: t.Row(), wants: t.Wants}}
}

// single tells attributes that have one value, or none.
func single(row *rules.Attribute) bool {
	switch row.Kind {
	case rules.KindEnum, rules.KindBool, rules.KindNumber:
		return true
	}
	switch row.Attr {
	case rules.ClientIP, rules.ClientHost, rules.HeloName, rules.TLSVersion, rules.AuthUser:
		return true
	}
	return false
}

func wantOf(p netip.Prefix) rules.Want { return rules.Want{Kind: rules.WantPrefix, Prefix: p} }

// entryPrefix is the network of an entry of a list, not ok of any other.
func entryPrefix(class list.Class, entry string) (rules.Want, bool) {
	switch class {
	case list.IPs:
		a, err := netip.ParseAddr(entry)
		return wantOf(netip.PrefixFrom(a, a.BitLen())), err == nil
	case list.Networks:
		n, err := netip.ParsePrefix(entry)
		return wantOf(n), err == nil
	}
	return rules.Want{}, false
}
