package rules

import (
	"iter"
	"net/netip"
	"slices"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
	"github.com/tollgate-mail/tollgate/rules/number"
)

// condition is an attribute with the operands of which any will do. There may be
// very many, of which nearly all have expressions and nothing else.
type condition struct {
	key  Key
	pos  Pos
	kind Kind
	// open: the value temperror is no answer where it does not match.
	open bool
	// Where the plan of the rule's stage has it.
	probe int32
	ids   []int32 // of patterns in the probe's index

	patterns []*expr.Pattern // over texts, or the text form of addresses
	*operands
}

// operands are all others that a condition can have.
type operands struct {
	lists       []*list.List        // over texts and addresses
	prefixes    list.Prefixes       // over addresses
	comparisons []number.Comparison // over a number
	names       []string            // of an enumeration
	truths      []bool              // of a bool, or whether there are such fields
	filters     []answerFilter      // of a DNS list: any of them; one without octets takes every answer

	// alternatives are conditions on other keys of which any will do: the zones
	// of DNS lists. The condition has nothing else then.
	alternatives []*condition
	// parts are conditions that must hold together. The condition has nothing
	// else then.
	parts []*condition
	// counted are conditions with an operand each, of which so many must hold as
	// hits says. The condition has nothing else then.
	counted []*condition
	hits    number.Comparison

	refs  []reference // other attributes whose values stand for operands
	rules []string    // of RuleName: rules by their whole names
}

// noOperands are those of every condition that has none: what is put into one
// goes through own.
var noOperands = new(operands)

func newCondition(key Key, kind Kind, pos Pos) *condition {
	return &condition{key: key, kind: kind, pos: pos, operands: noOperands}
}

// own are the operands of the condition, to be added to.
func (c *condition) own() *operands {
	if c.operands == noOperands {
		c.operands = new(operands)
	}
	return c.operands
}

// known is the value of an attribute in the forms conditions ask for.
type known struct {
	value Value
	err   error
	texts []string // all its texts, or its addresses as texts

	// unread is why what findOther did not find may be in a list all the same.
	unread error
}

// take fills k from what was answered to probe p.
func (k *known) take(p *probe, v Value, err error) {
	k.value, k.err, k.texts = v, err, k.texts[:0]
	switch p.kind {
	case KindText:
		if v.Known {
			k.texts = append(k.texts, seen(v.Text))
		}
		for _, s := range v.Texts {
			k.texts = append(k.texts, seen(s))
		}
	case KindIP, KindDNSBL:
		k.value.IPs = unmapped(v.IPs)
		if p.index != nil || p.texts {
			for _, a := range k.value.IPs {
				k.texts = append(k.texts, a.String())
			}
		}
	}
}

// missed notes an error, unless it is nil.
func (k *known) missed(err error) {
	if err != nil {
		k.unread = err
	}
}

// maxSeen is as far as a text is looked at, in octets.
const maxSeen = 64 << 10

// seen is what rules see of a text: as much as is looked at, with plain spaces.
func seen(s string) string {
	if len(s) > maxSeen {
		end := maxSeen
		for end > maxSeen-utf8.UTFMax && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return expr.Spaced(s)
}

// unmapped has every address in its one notation: one that came in another
// must not match differently.
func unmapped(all []netip.Addr) []netip.Addr {
	for i, a := range all {
		if a.Is4In6() || a.Zone() != "" {
			all = slices.Clone(all)
			for j := i; j < len(all); j++ {
				all[j] = all[j].Unmap().WithZone("")
			}
			break
		}
	}
	return all
}

// isDirect tells whether there are operands but patterns and prefixes, by which
// the condition can guard a rule.
func (c *condition) isDirect() bool {
	return len(c.lists)+len(c.comparisons)+len(c.names)+len(c.truths) > 0
}

// delay is greater of what must be waited for.
func (c *condition) delay() int {
	for leaf := range c.leaves() {
		if catalogue[leaf.key.Attr].Asks != Nobody || slices.ContainsFunc(leaf.refs, func(r reference) bool { return catalogue[r.key.Attr].Asks != Nobody }) {
			return 1
		}
	}
	return 0
}

// leaves are the conditions with a key each that c is made of.
func (c *condition) leaves() iter.Seq[*condition] {
	return func(yield func(*condition) bool) { c.eachLeaf(yield) }
}

// eachLeaf visits the leaves until yield says no, and then does.
func (c *condition) eachLeaf(yield func(*condition) bool) bool {
	if c.operands == noOperands || len(c.alternatives)+len(c.parts)+len(c.counted) == 0 {
		return yield(c)
	}
	for _, inner := range [...][]*condition{c.alternatives, c.parts, c.counted} {
		for _, one := range inner {
			if !one.eachLeaf(yield) {
				return false
			}
		}
	}
	return true
}

// leftOpen tells whether a value that is no match is no answer either.
func (c *condition) leftOpen(k *known) bool {
	return k.value.Partial || c.open && k.value.Text == temperror
}

// find tries each operand on the value. i is the number of the text or address
// that matched.
func (c *condition) find(k *known, b *budget.Budget) (i int, ok bool) {
	for i, s := range k.texts {
		for _, p := range c.patterns {
			if p.Match(s, b) {
				return i, true
			}
		}
	}
	return c.findOther(k, b)
}

// findOther tries all operands but regular expressions.
func (c *condition) findOther(k *known, b *budget.Budget) (i int, ok bool) {
	k.unread = nil
	switch c.kind {
	case KindText:
		return c.findText(k, b)
	case KindIP:
		for i, a := range k.value.IPs {
			if c.hasAddr(k, a, b) {
				return i, true
			}
		}
	case KindDNSBL:
		for i, a := range k.value.IPs {
			for n := range c.filters {
				if c.filters[n].takes(a) {
					return i, true
				}
			}
		}
		for i, a := range k.value.Refused {
			for n := range c.filters {
				if c.filters[n] != everyAnswer() && c.filters[n].takes(a) {
					return len(k.value.IPs) + i, true
				}
			}
		}
	case KindNumber:
		for _, cmp := range c.comparisons {
			if k.value.Known && cmp.Holds(k.value.Num) {
				return 0, true
			}
		}
	case KindEnum:
		return 0, k.value.Known && slices.Contains(c.names, k.value.Text)
	case KindBool:
		return 0, k.value.Known && slices.Contains(c.truths, k.value.Num != 0)
	}
	return 0, false
}

func (c *condition) findText(k *known, b *budget.Budget) (i int, ok bool) {
	if present := len(k.texts) > 0; slices.Contains(c.truths, present) && (present || !k.value.Partial) {
		return 0, true
	}
	for _, l := range c.lists {
		look := l.Look(b)
		for i, s := range k.value.Mailboxes {
			if look.Text(s) {
				return len(k.texts) + i, true
			}
		}
		k.missed(look.Err())
		if k.value.Mailboxes != nil {
			continue
		}
		for i, s := range k.texts {
			if look.Text(s) || c.key.Attr == HeaderField && look.Mailbox(s) || c.key.Attr == AttachmentName && look.Ending(s) {
				return i, true
			}
		}
		k.missed(look.Err())
	}
	return 0, false
}

func (c *condition) hasAddr(k *known, a netip.Addr, b *budget.Budget) bool {
	if c.prefixes.Contains(a) {
		return true
	}
	for _, l := range c.lists {
		look := l.Look(b)
		if look.Addr(a) {
			return true
		}
		k.missed(look.Err())
	}
	return false
}
