package rules

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// What a rule says of several values, of other attributes and of other rules.
func TestBuilding(t *testing.T) {
	all := func(c []Condition) []Condition { c[0].All = true; return c }
	hits := func(n string, c []Condition) []Condition { c[0].Hits = n; return c }
	facts := &fakeFacts{values: map[string]Value{
		"client_host": TextValue("Mail.Example.COM"), "helo": TextValue("mail.example.com."), "sender": TextValue("a@xn--e1aybc.xn--p1ai"),
		"recipient": TextValue("A@тест.рф"), "subject": TextValue("You won ticket #417, act now"), "size": NumberValue(5 << 20),
		"header.To":       {Texts: []string{"Anna <a@xn--e1aybc.xn--p1ai>"}, Mailboxes: []string{"a@xn--e1aybc.xn--p1ai"}},
		"header_count.To": NumberValue(2), "date_skew": NumberValue(-8 * 86400), "client_ip": ips("192.0.2.7"), "header_ip": ips("192.0.2.9", "192.0.2.7"),
		"declared_size": NumberValue(1 << 20), "header.X": TextValue("[192.0.2.7]"), "header.Y": TextValue(""),
	}}
	for name, tt := range map[string]struct {
		rule SourceRule
		want bool
	}{
		"all":                     {SourceRule{Match: all(cond("subject", "won", "now"))}, true},
		"all but one":             {SourceRule{Match: all(cond("subject", "won", "later"))}, false},
		"range":                   {SourceRule{Match: all(cond("size", "> 1 MiB", "< 10 MiB"))}, true},
		"out of range":            {SourceRule{Match: all(cond("size", "> 1 MiB", "< 5 MiB"))}, false},
		"hits":                    {SourceRule{Match: hits(">= 2", cond("subject", "won", "later", "now"))}, true},
		"too few":                 {SourceRule{Match: hits(">= 3", cond("subject", "won", "later", "now"))}, false},
		"exactly":                 {SourceRule{Match: hits("= 1", cond("subject", "won", "later"))}, true},
		"none of them":            {SourceRule{Match: hits("= 0", cond("subject", "x1", "x2"))}, true},
		"group":                   {SourceRule{AnyOf: [][]Condition{append(cond("subject", "won"), cond("size", "> 1 MiB")...)}}, true},
		"group that fails":        {SourceRule{AnyOf: [][]Condition{append(cond("subject", "won"), cond("size", "> 9 MiB")...)}}, false},
		"second group":            {SourceRule{AnyOf: [][]Condition{cond("subject", "lost"), cond("subject", "won")}}, true},
		"group or any":            {SourceRule{Any: cond("subject", "lost"), AnyOf: [][]Condition{cond("subject", "won")}}, true},
		"unless group":            {SourceRule{UnlessAll: [][]Condition{append(cond("subject", "won"), cond("size", "> 9 MiB")...)}}, true},
		"unless group holds":      {SourceRule{UnlessAll: [][]Condition{append(cond("subject", "won"), cond("size", "> 1 MiB")...)}}, false},
		"same name":               {SourceRule{Match: cond("helo", "{client_host}")}, true},
		"same address, IDN":       {SourceRule{Match: cond("sender", "{recipient}")}, true},
		"header has recipient":    {SourceRule{Match: cond("header.To", "{recipient}")}, true},
		"another":                 {SourceRule{Match: cond("helo", "{sender}")}, false},
		"empty is nobody":         {SourceRule{Match: cond("helo", "{header.Y}")}, false},
		"address of the trace":    {SourceRule{Match: cond("header_ip", "{client_ip}")}, true},
		"literal":                 {SourceRule{Match: cond("header.X", "{client_ip}")}, true},
		"number":                  {SourceRule{Match: cond("size", "> {declared_size}")}, true},
		"number, not":             {SourceRule{Match: cond("size", "< {declared_size}")}, false},
		"count":                   {SourceRule{Match: cond("header_count.To", "> 1")}, true},
		"days":                    {SourceRule{Match: cond("date_skew", "< -7d")}, true},
		"not a week ahead":        {SourceRule{Match: cond("date_skew", "> 1w")}, false},
		"builds on first":         {SourceRule{Match: cond("rule", "first")}, true},
		"builds on what is not":   {SourceRule{Match: cond("rule", "never")}, false},
		"whole names":             {SourceRule{Match: cond("rule", "fir")}, false},
		"expression over names":   {SourceRule{Match: cond("rule", "^fi.st$")}, true},
		"unless it matched":       {SourceRule{Unless: cond("rule", "first")}, false},
		"shadow is not":           {SourceRule{Match: cond("rule", "shade")}, false},
		"of an earlier stage too": {SourceRule{Match: cond("rule", "^earlier$|^nothing$")}, true},
	} {
		facts.values["rule"] = TextValues([]string{"earlier"})
		tt.rule.Name, tt.rule.Stage, tt.rule.Weight = "last", "complete", 1
		p := mustCompileAnyway(t, Source{Rules: []SourceRule{
			{Name: "first", Stage: "complete", Weight: 1, Match: cond("subject", "won")},
			{Name: "never", Stage: "complete", Weight: 1, Match: cond("subject", "lost")},
			{Name: "fir", Stage: "complete", Weight: 1, Match: cond("subject", "lost")},
			{Name: "shade", Stage: "complete", Weight: 1, Match: cond("subject", "won"), Shadow: true},
			tt.rule,
		}})
		for _, tracer := range []Tracer{nil, func(Step) {}} {
			out := p.Evaluate(t.Context(), Complete, facts, tracer)
			if got := strings.Contains(describe(out), "last"); got != tt.want {
				t.Errorf("%s: %v (%s)", name, got, describe(out))
			}
		}
	}
}

func mustCompileAnyway(t *testing.T, src Source) *Policy {
	t.Helper()
	p, problems := Compile(src)
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

func TestWeightEachAndCaptures(t *testing.T) {
	at := map[string]Pos{}
	p := mustCompileAnyway(t, Source{Rules: []SourceRule{{
		Name: "lure", Stage: "headers", Weight: 1000, WeightEach: 500, WeightMost: 1200, At: at,
		Match: cond("subject", `won (\w+) #(\d+)`, "now", "act", "lost"), TagHeader: []string{"X-Ticket: {2}"}, RemoveHeader: []string{"x-priority"},
	}}})
	facts := &fakeFacts{values: map[string]Value{"subject": TextValue("You won ticket #417, act now")}}
	for _, tracer := range []Tracer{nil, func(Step) {}} {
		h := p.Evaluate(t.Context(), Headers, facts, tracer).Hits[0]
		if h.Weight != 2200 || fmt.Sprint(h.Captures) != "[ticket 417]" || h.Rule.Tags.Remove[0] != "X-Priority" {
			t.Errorf("%+v", h)
		}
	}
	for want, change := range map[string]func(*SourceRule){
		"weight_each needs weight_max":          func(r *SourceRule) { r.WeightMost = 0 },
		"weight_max bounds weight_each":         func(r *SourceRule) { r.WeightEach = 0 },
		"have no more than 2":                   func(r *SourceRule) { r.TagHeader = []string{"X-A: {3}"} },
		"there is no expression with one":       func(r *SourceRule) { r.Match = cond("subject", "x") },
		"header field Received cannot be":       func(r *SourceRule) { r.RemoveHeader = []string{"received"} },
		"header field Content-Type cannot be":   func(r *SourceRule) { r.RemoveHeader = []string{"Content-Type"} },
		`unknown rule "x"`:                      func(r *SourceRule) { r.Match = cond("rule", "x") },
		"the rule is this one itself":           func(r *SourceRule) { r.Match = cond("rule", "lure") },
		`rule "later" is tried after this one`:  func(r *SourceRule) { r.Match = cond("rule", "later") },
		"{size} is known from stage complete":   func(r *SourceRule) { r.Match = cond("subject", "{size}") },
		"the one is a text, the other a number": func(r *SourceRule) { r.Match = cond("subject", "{recipient_count}") },
		"{subject} is the attribute itself":     func(r *SourceRule) { r.Match = cond("subject", "{subject}") },
		`unknown attribute "sendr"`:             func(r *SourceRule) { r.Match = cond("subject", "{sendr}") },
		`hits ">= 3" can never be`:              func(r *SourceRule) { r.Match = cond("subject", "a", "b"); r.Match[0].Hits = ">= 3" },
	} {
		r := SourceRule{
			Name: "lure", Stage: "headers", WeightEach: 500, WeightMost: 1200, Match: cond("subject", `(a)(b)`), TagHeader: []string{"X-Ticket: {2}"},
		}
		change(&r)
		if r.Match[0].Attr == "rule" || len(r.TagHeader) > 0 && r.TagHeader[0] == "X-Ticket: {2}" && !strings.Contains(want, "expression") {
			r.TagHeader = nil
		}
		_, problems := Compile(Source{Rules: []SourceRule{r, {Name: "later", Stage: "headers", Weight: 1, Match: cond("subject", "x")}}})
		if !strings.Contains(problems.Error(), want) {
			t.Errorf("%s: %v", want, problems)
		}
	}
}

// TestNoOperandsStayNone: all conditions without operands share theirs.
func TestNoOperandsStayNone(t *testing.T) {
	mustCompile(t, Source{Rules: []SourceRule{
		{Name: "a", Stage: "complete", Weight: 1, Match: cond("header.X", "x", true), Unless: cond("client_ip", "192.0.2.1")},
		{Name: "b", Stage: "complete", Weight: 1, Match: cond("size", "> 1 KiB"), Any: cond("spf", "fail")},
		{Name: "c", Stage: "complete", Weight: 1, Match: cond("dnsbl", "a.example"), Any: cond("rule", "a")},
		{Name: "d", Stage: "complete", Weight: 1, Match: []Condition{{Attr: "subject", Values: []Operand{{V: "x"}, {V: "y"}}, All: true}}, AnyOf: [][]Condition{cond("helo", "{client_host}")}},
	}})
	if !reflect.DeepEqual(*noOperands, operands{}) {
		t.Errorf("they have become %+v", *noOperands)
	}
}
