package rules

import (
	"time"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// The ground words, as those who make a [Source] and read what is wrong with it
// know them.
type (
	Pos      = diag.Pos
	Problem  = diag.Problem
	Problems = diag.Problems
	Operand  = diag.Operand
)

// Source is a policy's rules as they were written, before [Compile].
type Source struct {
	Rules      []SourceRule      // in file order
	Thresholds []SourceThreshold // in file order
	Lists      map[string]*list.List
	ListsAt    map[string]Pos // where each list stands
	Antivirus  bool           // there is one: virus has an answer
	Modules    []string       // names of the extension modules
	// Words are the values of texts that can have no others: of mime_defects, of the
	// symbols of a module that finds what it finds.
	Words map[Key][]string
	// Cache has room for the expressions that are compiled; nil: one of the
	// policy's own. Lists have theirs in the one that they were read with.
	Cache *expr.Cache
	// Now measures expressions that are dear, for the warning; nil: they are
	// only named.
	Now func() time.Time
}

// SourceRule is one [[rule]]. Names and texts are as written; Compile reports
// what is wrong with them, at At[key] when the key is known there, else at Pos.
type SourceRule struct {
	Pos Pos
	At  map[string]Pos // position of each key: "stage", "action", "reply", "weight", ...

	Name, Stage        string
	Match, Any, Unless []Condition
	// AnyOf and UnlessAll are groups: all conditions of one together are one of
	// Any, or of Unless.
	AnyOf, UnlessAll [][]Condition
	Weight           Weight
	// WeightEach is added for each value of Match and Any that matches, up to
	// WeightMost together.
	WeightEach, WeightMost Weight
	// RemoveHeader are names of header fields to remove.
	RemoveHeader []string
	TagSubject   string
	TagHeader    []string // "Name: value"
	UnlessSigned string   // "" or "header"
	Action       string   // "" is "continue"
	Reply        string   // "550 5.7.1 text"
	Last         bool
	// OnTemperror is "skip", which "" is, too, or "tempfail". With that the value
	// temperror of an enumeration is deferred on like any other value that could
	// not be had, where the condition does not name it.
	OnTemperror string
	Shadow      bool
	Disabled    bool // checked like all others, never evaluated
	Comment     string
}

// Condition is one attribute with the values of which any will do.
type Condition struct {
	Pos    Pos
	Attr   string // "subject", "header.X-Mailer", "header.*", "module.NAME.score"
	Values []Operand
	// All: each of the values must match, in place of any.
	All bool
	// Hits is how many of the values must match, as a comparison; "" for one or
	// more.
	Hits string
}

// SourceThreshold is one [[threshold]].
type SourceThreshold struct {
	Pos          Pos
	At           map[string]Pos
	Above        Weight
	TagSubject   string
	TagHeader    []string
	UnlessSigned string
	Action       string
	Reply        string
	Shadow       bool
}

// Reading has rules that are read one at a time: of very many, all texts and
// places would take more memory than what is made of them.
type Reading struct {
	Heads []Head   // of all rules, in file order
	Named []string // the operands of all conditions on the attribute rule
	// Rule reads the rule of a head: once each, in order. It is looked at until the
	// next is read.
	Rule func(i int) *SourceRule
}

// Head is what other rules ask of a rule.
type Head struct {
	Pos              Pos
	Name, Stage      string
	NameLine         int32 // where the name stands
	Shadow, Disabled bool
}

// readingOf are rules that have been read.
func readingOf(src *Source) Reading {
	r := Reading{Heads: make([]Head, len(src.Rules)), Rule: func(i int) *SourceRule { return &src.Rules[i] }}
	for i := range src.Rules {
		one := &src.Rules[i]
		r.Heads[i] = Head{Pos: one.Pos, NameLine: int32(keyPos(one.At, "name", one.Pos).Line), Name: one.Name, Stage: one.Stage, Shadow: one.Shadow, Disabled: one.Disabled}
		r.name(one.Match, one.Any, one.Unless)
		r.name(one.AnyOf...)
		r.name(one.UnlessAll...)
	}
	return r
}

// name adds the operands of conditions on rules.
func (r *Reading) name(groups ...[]Condition) {
	for _, group := range groups {
		for i := range group {
			if group[i].Attr != catalogue[RuleName].Name {
				continue
			}
			for _, o := range group[i].Values {
				s, _ := o.V.(string)
				r.Named = append(r.Named, s)
			}
		}
	}
}
