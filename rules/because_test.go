package rules

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"
)

// A hit tells by what it matched, at a price of its own: the message's work is what
// it would be without, and a text that is too dear to find is left out.
func TestBecause(t *testing.T) {
	long := strings.Repeat("б", 5000) + " lottery " + strings.Repeat("я", 5000)
	f := mailFacts()
	f.values["subject"] = TextValue(long)
	p := mustCompile(t, Source{Rules: []SourceRule{
		{Name: "text", Stage: "headers", Match: cond("subject", "lottery")},
	}})
	out := p.Evaluate(context.Background(), Headers, f, nil)
	if len(out.Hits) != 1 {
		t.Fatalf("%+v", out)
	}
	h := out.Hits[0]
	if h.Attr != "subject" || !strings.Contains(h.Text, "lottery") || len(h.Text) > MaxBecause+2*len("…") || !utf8.ValidString(h.Text) {
		t.Errorf("%s: %q", h.Attr, h.Text)
	}
	for _, tt := range []struct {
		text     string
		from, to int
		want     string
	}{
		{"short", 0, 0, "short"},
		{strings.Repeat("a", 200), 0, 0, strings.Repeat("a", 160) + "…"},
		{strings.Repeat("a", 200), 199, 200, "…" + strings.Repeat("a", 160)},
		{strings.Repeat("a", 400), 0, 400, strings.Repeat("a", 160) + "…"},
		{strings.Repeat("a", 400), 390, 400, "…" + strings.Repeat("a", 160)},
	} {
		if got := around(tt.text, tt.from, tt.to); got != tt.want {
			t.Errorf("%d..%d of %d octets: %q", tt.from, tt.to, len(tt.text), got)
		}
	}
}
