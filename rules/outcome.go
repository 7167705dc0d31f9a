package rules

import (
	"slices"
	"strconv"
)

// Rule is a compiled rule. It is immutable.
type Rule struct {
	Index  int // position among all rules of the policy: a key for "at most once"
	Pos    Pos
	Name   string
	Stage  Stage
	Weight Weight
	Tags   Tags
	Action Action
	Reply  *Reply // nil: the action's default
	Last   bool
	Shadow bool
	// each is added for each value that matches, up to most.
	each, most Weight
	captures   bool // a tag or reply has the texts of groups in it
	// ... what it tests is unexported
	test *test
}

// Tags are the marks a rule or threshold sets.
type Tags struct {
	Subject *Template // nil: none
	// Signed is what becomes of Subject when the message is signed by DKIM, whose
	// signature a changed Subject breaks.
	Signed  Signed
	Headers []HeaderTag
	Remove  []string // canonical names of fields that go
}

// Signed is how a signed message is marked.
type Signed uint8

const (
	TagSubject Signed = iota // as any other
	TagHeader                // in a header field in place of the Subject
)

// HeaderTag is one header field to add.
type HeaderTag struct {
	Name  string // canonical
	Value Template
}

// Reply is an SMTP reply with placeholders (RFC 5321 §4.2, RFC 3463).
type Reply struct {
	Code     int    // 4yz or 5yz, never 421
	Enhanced string // "5.7.1"
	Text     Template
}

// Threshold is a compiled threshold.
type Threshold struct {
	Pos    Pos
	Above  Weight // strictly greater passes
	Tags   Tags
	Action Action
	Reply  *Reply
	// Shadow: passing it is journalled, and has no effect.
	Shadow bool
}

// Hit is one rule that matched.
type Hit struct {
	Rule *Rule
	// Temperror: the rule did not match; a fact it needs could not be had and
	// it says on_temperror = "tempfail".
	Temperror bool
	// Weight is what the rule adds: its own, and what it adds for each value that
	// matches.
	Weight Weight
	// Captures are the texts of the groups of the expression that matched, the
	// first group first; nil when no tag or reply asks for them.
	Captures []string
	// Attr is the first attribute by which it matched, "" where there is none, and
	// Text what of its value did: at most some MaxBecause octets, those that an
	// expression found in their middle; "" where that would take too much work.
	Attr, Text string
}

// Outcome is what the rules of one stage say.
type Outcome struct {
	// Hits are the rules that matched, in file order, shadow rules included.
	Hits []Hit
	// Action is Continue, Accept, Reject or Tempfail: what ended the stage. By is
	// its rule, nil for Continue.
	Action Action
	By     *Rule
	// Last: a rule with last = true matched, and no further one was tried.
	Last bool
	// Spent: the message's work ran out before the rules were done. What they
	// say is not known then, but for those that matched before.
	Spent bool
	// Greylist is the first rule that asked for it, nil when none did; whether
	// the recipient is deferred is for the caller to find out.
	Greylist *Rule
	// Discard and Hold are the first rules that asked for it, nil when none
	// did; they are carried out at the end of the message.
	Discard, Hold *Rule
}

// Ended tells whether no further rule of the stage is to be tried.
func (o *Outcome) Ended() bool { return o.Action != Continue || o.Last }

// Step is how one rule came to match or not, for those who explain.
type Step struct {
	Rule    *Rule
	Matched bool
	// Clause is "match", "any", "unless" or ""; Attr and Value what decided it.
	Clause, Attr, Value string
	Err                 error // the temperror, if one decided
}

// Tracer hears about every rule tried. With a nil Tracer evaluation may pass
// over rules that cannot match without looking at them.
type Tracer func(Step)

// Weight is fixed point, in thousandths, so that sums do not depend on order.
type Weight int64

// String prints without trailing zeros: 3.5, -0.5, 12.
func (w Weight) String() string {
	if w == 0 {
		return "0" // of most mail
	}
	var room [24]byte // of the longest
	b := room[:0]
	if w > -1000 && w < 0 {
		b = append(b, '-')
	}
	b = strconv.AppendInt(b, int64(w)/1000, 10)
	f := int64(w) % 1000
	if f < 0 {
		f = -f
	}
	if f == 0 {
		return string(b)
	}
	b = append(b, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return string(b)
}

// weights reads what a rule adds for each value that matches.
func (c *compiler) weights(src *SourceRule, r *Rule) {
	at := func(key string) Pos { return keyPos(src.At, key, src.Pos) }
	_, each := src.At["weight_each"]
	_, most := src.At["weight_max"]
	each, most = each || src.WeightEach != 0, most || src.WeightMost != 0
	switch {
	case each && !most:
		c.errorf(at("weight_each"), "weight_each needs weight_max: what a sender can repeat must have a bound")
	case most && !each:
		c.errorf(at("weight_max"), "weight_max bounds weight_each; there is none")
	case src.WeightMost < 0:
		c.errorf(at("weight_max"), "weight_max is how far weight_each goes, up or down, and not below zero")
	}
	r.each, r.most = src.WeightEach, src.WeightMost
}

// groups is the most that an expression of match or any has.
func (t *test) groups() int {
	n := 0
	for _, clause := range [...][]*condition{t.match, t.any} {
		for _, c := range clause {
			for leaf := range c.leaves() {
				for _, p := range leaf.patterns {
					n = max(n, p.Groups())
				}
			}
		}
	}
	return n
}

func leavesOf(clause []*condition) []*condition {
	var all []*condition
	for _, c := range clause {
		all = slices.AppendSeq(all, c.leaves())
	}
	return all
}

// groups is the highest that a tag asks for.
func (t Tags) groups() int {
	n := 0
	if t.Subject != nil {
		n = t.Subject.groups()
	}
	for _, h := range t.Headers {
		n = max(n, h.Value.groups())
	}
	return n
}

// settle does what a rule says that matched, or that could not be told and defers.
func (e *evaluation) settle(o *Outcome, r *Rule, hit Hit) bool {
	o.Hits = append(o.Hits, hit)
	switch {
	case r.Shadow:
		return false
	case hit.Temperror:
		o.Action, o.By = Tempfail, r
		return true
	}
	switch r.Action {
	case Accept, Reject, Tempfail:
		o.Action, o.By = r.Action, r
		return true
	case Greylist:
		if o.Greylist == nil {
			o.Greylist = r
		}
	case Discard:
		if o.Discard == nil {
			o.Discard = r
		}
	case Hold:
		if o.Hold == nil {
			o.Hold = r
		}
	}
	o.Last = r.Last
	return r.Last
}
