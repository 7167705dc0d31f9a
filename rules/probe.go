package rules

import (
	"fmt"
	"math"
	"net/netip"

	"github.com/gaissmai/bart"

	"github.com/tollgate-mail/tollgate/rules/expr"
)

// probe is one attribute as the rules of a stage ask for it: all their
// conditions on it, arranged so that one look at the value tells which of
// them may hold.
type probe struct {
	key  Key
	kind Kind

	index    *expr.Index     // of patterns; nil when there are none
	patterns []*expr.Pattern // of all conditions on the attribute
	guards   guardTable      // of each pattern, the rules that cannot match without it

	prefixes *bart.Table[[]int32] // the rules that cannot match outside a prefix; may be nil
	direct   []direct             // the rules that cannot match without another operand

	texts bool // addresses are wanted as texts, too

	guarded []int32 // all rules of guards and prefixes
	first   int32   // the first of them
}

// direct are the operands of a condition that are simply tried: lists, names,
// comparisons. Many rules may share them, and they are tried once for all.
type direct struct {
	condition
	rules []int32
}

const noRule = math.MaxInt32

// answer is what one evaluation knows of a probe.
type answer struct {
	known
	asked, scanned bool
	marks          expr.Marks
}

func (a *answer) reset(p *probe) {
	if a.scanned && p.index != nil {
		a.marks.Reset(p.index)
	}
	clear(a.texts)
	a.value, a.err, a.texts = Value{}, nil, a.texts[:0]
	a.asked, a.scanned = false, false
}

// probeBuilder makes the probe of one attribute.
type probeBuilder struct {
	probe
	ids      map[*expr.Pattern]int32
	required []expr.Required
	pairs    []guarding
	networks map[netip.Prefix][]int32
	alike    map[string]int // direct by what it tries
}

func newProbeBuilder(k Key) *probeBuilder {
	return &probeBuilder{
		probe:    probe{key: k, kind: catalogue[k.Attr].Kind, first: noRule},
		ids:      make(map[*expr.Pattern]int32),
		networks: make(map[netip.Prefix][]int32),
		alike:    make(map[string]int),
	}
}

// enter gives each pattern of a condition its number.
func (b *probeBuilder) enter(c *condition, required func(*expr.Pattern) expr.Required) {
	for _, p := range c.patterns {
		id, ok := b.ids[p]
		if !ok {
			id = int32(len(b.patterns))
			b.ids[p] = id
			b.patterns = append(b.patterns, p)
			b.required = append(b.required, required(p))
		}
		c.ids = append(c.ids, id)
	}
}

// guard notes that a rule cannot match unless the condition holds.
func (b *probeBuilder) guard(c *condition, rule int32) {
	for _, id := range c.ids {
		b.pairs = append(b.pairs, guarding{id, rule})
	}
	for _, p := range c.prefixes.All {
		b.networks[p] = append(b.networks[p], rule)
	}
	if c.isDirect() {
		b.guardDirect(c, rule)
	}
	b.guarded = append(b.guarded, rule)
	b.first = min(b.first, rule)
}

func (b *probeBuilder) guardDirect(c *condition, rule int32) {
	id := fmt.Sprint(c.lists, c.comparisons, c.names, c.truths)
	i, ok := b.alike[id]
	if !ok {
		i = len(b.direct)
		b.alike[id] = i
		b.direct = append(b.direct, direct{condition: condition{key: c.key, kind: c.kind, operands: &operands{
			lists: c.lists, comparisons: c.comparisons, names: c.names, truths: c.truths,
		}}})
	}
	b.direct[i].rules = append(b.direct[i].rules, rule)
}

func (b *probeBuilder) finish() probe {
	if len(b.required) > 0 {
		b.ids = nil
		b.index = expr.NewIndex(b.required)
		b.guards = newGuardTable(len(b.required), b.pairs)
	}
	if len(b.networks) > 0 {
		b.prefixes = new(bart.Table[[]int32])
		for p, rules := range b.networks {
			b.prefixes.Insert(p, rules)
		}
	}
	return b.probe
}

// guarding says that a rule cannot match without a pattern.
type guarding struct{ pattern, rule int32 }

// guardTable has the rules of each pattern, one behind the other.
type guardTable struct {
	rules []int32
	first []int32 // where those of each begin, and the end
}

func newGuardTable(patterns int, pairs []guarding) guardTable {
	t := guardTable{rules: make([]int32, len(pairs)), first: make([]int32, patterns+2)}
	// Each count stands two places on, so that filling leaves every first where it
	// has to be.
	for _, p := range pairs {
		t.first[p.pattern+2]++
	}
	for i := 1; i < len(t.first); i++ {
		t.first[i] += t.first[i-1]
	}
	for _, p := range pairs {
		t.rules[t.first[p.pattern+1]] = p.rule
		t.first[p.pattern+1]++
	}
	return t
}

func (t *guardTable) of(pattern int32) []int32 { return t.rules[t.first[pattern]:t.first[pattern+1]] }
