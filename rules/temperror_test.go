package rules

import (
	"fmt"
	"testing"
)

// With on_temperror a rule defers on the value temperror as on any value that
// could not be had, unless it asks for that value by name; without, that keeps it from
// applying in unless.
func TestTemperrorAsValue(t *testing.T) {
	spf := func(names ...any) []Condition { return cond("spf", names...) }
	for _, tt := range []struct {
		match, any, unless []Condition
		skip, tempfail     string
	}{
		{spf("fail"), nil, nil, "; continue", "r?; tempfail by r"},
		{spf("fail", "temperror"), nil, nil, "r; reject by r", "r; reject by r"},
		{append(spf("fail"), failing), nil, nil, "; continue", "; continue"},
		{append(spf("fail"), holding), nil, nil, "; continue", "r?; tempfail by r"},
		{nil, append(spf("fail"), holding), nil, "r; reject by r", "r; reject by r"},
		{nil, append(spf("fail"), failing), nil, "; continue", "r?; tempfail by r"},
		{nil, nil, spf("pass"), "; continue", "r?; tempfail by r"},
		{nil, nil, append(spf("pass"), failing), "; continue", "r?; tempfail by r"},
		{nil, nil, spf("pass", "temperror"), "; continue", "; continue"},
		{nil, nil, append(spf("pass"), holding), "; continue", "; continue"},
		{cond("dkim", "fail"), nil, nil, "; continue", "; continue"}, // known: it passed
	} {
		for on, want := range map[string]string{"skip": tt.skip, "tempfail": tt.tempfail} {
			p := mustCompile(t, Source{Rules: []SourceRule{{
				Name: "r", Stage: "complete", Match: tt.match, Any: tt.any, Unless: tt.unless, OnTemperror: on, Action: "reject",
			}}})
			facts := mailFacts()
			facts.values["spf"], facts.values["dkim"] = EnumValue("temperror"), EnumValue("pass")
			for _, tracer := range []Tracer{nil, func(s Step) {
				if s.Matched != (want == "r; reject by r") || (s.Err != nil) != (want == "r?; tempfail by r" || tt.unless != nil && tt.skip != tt.tempfail) {
					t.Errorf("%v %v %v: step %+v", tt.match, tt.any, tt.unless, s)
				}
			}} {
				if got := describe(p.Evaluate(t.Context(), Complete, facts, tracer)); got != want {
					t.Errorf("%v %v %v, on_temperror %s: %s, want %s", tt.match, tt.any, tt.unless, on, got, want)
				}
			}
		}
	}
}

// What must be waited for is asked only where nothing at hand decides.
func TestLookupsAreAskedLast(t *testing.T) {
	for i, tt := range []struct {
		match, any, unless []Condition
		asked              string
	}{
		{append(cond("dnsbl", "a.example", "b.example"), cond("direction", "outbound")...), nil, nil, "map[direction:1]"},
		{append(cond("spf", "fail"), cond("client_host", "nowhere")...), nil, nil, "map[client_host:1]"},
		{nil, append(cond("correspondent", true), cond("direction", "inbound")...), nil, "map[direction:1]"},
		{append(cond("spf", "fail"), cond("client_host", `^\d+$`)...), nil, nil, "map[client_host:1]"}, // an expression without a literal
		{cond("spf", "fail"), nil, append(cond("correspondent", true), cond("tls", false)...), "map[spf:1]"},
		{cond("direction", "inbound"), append(cond("correspondent", true), cond("tls", false)...), nil, "map[direction:1 tls:1]"},
		{nil, nil, append(cond("spf", "pass"), cond("client_ip", "203.0.113.0/24")...), "map[client_ip:1]"},
		{append(cond("dnsbl", "a.example"), cond("direction", "inbound")...), nil, nil, "map[direction:1 dnsbl a.example:1]"},
	} {
		p := mustCompile(t, Source{Rules: []SourceRule{{
			Name: "r", Stage: "rcptto", Match: tt.match, Any: tt.any, Unless: tt.unless, Weight: 1,
		}}})
		facts := mailFacts()
		facts.asked = make(map[string]int)
		p.Evaluate(t.Context(), RcptTo, facts, nil)
		if got := fmt.Sprint(facts.asked); got != tt.asked {
			t.Errorf("%d: asked for %s, want %s", i, got, tt.asked)
		}
	}
}
