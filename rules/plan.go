package rules

import (
	"slices"
	"sync"
)

// plan has the rules of one stage, arranged so that evaluation looks only at
// those that can match. A rule is guarded by conditions at least one of which
// must hold for it to match: where probes say that none can, it is passed over.
type plan struct {
	rules  []*Rule
	probes []probe
	always []uint64 // a bit for each rule that nothing guards
	guards []int32  // probes that guard rules, by the first rule they guard

	scratch sync.Pool // of *evaluation
}

// planBuilder arranges the rules of a stage.
type planBuilder struct {
	rules    []*Rule
	probes   []*probeBuilder
	byKey    map[Key]int
	required func(*pattern) [][]string
}

func (b *planBuilder) add(r *Rule) {
	b.rules = append(b.rules, r)
	for c := range r.test.conditions() {
		i, ok := b.byKey[c.key]
		if !ok {
			i = len(b.probes)
			b.byKey[c.key] = i
			b.probes = append(b.probes, newProbeBuilder(c.key))
		}
		c.probe = i
		b.probes[i].enter(c, b.required)
	}
}

func (b *planBuilder) finish() *plan {
	p := &plan{rules: b.rules, always: make([]uint64, (len(b.rules)+63)/64)}
	for i, r := range b.rules {
		guards := b.guardsOf(r.test)
		if guards == nil {
			p.always[i/64] |= 1 << (i % 64)
		}
		for _, c := range guards {
			b.probes[c.probe].guard(c, int32(i))
		}
	}
	for i, pb := range b.probes {
		p.probes = append(p.probes, pb.finish())
		if pb.first != noRule {
			p.guards = append(p.guards, int32(i))
		}
	}
	slices.SortFunc(p.guards, func(x, y int32) int { return int(p.probes[x].first - p.probes[y].first) })
	return p
}

// guardsOf chooses conditions without one of which the rule cannot match: the
// best of match, else all of any. None means that it must always be tried.
func (b *planBuilder) guardsOf(t *test) []*condition {
	var best *condition
	least := 0
	for _, c := range t.match {
		if cost, ok := b.cost(c); ok && (best == nil || cost < least) {
			best, least = c, cost
		}
	}
	if best != nil {
		return []*condition{best}
	}
	for _, c := range t.any {
		if _, ok := b.cost(c); !ok {
			return nil
		}
	}
	return t.any
}

// cost guesses how often a condition will raise a false alarm; not ok when
// only trying it can tell.
func (b *planBuilder) cost(c *condition) (int, bool) {
	if c.delay() > 0 {
		return 0, false // no rule is passed over at the price of waiting
	}
	cost := 0
	if c.isDirect() {
		cost = 1000 // as likely as not
	}
	for _, p := range c.patterns {
		sets := b.required(p)
		if len(sets) == 0 {
			return 0, false
		}
		// The best set decides: few literals, and long ones.
		set := longest(sets)
		cost += 1 + 16*len(set)/shortest(set)
	}
	if c.key.Name == anyField {
		cost *= 8 // every field is a chance
	}
	return cost, true
}
