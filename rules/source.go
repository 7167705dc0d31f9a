package rules

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

// Source is a policy's rules as they were written, before [Compile].
type Source struct {
	Rules      []SourceRule      // in file order
	Thresholds []SourceThreshold // in file order
	Lists      map[string]*List
	Antivirus  bool     // there is one: virus has an answer
	Modules    []string // names of the extension modules
}

// SourceRule is one [[rule]]. Names and texts are as written; Compile reports
// what is wrong with them, at At[key] when the key is known there, else at Pos.
type SourceRule struct {
	Pos Pos
	At  map[string]Pos // position of each key: "stage", "action", "reply", "weight", ...

	Name, Stage        string
	Match, Any, Unless []Condition
	Weight             Weight
	TagSubject         string
	TagHeader          []string // "Name: value"
	UnlessSigned       string   // "" or "header"
	Action             string   // "" is "continue"
	Reply              string   // "550 5.7.1 text"
	Last               bool
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
}

// Operand is one value of a condition: a string, bool, int64 or float64.
type Operand struct {
	Pos Pos
	V   any
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
}
