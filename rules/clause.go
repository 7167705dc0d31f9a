package rules

import (
	"iter"
	"slices"
)

// test is the compiled condition of a rule.
type test struct {
	match, any, unless []*condition
	// tempfail: a fact that is missing for now, and would decide, is answered
	// by a temporary refusal.
	tempfail bool
}

// conditions are all of them, in the order in which they are tried; of one that
// has alternatives, these.
func (t *test) conditions() iter.Seq[*condition] {
	return func(yield func(*condition) bool) {
		for _, clause := range [...][]*condition{t.match, t.any, t.unless} {
			for _, c := range clause {
				for leaf := range c.leaves() {
					if !yield(leaf) {
						return
					}
				}
			}
		}
	}
}

// leaveOpen has conditions on enumerations take temperror for what cannot be had
// now; those that ask for it by name match before that shows. In unless it never is
// an answer: a rule must not apply because of what nobody could tell. In match and
// any it is none where the rule is to be deferred on.
func (t *test) leaveOpen() {
	for _, clause := range [...]struct {
		conditions []*condition
		open       bool
	}{{t.match, t.tempfail}, {t.any, t.tempfail}, {t.unless, true}} {
		for _, c := range clause.conditions {
			for leaf := range c.leaves() {
				leaf.open = clause.open && slices.Contains(catalogue[leaf.key.Attr].Names, temperror)
			}
		}
	}
}

// inspected tells whether the rule asks for what inspectors find.
func (t *test) inspected() bool {
	for c := range t.conditions() {
		if catalogue[c.key.Attr].Inspected {
			return true
		}
		for _, r := range c.refs {
			if catalogue[r.key.Attr].Inspected {
				return true
			}
		}
	}
	return false
}

// truthValue is what is known of a condition or rule (Kleene's three values).
type truthValue int8

const (
	no      truthValue = iota
	missing            // depends on a fact that cannot be had now
	yes
)

// holds joins the conditions: all of match, one of any, none of unless. It is
// missing only if the facts that are missing would decide.
func (t *test) holds(e *evaluation) truthValue {
	result := yes
	for _, c := range t.match {
		switch e.holds(c) {
		case no:
			return no
		case missing:
			result = missing
		}
		if result == missing && !t.tempfail {
			return missing // no matter what decides: the rule does not apply
		}
	}
	if len(t.any) > 0 {
		if result = min(result, e.holdsAny(t.any)); result == no || result == missing && !t.tempfail {
			return result
		}
	}
	for _, c := range t.unless {
		switch e.holds(c) {
		case yes:
			return no
		case missing:
			if result = missing; !t.tempfail {
				return missing
			}
		}
	}
	return result
}

// holdsCount tells whether as many hold as the condition wants. What cannot be
// told may be one more or not.
func (e *evaluation) holdsCount(c *condition) truthValue {
	sure, open := int64(0), int64(0)
	for _, one := range c.counted {
		switch e.holds(one) {
		case yes:
			sure++
		case missing:
			open++
		}
	}
	holding := 0
	for n := sure; n <= sure+open; n++ {
		if c.hits.Holds(n * 1000) {
			holding++
		}
	}
	switch holding {
	case 0:
		return no
	case int(open) + 1:
		return yes
	}
	return missing
}
