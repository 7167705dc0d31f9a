package rules

import (
	"slices"
	"sync"

	"github.com/tollgate-mail/tollgate/rules/expr"
)

// plan has the rules of one stage, arranged so that evaluation looks only at
// those that can match. A rule is guarded by conditions at least one of which
// must hold for it to match: where probes say that none can, it is passed over.
type plan struct {
	rules  []*Rule
	probes []probe
	always []uint64 // a bit for each rule that nothing guards
	guards []int32  // probes that guard rules, by the first rule they guard

	// plain: nothing is arranged, every rule is tried. beside are further forms of
	// rules that are tried without effect.
	plain   bool
	beside  map[*Rule][]*Rule
	differs func(*Rule)

	scratch sync.Pool // of *evaluation
}

// planBuilder arranges the rules of a stage.
type planBuilder struct {
	rules    []*Rule
	probes   []*probeBuilder
	byKey    map[Key]int32
	required func(*expr.Pattern) expr.Required
}

func (b *planBuilder) add(r *Rule) {
	b.rules = append(b.rules, r)
	for c := range r.test.conditions() {
		if c.key.Attr != RuleName {
			c.probe = b.probe(c.key)
			b.probes[c.probe].enter(c, b.required)
		}
		for i := range c.refs {
			c.refs[i].probe = int(b.probe(c.refs[i].key))
		}
	}
}

// probe is the number of the one of a key.
func (b *planBuilder) probe(k Key) int32 {
	i, ok := b.byKey[k]
	if !ok {
		i = int32(len(b.probes))
		b.byKey[k] = i
		b.probes = append(b.probes, newProbeBuilder(k))
	}
	return i
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
		b.probes[i] = nil // it has what is needed of each expression, which is much
		if pb.first != noRule {
			p.guards = append(p.guards, int32(i))
		}
	}
	slices.SortFunc(p.guards, func(x, y int32) int { return int(p.probes[x].first - p.probes[y].first) })
	return p
}

// guardsOf chooses conditions without one of which the rule cannot match: those
// of the best of match, else of all of any. None means that it must always be
// tried.
func (b *planBuilder) guardsOf(t *test) []*condition {
	var best []*condition
	least := 0
	for _, c := range t.match {
		if guards, cost, ok := b.guards(c); ok && (best == nil || cost < least) {
			best, least = guards, cost
		}
	}
	if best != nil {
		return best
	}
	for _, c := range t.any {
		guards, _, ok := b.guards(c)
		if !ok {
			return nil
		}
		best = append(best, guards...)
	}
	return best
}

// guards are conditions on one attribute each, without one of which c cannot
// hold.
func (b *planBuilder) guards(c *condition) (best []*condition, least int, ok bool) {
	switch {
	case c.parts != nil:
		for _, part := range c.parts {
			if g, cost, can := b.guards(part); can && (!ok || cost < least) {
				best, least, ok = g, cost, true
			}
		}
		return best, least, ok
	case c.counted != nil && c.hits.Holds(0):
		return nil, 0, false
	case c.counted != nil:
		for _, one := range c.counted {
			g, cost, can := b.guards(one)
			if !can {
				return nil, 0, false
			}
			best, least = append(best, g...), least+cost
		}
		return best, least, true
	}
	least, ok = b.cost(c)
	return []*condition{c}, least, ok
}

// cost guesses how often a condition will raise a false alarm; not ok when
// only trying it can tell.
func (b *planBuilder) cost(c *condition) (int, bool) {
	if c.delay() > 0 || len(c.refs) > 0 || c.key.Attr == RuleName || c.alternatives != nil {
		// No rule is passed over at the price of waiting, or for what is known
		// only when its turn has come.
		return 0, false
	}
	cost := 0
	if c.isDirect() {
		cost = 1000 // as likely as not
	}
	for _, p := range c.patterns {
		alarms, ok := expr.FalseAlarms(b.required(p))
		if !ok {
			return 0, false
		}
		cost += alarms
	}
	if c.key.Name == anyField {
		cost *= 8 // every field is a chance
	}
	return cost, true
}
