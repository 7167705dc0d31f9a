package rules

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
