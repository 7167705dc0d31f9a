// Package diag has the ground words of those who read a policy: where something
// stands, what is wrong with it, a value as it was written, and the name that
// may have been meant.
package diag

import (
	"fmt"
	"sort"
	"strings"
)

// Pos is where something stands in a policy file.
type Pos struct {
	File string
	Line int // from 1; 0 when unknown
}

// String returns "file:line".
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// OrElse is p, or where p is unknown the other.
func (p Pos) OrElse(other Pos) Pos {
	if p.Line == 0 {
		return other
	}
	return p
}

// Problem is one thing wrong with a policy.
type Problem struct {
	Pos     Pos
	Msg     string
	Warning bool // does not keep the policy from being used
}

func (p Problem) String() string {
	if p.Warning {
		return p.Pos.String() + ": warning: " + p.Msg
	}
	return p.Pos.String() + ": " + p.Msg
}

// Problems is everything wrong with a policy, the warnings included.
type Problems []Problem

// Sort orders by file and line.
func (p Problems) Sort() {
	sort.SliceStable(p, func(i, j int) bool {
		if p[i].Pos.File != p[j].Pos.File {
			return p[i].Pos.File < p[j].Pos.File
		}
		return p[i].Pos.Line < p[j].Pos.Line
	})
}

// Err returns nil when there are only warnings, else p as an error.
func (p Problems) Err() error {
	for _, x := range p {
		if !x.Warning {
			return p
		}
	}
	return nil
}

// Error has one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, x := range p {
		lines[i] = x.String()
	}
	return strings.Join(lines, "\n")
}

// Operand is a value as a policy has it: a string, bool, int64 or float64.
type Operand struct {
	Pos Pos
	V   any
}
