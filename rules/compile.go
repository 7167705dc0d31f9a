package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// Compile compiles the rules of a policy. It reports every problem at once,
// warnings included; the policy is nil when one of them is an error.
func Compile(src Source) (*Policy, Problems) { return CompileEach(src, readingOf(&src)) }

// CompileEach is [Compile] of rules that are read one at a time, in place of those
// of src.
func CompileEach(src Source, r Reading) (*Policy, Problems) {
	c := newCompiler(&src, r)
	var enabled []*Rule
	for i := range r.Heads {
		one := r.Rule(i)
		c.number = int32(i)
		if r := c.rule(one); r != nil && !one.Disabled {
			r.Index = len(enabled)
			enabled = append(enabled, r)
		}
	}
	var thresholds []*Threshold
	for i := range src.Thresholds {
		thresholds = append(thresholds, c.threshold(&src.Thresholds[i]))
	}
	if c.problems.Err() == nil {
		c.warnThresholds(thresholds)
	}
	c.problems.Sort()
	if c.problems.Err() != nil {
		return nil, c.problems
	}
	// Nothing is looked up any more, and the plans take their room.
	c.places, c.patterns, c.trouble, c.heads, c.named = nil, nil, nil, nil, nil
	return c.policy(enabled, thresholds), c.problems
}

func newCompiler(src *Source, r Reading) *compiler {
	c := &compiler{
		source:   src,
		heads:    r.Heads,
		asked:    r.Named,
		lists:    src.Lists,
		patterns: make(map[string]*expr.Pattern, len(r.Heads)),
		bad:      make(map[string]error),
		trouble:  make(map[*expr.Pattern][]string),
		required: make(map[*expr.Pattern]expr.Required, len(r.Heads)),
	}
	if c.cache = src.Cache; c.cache == nil {
		c.cache = expr.NewCache(expr.DefaultCache)
	}
	c.places = make(map[string]int32, len(c.heads))
	for i := range c.heads {
		if _, ok := c.places[c.heads[i].Name]; !ok {
			c.places[c.heads[i].Name] = int32(i)
		}
	}
	return c
}

// compiler gathers what is wrong while it compiles.
type compiler struct {
	source   *Source
	problems Problems
	cache    *expr.Cache
	measured int              // dear expressions
	current  string           // the rule that is compiled
	limit    Stage            // its stage
	groups   int              // most that an expression of match or any has
	heads    []Head           // of all rules, in file order
	places   map[string]int32 // of rules by name, in file order
	lists    map[string]*list.List
	number   int32    // of the rule that is compiled
	asked    []string // operands of conditions on rules
	named    *named   // nil: nobody has asked

	// Expressions by source, for policies repeat themselves: those that are good,
	// why others are not, what to warn of.
	patterns map[string]*expr.Pattern
	bad      map[string]error
	trouble  map[*expr.Pattern][]string
	required map[*expr.Pattern]expr.Required
}

func (c *compiler) errorf(pos Pos, format string, args ...any) {
	c.problems = append(c.problems, Problem{Pos: pos, Msg: fmt.Sprintf(format, args...)})
}

func (c *compiler) warnf(pos Pos, format string, args ...any) {
	c.problems = append(c.problems, Problem{Pos: pos, Msg: c.nameWarning(fmt.Sprintf(format, args...)), Warning: true})
}

// err reports err, if there is one, and tells whether there was none.
func (c *compiler) err(pos Pos, err error) bool {
	if err != nil {
		c.problems = append(c.problems, Problem{Pos: pos, Msg: err.Error()})
	}
	return err == nil
}

// keyPos is where a key of a table stands, the table itself when it does not.
func keyPos(at map[string]Pos, key string, table Pos) Pos {
	if p, ok := at[key]; ok {
		return p
	}
	return table
}

// policy puts together what was compiled without an error.
func (c *compiler) policy(enabled []*Rule, thresholds []*Threshold) *Policy {
	p := &Policy{rules: enabled, thresholds: thresholds, keys: make(map[Key]bool)}
	var builders [len(p.plans)]*planBuilder
	inspected := false
	for _, r := range enabled {
		stage := r.Stage
		if r.test.inspected() || inspected && stage == Complete && r.test.asksRules() {
			// What it builds on may be known only then.
			stage = Inspected
		}
		inspected = inspected || stage == Inspected
		b := builders[stage]
		if b == nil {
			b = &planBuilder{byKey: make(map[Key]int32), required: c.literals}
			builders[stage] = b
		}
		b.add(r)
		for cond := range r.test.conditions() {
			p.keys[cond.key] = true
			for _, r := range cond.refs {
				p.keys[r.key] = true
			}
		}
		if !r.Shadow && (r.Action == Reject || r.Action == Tempfail || r.test.tempfail) {
			p.refuses[stage] = true
		}
		// A shadow rule has no effect: what it would add is not ours.
		if !r.Shadow {
			p.tagHeaders = appendNames(p.tagHeaders, r.Tags)
			p.tagsSigned = p.tagsSigned || r.Tags.Signed == TagHeader
		}
	}
	for s, b := range builders {
		if b != nil {
			p.plans[s] = b.finish()
			builders[s] = nil
		}
	}
	for _, t := range thresholds {
		if t.Shadow {
			continue
		}
		p.tagHeaders = appendNames(p.tagHeaders, t.Tags)
		p.tagsSigned = p.tagsSigned || t.Tags.Signed == TagHeader
	}
	slices.Sort(p.tagHeaders)
	p.tagHeaders = slices.Compact(p.tagHeaders)
	return p
}

func appendNames(names []string, t Tags) []string {
	for _, h := range t.Headers {
		names = append(names, canonicalField(h.Name))
	}
	return names
}

func (c *compiler) literals(p *expr.Pattern) expr.Required { return c.required[p] }

// warnLetters warns of an expression that needs a character which the value never
// has, or of one that nobody sees in it.
func (c *compiler) warnLetters(m *condition, source string, at Pos) {
	if r, ok := list.Invisible(source); ok {
		c.warnf(at, "%s: the expression has the invisible character %U in it; rules see texts without such ones, too", m.key, r)
	}
	if !domainOnly(m.key.Attr) || !strings.Contains(source, "@") {
		return
	}
	parsed, err := c.cache.Parse(source)
	if err != nil {
		return
	}
	for _, set := range parsed.Required().Sets() {
		if len(set) > 0 && !slices.ContainsFunc(set, func(literal string) bool { return !strings.Contains(literal, "@") }) {
			c.warnf(at, "%s: the value is a domain, without what stands before an at sign", m.key)
			return
		}
	}
}

// domainOnly tells attributes that have names of hosts and domains; HELO is not one
// of them, for clients say there what they like.
func domainOnly(a Attr) bool {
	switch a {
	case ClientHost, SenderDomain, RecipientDomain, AuthorDomain, ReplyToDomain, DKIMDomain:
		return true
	}
	return false
}
