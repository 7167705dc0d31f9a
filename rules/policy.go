package rules

import (
	"context"
	"io"
)

// Policy is a compiled set of rules and thresholds. It is immutable and safe
// for use by many goroutines.
type Policy struct{}

// Compile compiles the rules of a policy. It reports every problem at once,
// warnings included; the policy is nil when one of them is an error.
func Compile(src Source) (*Policy, Problems) { return &Policy{}, nil }

// Evaluate tries the rules of stage s in file order. t may be nil.
func (p *Policy) Evaluate(ctx context.Context, s Stage, f Facts, t Tracer) Outcome { return Outcome{} }

// Rules are all enabled rules, in file order; Rule.Index is the index here.
func (p *Policy) Rules() []*Rule { return nil }

// Thresholds returns those that total passes, in file order.
func (p *Policy) Thresholds(total Weight) []*Threshold { return nil }

// Refuses tells whether a rule of stage s can reject, tempfail or answer a
// temperror with 451.
func (p *Policy) Refuses(s Stage) bool { return false }

// TagHeaders are the canonical names of all header fields that rules and
// thresholds may add.
func (p *Policy) TagHeaders() []string { return nil }

// test is the compiled condition of a rule.
type test struct{}

// List is a set of addresses, domains, prefixes and patterns.
type List struct{}

// ReadList reads one entry a line, # comments; file names it in problems.
func ReadList(file string, r io.Reader) (*List, Problems) { return &List{}, nil }

// NewList makes a list of entries that stand in the policy itself.
func NewList(entries []Operand) (*List, Problems) { return &List{}, nil }
