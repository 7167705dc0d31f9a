package rules

import (
	"strings"
	"testing"
)

// A rule in short: name, action and marks such as "shadow".
func shortRules(t *testing.T, lines string) *Policy {
	var src Source
	for line := range strings.Lines(lines) {
		f := strings.Fields(line)
		r := SourceRule{Name: f[0], Stage: "complete", Action: f[1], Match: []Condition{holding}, Weight: 1}
		for _, mark := range f[2:] {
			switch mark {
			case "no":
				r.Match = []Condition{failing}
			case "temp":
				r.Match, r.OnTemperror = []Condition{lacking}, "tempfail"
			case "shadow":
				r.Shadow = true
			case "last":
				r.Last = true
			case "off":
				r.Disabled = true
			}
		}
		src.Rules = append(src.Rules, r)
	}
	return mustCompile(t, src)
}

func TestOutcome(t *testing.T) {
	for _, tt := range []struct{ rules, want string }{
		{"a continue\nb continue no\nc continue", "a c; continue"},
		{"a continue\nb accept\nc reject", "a b; accept by b"},
		{"a reject no\nb tempfail\nc reject", "b; tempfail by b"},
		{"a discard\nb hold\nc discard\nd hold\ne continue", "a b c d e; continue discard a hold b"},
		{"a hold\nb reject\nc continue", "a b; reject by b hold a"},
		{"a continue last\nb reject", "a; continue"},
		{"a continue last no\nb reject", "b; reject by b"},
		{"a reject shadow\nb discard shadow\nc continue last shadow\nd accept", "a b c d; accept by d"},
		{"a reject off\nb continue", "b; continue"},
		{"a continue\nb continue temp\nc reject", "a b?; tempfail by b"},
		{"a accept temp shadow\nb reject", "a? b; reject by b"},
	} {
		p := shortRules(t, tt.rules)
		for _, tracer := range []Tracer{nil, func(Step) {}} {
			if got := describe(p.Evaluate(t.Context(), Complete, mailFacts(), tracer)); got != tt.want {
				t.Errorf("%q: %s, want %s", tt.rules, got, tt.want)
			}
		}
		if out := p.Evaluate(t.Context(), Helo, mailFacts(), nil); len(out.Hits) != 0 {
			t.Errorf("%q: hits at another stage", tt.rules)
		}
	}
	if out := new(Policy).Evaluate(t.Context(), Complete, mailFacts(), nil); describe(out) != "; continue" {
		t.Errorf("the empty policy says %+v", out)
	}
}

// describe is an outcome in words.
func describe(o Outcome) string {
	var hits []string
	for _, h := range o.Hits {
		name := h.Rule.Name
		if h.Temperror {
			name += "?"
		}
		hits = append(hits, name)
	}
	s := strings.Join(hits, " ") + "; " + o.Action.String()
	if o.By != nil {
		s += " by " + o.By.Name
	}
	if o.Discard != nil {
		s += " discard " + o.Discard.Name
	}
	if o.Hold != nil {
		s += " hold " + o.Hold.Name
	}
	return s
}
