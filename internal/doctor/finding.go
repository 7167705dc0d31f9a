package doctor

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says what comes of a finding.
type Severity string

// The severities.
const (
	Fault   Severity = "fault"   // mail is lost, refused, late, unjudged or not billed, or will be
	Warning Severity = "warning" // it may come to that
)

// Finding is something that is not as it should be.
type Finding struct {
	Name     string   `json:"name"` // of the check: "postfix-not-last"
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Why      string   `json:"why"`    // it matters
	Repair   string   `json:"repair"` // the command, or what to write where
}

// examination gathers findings.
type examination struct {
	Facts
	findings []Finding
}

// Examine is everything that is not as it should be, faults first.
func Examine(f Facts) []Finding {
	e := &examination{Facts: f}
	e.policy()
	e.daemon()
	for _, p := range f.Postfix {
		e.postfix(&p)
	}
	if f.Clamd != nil {
		e.clamd(f.Clamd)
	}
	if f.Rspamd != nil {
		e.rspamd(f.Rspamd)
	}
	if f.Redis != nil {
		e.redis(f.Redis)
	}
	if f.DNS != nil {
		e.dns(f.DNS)
	}
	e.machine()
	for _, d := range f.Disks {
		e.disk(d)
	}
	for _, file := range f.Files {
		e.file(file)
	}
	for i := range e.findings {
		e.findings[i].Repair = f.System.repair(e.findings[i].Repair)
	}
	slices.SortStableFunc(e.findings, func(a, b Finding) int { return cmp.Compare(a.Severity, b.Severity) })
	return e.findings
}

// advice is why a finding matters and what repairs it.
type advice struct{ why, repair string }

func (e *examination) fault(name string, a advice, what string, args ...any) {
	e.findings = append(e.findings, Finding{name, Fault, fmt.Sprintf(what, args...), a.why, a.repair})
}

func (e *examination) warn(name string, a advice, what string, args ...any) {
	e.findings = append(e.findings, Finding{name, Warning, fmt.Sprintf(what, args...), a.why, a.repair})
}
