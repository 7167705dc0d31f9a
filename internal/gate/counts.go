package gate

import (
	"slices"

	"github.com/tollgate-mail/tollgate/rules"
)

// counts gathers what rules contribute to a message: each rule once, however
// many recipients or fields it matched.
type counts struct {
	counted []rules.Hit // of any stage, in order, shadow rules included
	seen    []uint64    // by rules.Rule.Index
	found   ruleHits    // the same for journals
	weight  rules.Weight
	marks   []mark
}

// mark is what a rule or threshold wants set.
type mark struct {
	rule     string // "" of a threshold
	tags     rules.Tags
	captures []string // of the expression that matched
}

func (c *counts) reset(n int) { c.seen = make([]uint64, (n+63)/64) }

// count adds the rules that matched; a rule whose value could not be had did
// not, and a shadow rule is only noted.
func (c *counts) count(hits []rules.Hit) {
	for _, h := range hits {
		if h.Temperror {
			continue
		}
		if c.has(h.Rule) {
			continue
		}
		c.seen[h.Rule.Index/64] |= 1 << (h.Rule.Index % 64)
		c.counted = append(c.counted, h)
		c.found.hear(h)
		if h.Rule.Shadow {
			continue
		}
		c.weight += h.Weight
		c.marks = append(c.marks, mark{h.Rule.Name, h.Rule.Tags, h.Captures})
	}
}

// has tells whether a rule has been counted.
func (c *counts) has(r *rules.Rule) bool { return c.seen[r.Index/64]&(1<<(r.Index%64)) != 0 }

// names are the rules that matched with effect.
func (c *counts) names() []string {
	names := make([]string, 0, len(c.counted))
	for _, h := range c.counted {
		if !h.Rule.Shadow {
			names = append(names, h.Rule.Name)
		}
	}
	return slices.Clip(names)
}

// captured is what a group of an expression matched, "" for none.
func captured(captures []string, name string) (text string, is bool) {
	n := rules.Group(name)
	if n == 0 {
		return "", false
	}
	if n > len(captures) {
		return "", true
	}
	return captures[n-1], true
}
