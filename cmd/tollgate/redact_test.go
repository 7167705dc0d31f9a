package main

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// What is passed on names nobody: neither local parts nor subjects are in it, and the
// same person has the same hash.
func TestRedact(t *testing.T) {
	h := newHouse(t)
	h.journals()
	for _, args := range []string{
		"journal --redact", "journal --redact --json", "journal show r1 --redact", "journal show r2 --redact", "journal show r2 --redact --json",
		"explain --ref r1 --redact", "explain --ref r2 --redact --json", "journal --count-by recipient --redact",
		"explain --offline --redact --sender anna@example.com --recipient ivan@example.org --recipient ghost@example.org",
	} {
		o := h.run(strings.Fields(args)...)
		if o.code != 0 {
			t.Errorf("%s: %+v", args, o)
		}
		for _, name := range []string{"ivan", "anna", "ghost", "Отчёт", "kcab"} {
			if strings.Contains(o.out+o.err, name) {
				t.Errorf("%s: %q is in\n%s", args, name, o.out)
			}
		}
		if !strings.Contains(o.out, "~") {
			t.Errorf("%s: no hash in\n%s", args, o.out)
		}
	}
	if a, b := redactAddress("<Ivan@Example.ORG>"), redactAddress("ivan@example.org"); a != b || !strings.HasSuffix(a, "@example.org") {
		t.Error(a, b)
	}
	for text, want := range map[string]string{
		"550 5.1.1 <ivan@example.org>: no such user": "550 5.1.1 <" + redactAddress("ivan@example.org") + ">: no such user",
		"from=ivan@example.org.":                     "",
	} {
		got := redactText(text)
		if strings.Contains(got, "ivan") || want != "" && got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	rule := journal.Entry{Event: journal.EventRules, Detail: "match: match subject = Отчёт for ivan"}
	if got := redactDetail(&rule); strings.Contains(got, "Отчёт") || strings.Contains(got, "ivan") {
		t.Error(got)
	}
}

// Who looks is written: by the daemon, or by the command while none runs.
func TestLooks(t *testing.T) {
	h := newHouse(t)
	h.journals()
	h.mustRun("journal", "show", "r1")
	h.serve()
	h.mustRun("explain", "--ref", "r1")
	h.mustRun("replay", "--journal", "--since", "30d")
	h.mustRun("trace", "on", "--rules", "--sender", "@example.com")
	out := h.mustRun("journal", "looks", "--json")
	for _, want := range []string{
		`"event":"journal show","detail":"r1"`, `"event":"explain","detail":"r1"`, `"event":"replay","detail":"--journal 30d"`,
		`"event":"trace","detail":"traced: rules from @example.com, in `, `"by":"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is not in\n%s", want, out)
		}
	}
	if strings.Contains(out, `"by":""`) || strings.Contains(h.mustRun("journal"), "explain") {
		t.Error(out)
	}
}
