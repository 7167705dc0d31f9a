package main

import (
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/probe"
)

// A bad message is as wished where who looks for such has found it, not where it
// was refused for another reason, or anything matched.
func TestSendTestFinds(t *testing.T) {
	refused, taken := probe.Answer{Code: 550}, probe.Answer{Code: 250}
	module := func(result, action string, symbols ...string) journal.Entry {
		return journal.Entry{Kind: journal.Messages, Verdict: "reject", Modules: []journal.ModuleHit{{Result: result, Action: action, Symbols: symbols}}}
	}
	virus := journal.Entry{Kind: journal.Antivirus, Result: journal.Infected}
	clean := journal.Entry{Kind: journal.Antivirus, Result: journal.Clean}
	rule := journal.Entry{Kind: journal.Messages, Verdict: "reject", Rule: "hello", Rules: []journal.RuleHit{{Name: "hello", Weight: "3"}}}
	for _, tt := range []struct {
		name         string
		answer       probe.Answer
		entry        journal.Entry
		eicar, gtube bool
	}{
		{"unknown recipient", refused, journal.Entry{Kind: journal.Blocks, Verdict: "reject", Reason: "unknown"}, false, false},
		{"quota", probe.Answer{Code: 452}, journal.Entry{Kind: journal.Blocks, Verdict: "tempfail", Reason: "quota"}, false, false},
		{"a rule", refused, rule, false, false},
		{"virus", refused, virus, true, false},
		{"virus, passed on", taken, virus, true, false},
		{"scanned", taken, clean, false, false},
		{"spam by action", refused, module(journal.ModuleOK, "reject"), false, true},
		{"spam by symbol", taken, module(journal.ModuleOK, "", "R_DKIM_NA", "GTUBE"), false, true},
		{"virus by symbol", taken, module(journal.ModuleOK, "no action", "CLAM_VIRUS"), true, false},
		{"nothing found", taken, module(journal.ModuleOK, "no action", "R_DKIM_NA"), false, false},
		{"away", taken, module(journal.ModuleError, "reject", "GTUBE"), false, false},
	} {
		is := &testOutcome{Judged: true, Answer: tt.answer}
		if got := (testMessage{eicar: true}).asWished(is, []journal.Entry{{Kind: journal.Blocks}, tt.entry}); got != tt.eicar {
			t.Errorf("--eicar, %s: %v", tt.name, got)
		}
		if got := (testMessage{gtube: true}).asWished(is, []journal.Entry{tt.entry}); got != tt.gtube {
			t.Errorf("--gtube, %s: %v", tt.name, got)
		}
	}
}
