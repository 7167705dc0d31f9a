package gate_test

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// Rules see a field as it was received and as readers may see it.
func TestReadings(t *testing.T) {
	for _, attr := range []string{"subject", "header.Subject", "header.*"} {
		r := rule("lottery", "headers", "reject")
		r.Match = []rules.Condition{{Attr: attr, Values: []rules.Operand{{V: "лотере"}}}}
		hidden := rule("hidden", "headers", "")
		hidden.Weight, hidden.Match = 1, []rules.Condition{{Attr: attr, Values: []rules.Operand{{V: "лот\u200bере"}}}}
		for name, subject := range map[string]string{
			"as it is":             " лотерея",
			"a label that is none": " =?x-nope?q?=D0=BB=D0=BE=D1=82=D0=B5=D1=80=D0=B5?=",
			"a wrong label":        " =?koi8-r?q?=D0=BB=D0=BE=D1=82=D0=B5=D1=80=D0=B5?=",
			"invisible":            " лот\u200bерея",
			"windows-1251":         " \xe2\xfb \xe2\xfb\xe8\xe3\xf0\xe0\xeb\xe8 \xe2 \xeb\xee\xf2\xe5\xf0\xe5\xfe",
		} {
			w := newWorld(t, rules.Source{Rules: []rules.SourceRule{hidden, r}})
			w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{{"Subject", subject}}})
			e := w.last()
			if e.Verdict != "reject" || (len(e.Rules) == 2) != (name == "invisible") {
				t.Errorf("%s, %s: %s by %v", attr, name, e.Verdict, e.Rules)
			}
		}
	}
}

// The charset of what nothing labels is the policy's.
func TestFallbackCharset(t *testing.T) {
	r := rule("greek", "headers", "reject")
	r.Match = []rules.Condition{{Attr: "subject", Values: []rules.Operand{{V: "^καλημέρα$"}}}}
	w := newWorld(t, rules.Source{Rules: []rules.SourceRule{r}}, func(p *gate.Policy) { p.FallbackCharset = "iso-8859-7" })
	w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{{"Subject", " \xea\xe1\xeb\xe7\xec\xdd\xf1\xe1"}}})
	if e := w.last(); e.Verdict != "reject" {
		t.Errorf("%s, %q", e.Verdict, e.Subject)
	}
}

// A mark that no MTA takes is an internal fault, and a placeholder makes none.
func TestMarkTooLong(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for _, tt := range []struct {
		name, tag, header string
		accept            bool
		subject, want     string
	}{
		{name: "a placeholder", tag: "[{subject}]", subject: " a" + long[:30_000], want: "accept"},
		{name: "in a header", header: "X-Note: {subject}", subject: " a" + long, want: "accept"},
		{name: "a Subject that is too long", tag: "[X]", subject: " a " + long, want: "tempfail"},
		{name: "a Subject that is too long, on_error", tag: "[X]", accept: true, subject: " a " + long, want: "accept"},
	} {
		r := rule("marks", "headers", "")
		r.TagSubject, r.Weight = tt.tag, 1
		if tt.header != "" {
			r.TagHeader = []string{tt.header}
		}
		w := newWorld(t, rules.Source{Rules: []rules.SourceRule{r}}, func(p *gate.Policy) { p.AcceptOnError = tt.accept })
		got := w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{{"Subject", tt.subject}}})
		if e := w.last(); e.Verdict != tt.want {
			t.Errorf("%s: %s, %s", tt.name, e.Verdict, e.Reason)
		}
		if charged := len(w.records); (charged == 1) != (tt.want == "accept") {
			t.Errorf("%s: %d records", tt.name, charged)
		}
		for _, e := range got.result.Edits {
			if len(e.Value) > 65_000 {
				t.Errorf("%s: an edit of %d octets", tt.name, len(e.Value))
			}
		}
	}
}
