package rules

import (
	"context"
	"io"
)

// Attr is an attribute of the catalogue.
type Attr uint8

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

// Template is a text with placeholders such as {client_ip}.
type Template struct{}

// ParseTemplate parses and checks a text; an unknown placeholder is an error
// that names the nearest valid one.
func ParseTemplate(s string) (Template, error) { return Template{}, nil }

// Expand replaces each placeholder by what value says of its name (without
// braces). It does not clean what it inserts: the caller knows where it goes.
func (t Template) Expand(value func(name string) string) string { return "" }

// Uses tells whether the placeholder stands in the text.
func (t Template) Uses(name string) bool { return false }

// ParseReply parses "550 5.7.1 text"; codes must agree with each other and
// with the action (Reject: 5yz, Tempfail: 4yz but 421).
func ParseReply(s string, a Action) (*Reply, error) { return &Reply{}, nil }

// Nearest returns the valid name most like name, or "" when none is near.
func Nearest(name string, valid []string) string { return "" }
