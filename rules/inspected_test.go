package rules

import (
	"fmt"
	"testing"
)

// inspectedFacts are those of a message with a virus in it.
func inspectedFacts() *fakeFacts {
	return &fakeFacts{values: map[string]Value{
		"size":                 NumberValue(100),
		"virus":                TextValue("Eicar-Test-Signature"),
		"attachment_name":      TextValues([]string{"счёт.pdf.exe", "a.txt"}),
		"module.rspamd.score":  {Known: true, Num: 6125},
		"module.rspamd.symbol": TextValues([]string{"GTUBE", "R_SPF_FAIL"}),
		"module.rspamd.action": TextValue("add header"),
	}, errs: map[string]error{"module.spamd.score": errTimeout}}
}

func TestInspectedConditions(t *testing.T) {
	for _, tt := range []struct {
		attr   string
		values []any
		want   bool
	}{
		{"virus", []any{"^eicar"}, true},
		{"virus", []any{true}, true},
		{"virus", []any{false}, false},
		{"attachment_name", []any{`\.pdf\.exe$`}, true},
		{"attachment_name", []any{"СЧЁТ"}, true},
		{"attachment_name", []any{false}, false},
		{"attachment_type", []any{"."}, false},
		{"attachment_type", []any{false}, true},
		{"module.rspamd.score", []any{"> 6"}, true},
		{"module.rspamd.score", []any{6.125}, true},
		{"module.rspamd.score", []any{"<= 6.124"}, false},
		{"module.rspamd.symbol", []any{"^GTUBE$"}, true},
		{"module.rspamd.symbol", []any{true}, true},
		{"module.rspamd.action", []any{"^add header$"}, true},
		{"module.spamd.symbol", []any{true}, false},
		{"module.spamd.action", []any{"."}, false},
		{"module.spamd.score", []any{">= 0", "< 0"}, false}, // a temperror
	} {
		p := mustCompile(t, Source{
			Rules:     []SourceRule{{Name: "r", Stage: "complete", Weight: 1, Match: cond(tt.attr, tt.values...)}},
			Modules:   []string{"rspamd", "spamd"},
			Antivirus: true,
		})
		for _, tracer := range []Tracer{nil, func(Step) {}} {
			if out := p.Evaluate(t.Context(), Complete, inspectedFacts(), tracer); len(out.Hits) != 0 {
				t.Errorf("%s: tried before the inspectors", tt.attr)
			}
			if got := len(p.Evaluate(t.Context(), Inspected, inspectedFacts(), tracer).Hits) == 1; got != tt.want {
				t.Errorf("%s %v: %v", tt.attr, tt.values, got)
			}
		}
	}
}

// The stage complete comes in two runs, each in file order.
func TestCompleteInTwoRuns(t *testing.T) {
	size, virus := cond("size", "> 1"), cond("virus", true)
	rules := []SourceRule{
		{Name: "a", Stage: "complete", Match: virus, Weight: 1},
		{Name: "b", Stage: "complete", Match: size, Weight: 1},
		{Name: "c", Stage: "complete", Match: size, Unless: cond("module.m.score", "> 1"), Action: "reject"},
		{Name: "d", Stage: "complete", Any: append(cond("size", "< 1"), virus...), Weight: 1},
		{Name: "e", Stage: "complete", Match: size, Weight: 1},
	}
	first := rules[1]
	for _, tt := range []struct {
		change           func(r *SourceRule) // of b
		before, after    string
		ended            bool
		refuses, inspect bool
	}{
		{func(r *SourceRule) {}, "b e; continue", "a c; reject by c", false, false, true},
		{func(r *SourceRule) { r.Last = true }, "b; continue", "a c; reject by c", true, false, true},
		{func(r *SourceRule) { r.Last, r.Shadow = true, true }, "b e; continue", "a c; reject by c", false, false, true},
		{func(r *SourceRule) { r.Action = "accept" }, "b; accept by b", "a c; reject by c", true, false, true},
		{func(r *SourceRule) { r.Action = "tempfail" }, "b; tempfail by b", "a c; reject by c", true, true, true},
		{func(r *SourceRule) { r.Action = "hold" }, "b e; continue hold b", "a c; reject by c", false, false, true},
		{func(r *SourceRule) { r.Match, r.OnTemperror = []Condition{lacking}, "tempfail" }, "b?; tempfail by b", "a c; reject by c", true, true, true},
	} {
		rules[1] = first
		tt.change(&rules[1])
		p := mustCompile(t, Source{Rules: rules, Modules: []string{"m"}, Antivirus: true})
		facts := inspectedFacts()
		facts.errs["recipient_domain"] = errTimeout
		out, second := p.Evaluate(t.Context(), Complete, facts, nil), p.Evaluate(t.Context(), Inspected, facts, nil)
		if describe(out) != tt.before || describe(second) != tt.after || out.Ended() != tt.ended || !second.Ended() {
			t.Errorf("%s ended %v, then %s; want %s ended %v, then %s", describe(out), out.Ended(), describe(second), tt.before, tt.ended, tt.after)
		}
		if p.Refuses(Complete) != tt.refuses || p.Refuses(Inspected) != tt.inspect {
			t.Errorf("%s: refuses %v, then %v", tt.before, p.Refuses(Complete), p.Refuses(Inspected))
		}
		for _, r := range p.Rules() {
			if r.Stage != Complete {
				t.Errorf("rule %s is of stage %d", r.Name, r.Stage)
			}
		}
	}
}

func TestInspectedHasNoName(t *testing.T) {
	if s, ok := ParseStage("complete"); !ok || s != Complete || Inspected.String() != "complete" {
		t.Errorf("complete is %d; the other is %s", s, Inspected)
	}
	if s, ok := ParseStage("inspected"); ok {
		t.Errorf("a policy can name stage %d", s)
	}
}

func TestMissingInspectors(t *testing.T) {
	r := good()
	r.Stage, r.Match = "complete", append(cond("virus", true), cond("module.m.score", "> 1")...)
	delete(r.At, "reply")
	_, problems := Compile(Source{Rules: []SourceRule{r}})
	want := `p:5: attribute "virus" needs [antivirus], which the policy does not have
p:5: module.m.score: the policy has no [[module]]`
	if got := fmt.Sprint(problems.Error()); got != want {
		t.Errorf("got:\n%s", got)
	}
}
