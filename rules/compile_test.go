package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/rules/list"
	"github.com/tollgate-mail/tollgate/rules/number"
)

// cond makes a condition on line 5 with its operands there.
func cond(attr string, values ...any) []Condition {
	c := Condition{Pos: Pos{File: "p", Line: 5}, Attr: attr}
	for _, v := range values {
		c.Values = append(c.Values, Operand{V: v})
	}
	return []Condition{c}
}

// good is a rule without a problem, at line 1.
func good() SourceRule {
	return SourceRule{
		Pos: Pos{File: "p", Line: 1}, Name: "good", Stage: "headers", Match: cond("subject", "x"), Weight: 1000,
		At: map[string]Pos{
			"name": {File: "p", Line: 2}, "stage": {File: "p", Line: 3}, "action": {File: "p", Line: 6}, "reply": {File: "p", Line: 7},
			"tag_header": {File: "p", Line: 8}, "on_temperror": {File: "p", Line: 9},
		},
	}
}

func TestCompileProblems(t *testing.T) {
	tests := []struct {
		name string
		make func(r *SourceRule)
		want string // "" is none
	}{
		{"good", func(r *SourceRule) {}, ""},
		{"empty reply", func(r *SourceRule) { r.Action, r.Reply = "reject", " " }, `p:7: "" is not a reply code; a reply is written "550 5.7.1 text"`},
		{"misspelt attribute", func(r *SourceRule) { r.Match = cond("subjekt", "x") }, `p:5: unknown attribute "subjekt"; did you mean "subject"?`},
		{"misspelt family", func(r *SourceRule) { r.Match = cond("heder.To", "x") }, `p:5: unknown attribute "heder.To"; did you mean "header.To"?`},
		{"dot for underscore", func(r *SourceRule) { r.Match = cond("client.ip", "x") }, `p:5: unknown attribute "client.ip"; did you mean "client_ip"?`},
		{"no such attribute", func(r *SourceRule) { r.Match = cond("moon", "x") }, `p:5: unknown attribute "moon"`},
		{"virus without antivirus", func(r *SourceRule) { r.Stage = "complete"; r.Match = cond("virus", true) }, `p:5: attribute "virus" needs [antivirus], which the policy does not have`},
		{"module without its section", func(r *SourceRule) { r.Stage = "complete"; r.Match = cond("module.x.score", "> 1") }, `p:5: module.x.score: the policy has no [[module]]`},
		{"module member", func(r *SourceRule) { r.Match = cond("module.x.scores", "> 1") }, `p:5: unknown attribute "module.x.scores"; did you mean "module.x.score"?`},
		{"module alone", func(r *SourceRule) { r.Match = cond("module.x", "> 1") }, `p:5: unknown attribute "module.x"; there are module.NAME.score, module.NAME.symbol, module.NAME.action, module.NAME.text, module.NAME.hidden_text, module.NAME.url, module.NAME.url_domain`},
		{"zone", func(r *SourceRule) { r.Match = cond("dnsbl", "a..b") }, `p:5: dnsbl: "a..b" is not the name of a zone`},
		{"zone as address", func(r *SourceRule) { r.Match = cond("dnsbl", "192.0.2.1") }, `p:5: dnsbl: "192.0.2.1" is an address; the name of a zone is needed`},
		{"filter", func(r *SourceRule) { r.Match = cond("dnsbl", "a.b=127.0.0.[2..") }, `p:5: dnsbl: "127.0.0.[2..": a bracket is not closed: the filter after "=" is an address such as 127.0.0.2 or 127.0.0.[2..11;20]`},
		{"zone as bool", func(r *SourceRule) { r.Match = cond("dnsbl", true) }, `p:5: dnsbl: a zone is needed, not true or false`},
		{"spf value", func(r *SourceRule) { r.Match = cond("spf", "maybe") }, `p:5: spf: unknown value "maybe"; it is one of none, neutral, pass, fail, softfail, temperror, permerror`},
		{"header without name", func(r *SourceRule) { r.Match = cond("header", "x") }, `p:5: attribute "header" needs the name of a header field: header.NAME`},
		{"bad header name", func(r *SourceRule) { r.Match = cond("header.a b", "x") }, `p:5: "a b" is not the name of a header field`},
		{"name on plain attribute", func(r *SourceRule) { r.Match = cond("subject.x", "x") }, `p:5: attribute "subject" takes no name after a dot`},
		{"too early", func(r *SourceRule) { r.Stage = "rcptto" }, `p:5: attribute "subject" is known from stage headers on, not at rcptto: write stage = "headers"`},
		{"number for text", func(r *SourceRule) { r.Match = cond("subject", int64(3)) }, `p:5: subject: a regular expression or "list:NAME" is needed, not a number`},
		{"bool for text", func(r *SourceRule) { r.Match = cond("subject", true) }, `p:5: subject: a regular expression or "list:NAME" is needed, not true or false`},
		{"bool for every field", func(r *SourceRule) { r.Match = cond("header.*", true) }, `p:5: header.*: a regular expression or "list:NAME" is needed, not true or false`},
		{"text for bool", func(r *SourceRule) { r.Match = cond("tls", "true") }, `p:5: tls: true or false is needed, not a text`},
		{"text for number", func(r *SourceRule) { r.Match = cond("recipient_count", "many") }, `p:5: recipient_count: "many" is not a comparison such as "> 3"`},
		{"unit on a count", func(r *SourceRule) { r.Match = cond("recipient_count", "> 3 KiB") }, `p:5: recipient_count: "> 3 KiB" is not a comparison such as "> 3"`},
		{"bad size", func(r *SourceRule) { r.Match = cond("declared_size", "> 10 MB") }, `p:5: declared_size: "> 10 MB" is not a comparison such as "> 10 MiB"`},
		{"bad enum", func(r *SourceRule) { r.Match = cond("direction", "inbond") }, `p:5: direction: unknown value "inbond"; did you mean "inbound"?`},
		{"bad address", func(r *SourceRule) { r.Match = cond("client_ip", "10.0.0") }, `p:5: client_ip: "10.0.0" is neither an address nor a prefix such as 192.0.2.0/24`},
		{"open expression", func(r *SourceRule) { r.Match = cond("client_ip", "/^10") }, `p:5: client_ip: the expression is not closed by a slash`},
		{"bad expression", func(r *SourceRule) { r.Match = cond("subject", `a(b`) }, "p:5: subject: bad regular expression: error parsing regexp: missing closing ): `a(b`"},
		{"lookahead", func(r *SourceRule) { r.Match = cond("subject", `(?=a)`) }, "p:5: subject: bad regular expression: error parsing regexp: invalid or unsupported Perl syntax: `(?=`; RE2 has no look-around: state the exception as a condition of its own, in `unless`"},
		{"no values", func(r *SourceRule) { r.Match = cond("subject") }, `p:5: attribute "subject" has no value to compare with`},
		{"unknown list", func(r *SourceRule) { r.Match = cond("sender", "list:partnrs") }, `p:5: sender: unknown list "partnrs"; did you mean "partners"?`},
		{"no name", func(r *SourceRule) { r.Name = "" }, `p:1: a rule has no name`},
		{"bad name", func(r *SourceRule) { r.Name = "Über" }, `p:2: rule name "Über" has 'Ü' in it; names are made of a-z, 0-9, ".", "_" and "-"`},
		{"no stage", func(r *SourceRule) { r.Stage = "" }, `p:1: rule "good" has no stage`},
		{"bad stage", func(r *SourceRule) { r.Stage = "header" }, `p:3: unknown stage "header"; did you mean "headers"?`},
		{"bad action", func(r *SourceRule) { r.Action = "drop" }, `p:6: unknown action "drop"; here it is "discard"`},
		{"greylist", func(r *SourceRule) { r.Action = "greylist" }, `p:6: action "greylist" is for one recipient and only at stage rcptto`},
		{"hold at rcptto", func(r *SourceRule) { r.Stage, r.Action, r.Match = "rcptto", "hold", nil }, `p:6: action "hold" is for the whole message and not allowed at stage rcptto`},
		{"reply without refusal", func(r *SourceRule) { r.Reply = "550 5.7.1 no" }, `p:7: a reply goes with action "reject", "tempfail" or "greylist", not with "continue"`},
		{"reply of wrong class", func(r *SourceRule) { r.Action, r.Reply = "reject", "450 4.7.1 no" }, `p:7: reply code 450 does not agree with action "reject", which needs 5yz`},
		{"bad placeholder", func(r *SourceRule) { r.Action, r.Reply = "reject", "550 5.7.1 {clientip}" }, `p:7: unknown placeholder "{clientip}"; did you mean "{client_ip}"?`},
		{"structural tag", func(r *SourceRule) { r.TagHeader = []string{"from: x"} }, `p:8: header field From belongs to the message itself and cannot be a tag`},
		{"empty subject tag", func(r *SourceRule) { r.TagSubject = " " }, `p:1: the tag is empty`},
		{"bad on_temperror", func(r *SourceRule) { r.OnTemperror = "tempfial" }, `p:9: unknown value of on_temperror "tempfial"; did you mean "tempfail"?`},
		{"always", func(r *SourceRule) { r.Match = nil }, `p:1: warning: rule "good" has no condition and always matches`},
		{"nothing", func(r *SourceRule) { r.Weight = 0 }, `p:1: warning: rule "good" does nothing: it has no weight, tag or action`},
		{"forgeable", func(r *SourceRule) { r.Action = "accept" }, `p:6: warning: rule "good" accepts on subject, which a sender can forge`},
		{"forgeable any", func(r *SourceRule) { r.Action, r.Match, r.Any = "accept", nil, cond("header_ip", "10.0.0.0/8") }, `p:6: warning: rule "good" accepts on header_ip, which a sender can forge`},
		{"host bits", func(r *SourceRule) { r.Match = cond("client_ip", "10.0.0.1/8") }, `p:5: warning: rule "good": client_ip: 10.0.0.1/8 has bits set beyond its length; it is taken as 10.0.0.0/8`},
		{"empty expression", func(r *SourceRule) { r.Match = cond("sender", "") }, `p:5: warning: rule "good": sender: an empty expression matches every value; the empty value is "^$"`},
		{"address for a domain", func(r *SourceRule) { r.Match = cond("sender_domain", `@evil\.example$`) }, `p:5: warning: rule "good": sender_domain: the value is a domain, without what stands before an at sign`},
		{"addresses for a domain", func(r *SourceRule) { r.Match = cond("author_domain", `^(a@b|c@d)\.example$`) }, `p:5: warning: rule "good": author_domain: the value is a domain, without what stands before an at sign`},
		{"perhaps an address", func(r *SourceRule) { r.Match = cond("sender_domain", `@?evil\.example$`) }, ""},
		{"an address or a domain", func(r *SourceRule) { r.Match = cond("sender_domain", `^(a@b|c)\.example$`) }, ""},
		{"invisible letter", func(r *SourceRule) { r.Match = cond("subject", "lot\u200btery") }, `p:5: warning: rule "good": subject: the expression has the invisible character U+200B in it; rules see texts without such ones, too`},
		{"disabled", func(r *SourceRule) { r.Disabled, r.Action = true, "drop" }, `p:6: unknown action "drop"; here it is "discard"`},
	}
	for _, tt := range tests {
		r := good()
		tt.make(&r)
		if r.Reply == "" {
			delete(r.At, "reply") // where a key stands is known of keys that are there
		}
		p, problems := Compile(Source{Rules: []SourceRule{r}, Lists: map[string]*list.List{"partners": {}}})
		if got := problems.Error(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		if (p == nil) != (problems.Err() != nil) {
			t.Errorf("%s: policy %v with %v", tt.name, p, problems)
		}
	}
}

// An accept that also asks for the client is no open door.
func TestAcceptOfKnownClient(t *testing.T) {
	r := good()
	delete(r.At, "reply")
	r.Action = "accept"
	r.Match = append(r.Match, cond("client_ip", "192.0.2.0/24")...)
	if _, problems := Compile(Source{Rules: []SourceRule{r}}); len(problems) != 0 {
		t.Error(problems)
	}
}

func TestCompileReportsAllProblems(t *testing.T) {
	first, second := good(), good()
	delete(first.At, "reply")
	delete(second.At, "reply")
	first.Match = append(cond("subjekt", "x"), cond("subject", "(", int64(1))...)
	first.Action = "bounce"
	second.Pos.Line, second.At["name"] = 20, Pos{File: "p", Line: 21}
	_, problems := Compile(Source{
		Rules:      []SourceRule{first, second},
		Thresholds: []SourceThreshold{{Pos: Pos{File: "p", Line: 30}, Action: "accept"}, {Pos: Pos{File: "p", Line: 40}}},
	})
	want := []string{
		`p:5: unknown attribute "subjekt"; did you mean "subject"?`,
		"p:5: subject: bad regular expression: error parsing regexp: missing closing ): `(`",
		`p:5: subject: a regular expression or "list:NAME" is needed, not a number`,
		`p:6: unknown action "bounce"; here it is "reject"`,
		`p:21: rule name "good" is taken by the rule at p:2`,
		`p:30: a threshold cannot accept; its action is one of continue, reject, tempfail, discard, hold`,
		`p:40: warning: the threshold does nothing: it has no tag and no action`,
	}
	if got := problems.Error(); got != strings.Join(want, "\n") {
		t.Errorf("got:\n%s", got)
	}
}

// A rule without weight, tag and action is there for those that name it.
func TestNamedRuleDoesSomething(t *testing.T) {
	for operand, warned := range map[string]bool{"base": false, "^bas": false, "^other": true} {
		base := SourceRule{Pos: Pos{File: "p", Line: 1}, Name: "base", Stage: "helo", Match: cond("helo", "x")}
		_, problems := Compile(Source{Rules: []SourceRule{base, {Name: "built", Stage: "mailfrom", Unless: cond("rule", operand), Match: cond("sender", "x"), Weight: 1}}})
		if got := strings.Contains(problems.Error(), "does nothing"); got != warned {
			t.Errorf("rule = %q: %v", operand, problems)
		}
	}
}

func TestPolicyAnswers(t *testing.T) {
	rules := []SourceRule{
		{Name: "a", Stage: "connect", Match: cond("client_ip", "10.0.0.0/8"), Action: "reject"},
		{Name: "off", Stage: "helo", Match: cond("helo", "x"), Action: "reject", Disabled: true},
		{Name: "shadow", Stage: "mailfrom", Match: cond("sender", "x"), Action: "reject", Shadow: true, TagHeader: []string{"X-Shadow: 1"}},
		{Name: "missing", Stage: "rcptto", Match: cond("recipient", "x"), Weight: 1, OnTemperror: "tempfail"},
		{Name: "tag", Stage: "headers", Match: cond("header.x-MAILER", "x"), Any: cond("raw_header.to", "x"), TagHeader: []string{"x-b: 1", "X-A: {sender}"}},
	}
	p, problems := Compile(Source{Rules: rules, Thresholds: []SourceThreshold{
		{Above: 5000, TagHeader: []string{"X-B: 2"}, TagSubject: "[SPAM {weight}]"},
		{Above: 12000, Action: "reject", Reply: "550 5.7.1 Weight {weight}"},
		{Above: -1000, Action: "hold"},
	}})
	if p == nil {
		t.Fatal(problems)
	}
	var refuses []string
	for s := Connect; s <= Complete; s++ {
		if p.Refuses(s) {
			refuses = append(refuses, s.String())
		}
	}
	var names []string
	for i, r := range p.Rules() {
		if r.Index != i {
			t.Errorf("rule %s has index %d, not %d", r.Name, r.Index, i)
		}
		names = append(names, r.Name)
	}
	for _, tt := range []struct{ what, got, want string }{
		{"refuses", fmt.Sprint(refuses), "[connect rcptto]"},
		{"rules", fmt.Sprint(names), "[a shadow missing tag]"},
		{"tags", fmt.Sprint(p.TagHeaders()), "[X-A X-B]"},
		{"headers", fmt.Sprint(p.HeaderNames(HeaderField), p.HeaderNames(RawHeaderField)), "[X-Mailer] [To]"},
		{"uses", fmt.Sprint(p.Uses(ClientIP), p.Uses(HeloName), p.Uses(HeaderField), p.Uses(Size)), "true false true false"},
		{"thresholds", fmt.Sprint(len(p.Thresholds(-1000)), len(p.Thresholds(5000)), len(p.Thresholds(5001)), len(p.Thresholds(13000))), "0 1 2 3"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, tt.got, tt.want)
		}
	}
	last := p.Thresholds(13000)[1]
	if last.Action != Reject || last.Reply.Code != 550 || last.Reply.Text.String() != "Weight {weight}" {
		t.Errorf("threshold %+v", last)
	}
}

func TestNumberValueSaturates(t *testing.T) {
	c, err := number.ParseComparison("> 10 MiB", number.Octets)
	if err != nil || !c.Holds(NumberValue(1<<63-1).Num) || c.Holds(NumberValue(-1<<63).Num) {
		t.Errorf("%v: %v %v", err, NumberValue(1<<63-1), NumberValue(-1<<63))
	}
}
