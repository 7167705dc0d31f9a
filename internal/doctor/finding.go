package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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
		from := len(e.findings)
		e.postfix(&p)
		for i := range e.findings[from:] {
			f := &e.findings[from+i]
			f.Repair = p.repair(f.Repair)
		}
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

// repair is for this Postfix, where several run: a command without its folder would
// change another one.
func (p *Postfix) repair(text string) string {
	switch p.Config {
	case "", "/etc/postfix", "/usr/local/etc/postfix":
		return text
	}
	return strings.NewReplacer("postconf -", "postconf -c "+p.Config+" -", "tollgate attach", "tollgate attach --config "+p.Config,
		"tollgate detach", "tollgate detach --config "+p.Config, "systemctl restart postfix", "postfix -c "+p.Config+" stop && postfix -c "+p.Config+" start").Replace(text)
}

// advice is why a finding matters and what repairs it.
type advice struct{ why, repair string }

func (e *examination) fault(name string, a advice, what string, args ...any) {
	e.findings = append(e.findings, Finding{name, Fault, fmt.Sprintf(what, args...), a.why, a.repair})
}

func (e *examination) warn(name string, a advice, what string, args ...any) {
	e.findings = append(e.findings, Finding{name, Warning, fmt.Sprintf(what, args...), a.why, a.repair})
}
