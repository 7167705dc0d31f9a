package rules

import (
	"maps"
	"slices"

	"github.com/tollgate-mail/tollgate/rules/list"
)

// Variants makes a policy in other forms, each with one rule, threshold or order
// changed, without compiling the rest again. Such a policy judges like any
// other, but is not arranged to be fast. It is for one goroutine; the policies
// it makes are not.
type Variants struct {
	base     *Policy
	compiler *compiler
	probes   [Inspected + 1][]probe
	byKey    [Inspected + 1]map[Key]int
}

// NewVariants is of a policy and the source that it was compiled of.
func NewVariants(src Source, p *Policy) *Variants {
	v := &Variants{base: p, compiler: newCompiler(&src, readingOf(&src))}
	for s, plan := range p.plans {
		v.byKey[s] = map[Key]int{}
		if plan == nil {
			continue
		}
		v.probes[s] = slices.Clone(plan.probes)
		for i := range plan.probes {
			v.probes[s][i].texts = true
			v.byKey[s][plan.probes[i].key] = i
		}
	}
	return v
}

// Rule compiles another form of a rule of the policy, with some of its lists
// replaced; nil with the problems when it does not compile.
func (v *Variants) Rule(of *Rule, src SourceRule, lists map[string]*list.List) (*Rule, Problems) {
	c := v.compiler
	all := c.lists
	if lists != nil {
		c.lists = maps.Clone(all)
		maps.Copy(c.lists, lists)
	}
	c.number = c.places[src.Name]
	c.problems = nil
	r := c.rule(&src)
	c.lists = all
	if err := c.problems.Err(); err != nil || r == nil {
		return nil, c.problems
	}
	r.Index = of.Index
	s := v.stageOf(of)
	for cond := range r.test.conditions() {
		if cond.key.Attr != RuleName {
			cond.probe = int32(v.probe(s, cond.key))
		}
		for i := range cond.refs {
			cond.refs[i].probe = v.probe(s, cond.refs[i].key)
		}
	}
	return r, nil
}

// stageOf is that of the plan that has the rule.
func (v *Variants) stageOf(r *Rule) Stage {
	for s, plan := range v.base.plans {
		if plan != nil && slices.Contains(plan.rules, r) {
			return Stage(s)
		}
	}
	return r.Stage
}

func (v *Variants) probe(s Stage, k Key) int {
	i, ok := v.byKey[s][k]
	if !ok {
		i = len(v.probes[s])
		v.byKey[s][k] = i
		v.probes[s] = append(v.probes[s], probe{key: k, kind: catalogue[k.Attr].Kind, first: noRule, texts: true})
	}
	return i
}

// With is the policy with rules in place of others.
func (v *Variants) With(changed map[*Rule]*Rule) *Policy {
	p := v.copy()
	for s, plan := range p.plans {
		if plan == nil {
			continue
		}
		rules := slices.Clone(plan.rules)
		for i, r := range rules {
			if other, ok := changed[r]; ok {
				rules[i] = other
			}
		}
		p.plans[s] = v.plan(Stage(s), rules)
	}
	for i, r := range p.rules {
		if other, ok := changed[r]; ok {
			p.rules[i] = other
		}
	}
	return p
}

// Swapped is the policy with two rules of a stage in each other's place.
func (v *Variants) Swapped(a, b *Rule) *Policy {
	return v.With(map[*Rule]*Rule{a: b, b: a})
}

// WithThresholds is the policy with others.
func (v *Variants) WithThresholds(all []*Threshold) *Policy {
	p := v.With(nil)
	p.thresholds = all
	return p
}

// Beside is the policy with variants that are tried beside their rules, without
// effect; differs hears of one whenever its answer is another than its rule's.
func (v *Variants) Beside(variants map[*Rule][]*Rule, differs func(*Rule)) *Policy {
	p := v.With(nil)
	for _, plan := range p.plans {
		if plan != nil {
			plan.beside, plan.differs = variants, differs
		}
	}
	return p
}

func (v *Variants) copy() *Policy {
	p := *v.base
	p.rules = slices.Clone(p.rules)
	p.keys = maps.Clone(p.keys)
	for _, byKey := range v.byKey {
		for k := range byKey {
			p.keys[k] = true
		}
	}
	return &p
}

func (v *Variants) plan(s Stage, rules []*Rule) *plan {
	return &plan{rules: rules, probes: v.probes[s], always: make([]uint64, (len(rules)+63)/64), plain: true}
}

// beside tries the variants of a rule, at the price of a budget of their own.
func (e *evaluation) tryBeside(r *Rule, is truthValue) {
	variants := e.plan.beside[r]
	if len(variants) == 0 {
		return
	}
	work := e.work
	hit := Hit{Rule: r, Weight: r.Weight}
	if is == yes {
		e.work = Work()
		e.measure(&hit)
	}
	for _, other := range variants {
		e.work = Work()
		was, _ := other.test.explain(e)
		h := Hit{Rule: other, Weight: other.Weight}
		if was == yes && is == yes {
			e.measure(&h)
		}
		if was != is || h.Weight-other.Weight != hit.Weight-r.Weight || !slices.Equal(h.Captures, hit.Captures) {
			e.plan.differs(other)
		}
	}
	e.work = work
}
