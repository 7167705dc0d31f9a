package main

import (
	"errors"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/probe"
)

// Of a message that Postfix itself refused the journals are asked by its envelope: the
// reply names no reference.
func TestSendTestAsked(t *testing.T) {
	m := testMessage{from: "a@example.com", to: "b@nowhere.example"}
	began := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		answer probe.Answer
		entry  journal.Entry
		found  bool
	}{
		{probe.Answer{Step: ".", QueueID: "4LX"}, journal.Entry{QueueID: "4LX"}, true},
		{probe.Answer{Step: "RCPT", Ref: "r1"}, journal.Entry{Ref: "r2"}, false},
		{probe.Answer{Step: "RCPT"}, journal.Entry{Kind: journal.Blocks, Ref: "r1", Time: began, Sender: "a@example.com", Recipient: "b@nowhere.example"}, true},
		{probe.Answer{Step: "RCPT"}, journal.Entry{Kind: journal.Blocks, Ref: "r1", Time: began.Add(-time.Hour), Sender: "a@example.com", Recipient: "b@nowhere.example"}, false},
		{probe.Answer{Step: "RCPT"}, journal.Entry{Kind: journal.Blocks, Ref: "r1", Time: began, Sender: "a@example.com", Recipient: "c@example.org"}, false},
		{probe.Answer{Step: "MAIL"}, journal.Entry{Kind: journal.Blocks, Ref: "r1", Time: began, Sender: "a@example.com"}, true},
	} {
		dir := t.TempDir()
		j, err := journal.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		tt.entry.Kind = journal.Blocks
		if tt.entry.Time.IsZero() {
			tt.entry.Time = began
		}
		if err := errors.Join(j.Write(&tt.entry), j.Close()); err != nil {
			t.Fatal(err)
		}
		found := false
		if _, err := journal.Search(t.Context(), dir, m.asked(tt.answer, began), func(journal.Entry) error { found = true; return nil }); err != nil || found != tt.found {
			t.Errorf("%+v, %+v: found %v, %v", tt.answer, tt.entry, found, err)
		}
	}
}

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
