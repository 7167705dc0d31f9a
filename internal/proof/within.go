package proof

import (
	"slices"

	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

// within tells whether every value that is what a wants is what one of all
// wants; false where that is not known. Both are of one attribute.
func (p *Prover) within(key rules.Key, a *rules.Want, all []rules.Want) bool {
	for i := range all {
		if p.inOne(key, a, &all[i]) {
			return true
		}
	}
	if a.Kind == rules.WantNumber {
		return numbers(all).covers(interval{a.Low, a.High})
	}
	return false
}

// inOne tells whether every value that a wants is what b wants.
func (p *Prover) inOne(key rules.Key, a, b *rules.Want) bool {
	switch {
	case b.Kind == rules.WantTruth && b.Truth && a.Kind != rules.WantTruth:
		return a.Kind != rules.WantReference // there is a text
	case a.Kind == rules.WantPrefix && b.Kind == rules.WantList:
		return b.List.CoversPrefix(a.Prefix)
	case a.Kind == rules.WantPattern && b.Kind == rules.WantList:
		return p.listed(key, a, b)
	case a.Kind == rules.WantList && b.Kind == rules.WantPrefix:
		return p.networks(a, b)
	case a.Kind != b.Kind:
		return false
	}
	switch a.Kind {
	case rules.WantPattern:
		return p.shape(a.Pattern).within(p.shape(b.Pattern))
	case rules.WantList:
		return a.List == b.List || a.List.Len() <= mostEntries && b.List.Covers(a.List)
	case rules.WantPrefix:
		return b.Prefix.Bits() <= a.Prefix.Bits() && b.Prefix.Contains(a.Prefix.Addr())
	case rules.WantNumber:
		return b.Low <= a.Low && a.High <= b.High || a.Low > a.High
	case rules.WantName, rules.WantRule:
		return a.Name == b.Name
	case rules.WantTruth:
		return a.Truth == b.Truth
	case rules.WantZone:
		return a.Zone == b.Zone && answersWithin(a, b)
	case rules.WantReference:
		return a.V == b.V
	}
	return false
}

// mostEntries bounds the lists that are looked into one by one.
const mostEntries = 100_000

// listed tells of an expression that is found in a few texts alone whether all
// of them are in a list.
func (p *Prover) listed(key rules.Key, a, b *rules.Want) bool {
	switch key.Attr {
	case rules.HeaderField, rules.RawHeaderField, rules.ClientIP, rules.HeaderIP:
		return false // mailboxes are looked up there, not texts; addresses have many spellings
	}
	texts, ok := p.shape(a.Pattern).exact()
	return ok && !slices.ContainsFunc(texts, func(s string) bool { return !b.List.HasName(s) })
}

// networks tells whether a list has nothing but addresses of a network.
func (p *Prover) networks(a, b *rules.Want) bool {
	if a.List.Len() > mostEntries || a.List.Len() == 0 || a.List.Built() {
		return false
	}
	net := wantOf(b.Prefix)
	for class, entry := range a.List.Entries() {
		one, ok := entryPrefix(class, entry)
		if !ok || !p.inOne(rules.Key{}, &one, &net) {
			return false
		}
	}
	return true
}

// answersWithin tells whether all answers that a's filter takes are taken by b's.
func answersWithin(a, b *rules.Want) bool {
	if b.Answers[1] == nil && (a.Answers[1] != nil && a.Answers[1][255]) {
		return false // 127.255.255.x says that the list does not serve: only a filter that names it takes it
	}
	for i := range b.Answers {
		if b.Answers[i] == nil {
			continue
		}
		if a.Answers[i] == nil {
			return false
		}
		for n := range a.Answers[i] {
			if !b.Answers[i][n] {
				return false
			}
		}
	}
	return true
}

// disjoint tells whether no value is what both want; false where that is not
// known.
func (p *Prover) disjoint(a, b *rules.Want) bool {
	switch {
	case a.Kind == rules.WantTruth && b.Kind != rules.WantTruth:
		return !a.Truth && b.Kind != rules.WantReference
	case b.Kind == rules.WantTruth && a.Kind != rules.WantTruth:
		return p.disjoint(b, a)
	case a.Kind == rules.WantPrefix && b.Kind == rules.WantList:
		return b.List.Len() <= mostEntries && !b.List.MeetsPrefix(a.Prefix)
	case a.Kind == rules.WantList && b.Kind == rules.WantPrefix:
		return p.disjoint(b, a)
	case a.Kind != b.Kind:
		return false
	}
	switch a.Kind {
	case rules.WantPattern:
		return p.shape(a.Pattern).disjoint(p.shape(b.Pattern))
	case rules.WantPrefix:
		return !a.Prefix.Overlaps(b.Prefix)
	case rules.WantNumber:
		return a.High < b.Low || b.High < a.Low || a.Low > a.High || b.Low > b.High
	case rules.WantName:
		return a.Name != b.Name
	case rules.WantTruth:
		return a.Truth != b.Truth
	}
	return false
}

// interval is numbers, both ends included; low above high is none.
type interval struct{ low, high int64 }

// intervals do not meet and go up.
type intervals []interval

func numbers(all []rules.Want) intervals {
	var set intervals
	for _, w := range all {
		if w.Kind == rules.WantNumber && w.Low <= w.High {
			set = append(set, interval{w.Low, w.High})
		}
	}
	slices.SortFunc(set, func(a, b interval) int {
		switch {
		case a.low < b.low:
			return -1
		case a.low > b.low:
			return 1
		}
		return 0
	})
	var merged intervals
	for _, i := range set {
		// Whole numbers are thousands: those that follow each other leave none out.
		if n := len(merged); n > 0 && i.low <= merged[n-1].high+1 {
			merged[n-1].high = max(merged[n-1].high, i.high)
			continue
		}
		merged = append(merged, i)
	}
	return merged
}

func (s intervals) covers(i interval) bool {
	return i.low > i.high || slices.ContainsFunc(s, func(o interval) bool { return o.low <= i.low && i.high <= o.high })
}

// Within tells whether every value that a wants of an attribute is what one of
// all wants; false where that is not known.
func (p *Prover) Within(key rules.Key, a *rules.Want, all []rules.Want) bool {
	return p.within(key, a, all)
}

// Same tells whether an expression is found in the same texts as another, as it
// is written; false where that is not known.
func (p *Prover) Same(a *expr.Pattern, other string) bool {
	parsed, err := expr.NewCache(expr.DefaultCache).Parse(other)
	if err != nil {
		return false
	}
	x, y := p.shape(a), shapeOf(parsed.Pattern)
	return x.within(y) && y.within(x)
}

// Implied tells whether condition k of match holds whenever the others of its
// rule do.
func (p *Prover) Implied(rule, k int) bool {
	if p.src.Rules[rule].OnTemperror == "tempfail" {
		return false
	}
	f := p.forms[rule]
	f.Match = slices.Delete(slices.Clone(f.Match), k, k+1)
	for _, c := range p.casesOf(&f) {
		if !p.entailsTerm(c, &p.forms[rule].Match[k]) {
			return false
		}
	}
	return true
}
