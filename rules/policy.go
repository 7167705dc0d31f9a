package rules

import (
	"cmp"
	"slices"
	"strings"
)

// Policy is a compiled set of rules and thresholds. It is immutable and safe
// for use by many goroutines. The zero Policy has no rules.
type Policy struct {
	rules      []*Rule
	thresholds []*Threshold
	plans      [Inspected + 1]*plan // nil: no rules
	refuses    [Inspected + 1]bool
	keys       map[Key]bool // that conditions ask for
	tagHeaders []string
	tagsSigned bool
}

// Rules are all enabled rules, in file order; Rule.Index is the index here.
func (p *Policy) Rules() []*Rule { return p.rules }

// Thresholds returns those that total passes, in file order.
func (p *Policy) Thresholds(total Weight) []*Threshold {
	var passed []*Threshold
	for _, t := range p.thresholds {
		if total > t.Above {
			passed = append(passed, t)
		}
	}
	return passed
}

// Keys are what the rules of stage s ask for, in no order.
func (p *Policy) Keys(s Stage) []Key {
	if int(s) >= len(p.plans) || p.plans[s] == nil {
		return nil
	}
	keys := make([]Key, len(p.plans[s].probes))
	for i := range p.plans[s].probes {
		keys[i] = p.plans[s].probes[i].key
	}
	return keys
}

// Refuses tells whether a rule of stage s can reject, tempfail or answer a
// temperror with 451.
func (p *Policy) Refuses(s Stage) bool {
	return int(s) < len(p.refuses) && p.refuses[s]
}

// TagHeaders are the canonical names of all header fields that rules and
// thresholds may add.
func (p *Policy) TagHeaders() []string { return slices.Clone(p.tagHeaders) }

// TagsSigned tells whether a rule or threshold has a Subject's tag put elsewhere
// in signed mail.
func (p *Policy) TagsSigned() bool { return p.tagsSigned }

// Uses tells whether a rule asks for the attribute, of a family for any
// member.
func (p *Policy) Uses(a Attr) bool {
	for k := range p.keys {
		if k.Attr == a {
			return true
		}
	}
	return false
}

// Asks are the keys for which rules of any stage have somebody else asked,
// the earliest known first.
func (p *Policy) Asks(whom Asked) []Key {
	var keys []Key
	for k := range p.keys {
		if catalogue[k.Attr].Asks == whom {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(int(catalogue[a.Attr].Stage)-int(catalogue[b.Attr].Stage), int(a.Attr)-int(b.Attr), strings.Compare(a.Name, b.Name))
	})
	return keys
}

// Stage is the first at which the attribute is known.
func (a Attr) Stage() Stage { return catalogue[a].Stage }

// HeaderNames are the canonical names of the fields that rules ask for of a
// header family, in order; "*" is among them when rules ask for every field.
func (p *Policy) HeaderNames(a Attr) []string {
	var names []string
	for k := range p.keys {
		if k.Attr == a && k.Name != "" {
			names = append(names, k.Name)
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names
}

// warnThresholds warns of thresholds that never show: what passes them has
// passed another whose verdict leaves nothing to say.
func (c *compiler) warnThresholds(all []*Threshold) {
	severity := map[Action]int{Hold: 1, Discard: 2, Tempfail: 3, Reject: 4}
	for i, t := range all {
		if t.Shadow {
			continue // nothing of it shall show
		}
		if t.Above < 0 && severity[t.Action] > 0 {
			c.warnf(t.Pos, "a threshold above %s is passed by mail that no rule matches: its weight is 0", t.Above)
		}
		for j, lower := range all {
			final := lower.Action == Reject || lower.Action == Tempfail || lower.Action == Discard
			if i == j || lower.Shadow || lower.Above > t.Above || lower.Above == t.Above && j > i || !final || severity[t.Action] > severity[lower.Action] {
				continue
			}
			c.warnf(t.Pos, "the threshold above %s never shows: it is covered by the one above %s at %s, with action %q", t.Above, lower.Above, lower.Pos, lower.Action)
			break
		}
	}
}
