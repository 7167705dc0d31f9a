package rules

import "testing"

func TestUnlessSigned(t *testing.T) {
	at := map[string]Pos{"unless_signed": {File: "p", Line: 2}, "tag_subject": {File: "p", Line: 3}}
	for _, tt := range []struct {
		subject string
		headers []string
		signed  string
		want    Signed
		err     string
	}{
		{"[X]", nil, "", TagSubject, ""},
		{"[X]", nil, "header", TagHeader, ""},
		{"[X]", []string{"X-A: 1"}, "header", TagHeader, ""},
		{"[X]", nil, "headers", 0, `p:2: unknown value of unless_signed "headers"; did you mean "header"?`},
		{"", []string{"X-A: 1"}, "header", 0, `p:2: unless_signed says where tag_subject goes; there is none`},
		{"[{x}]", nil, "header", 0, `p:3: unknown placeholder "{x}"; there are {client_ip} {client_host} {helo} {sender} {recipient} {subject} {weight} {rule} {virus} {queue_id} {gateway} {ref}`},
	} {
		rule := good()
		rule.TagSubject, rule.TagHeader, rule.UnlessSigned = tt.subject, tt.headers, tt.signed
		threshold := SourceThreshold{Action: "hold", TagSubject: tt.subject, TagHeader: tt.headers, UnlessSigned: tt.signed}
		rule.At, threshold.At = at, at
		if tt.subject == "" {
			rule.At = map[string]Pos{"unless_signed": at["unless_signed"]}
			threshold.At = rule.At
		}
		p, problems := Compile(Source{Rules: []SourceRule{rule}})
		if problems.Error() != tt.err {
			t.Errorf("%+v: rule: %v", tt, problems)
		}
		if p != nil && (p.Rules()[0].Tags.Signed != tt.want || p.TagsSigned() != (tt.want == TagHeader)) {
			t.Errorf("%+v: rule has %+v, policy %v", tt, p.Rules()[0].Tags, p.TagsSigned())
		}
		p, problems = Compile(Source{Thresholds: []SourceThreshold{threshold}})
		if problems.Error() != tt.err {
			t.Errorf("%+v: threshold: %v", tt, problems)
		}
		if p != nil && (p.Thresholds(1)[0].Tags.Signed != tt.want || p.TagsSigned() != (tt.want == TagHeader)) {
			t.Errorf("%+v: threshold has %+v, policy %v", tt, p.Thresholds(1)[0].Tags, p.TagsSigned())
		}
	}
}

// What a shadow rule would mark does not make the policy look for signatures.
func TestShadowDoesNotTagSigned(t *testing.T) {
	r := good()
	delete(r.At, "reply")
	r.TagSubject, r.UnlessSigned, r.Shadow = "[X]", "header", true
	if mustCompile(t, Source{Rules: []SourceRule{r}}).TagsSigned() {
		t.Error("a shadow rule counts")
	}
}

func TestGreylistIsForOneRecipient(t *testing.T) {
	for _, tt := range []struct{ stage, reply, err string }{
		{"rcptto", "", ""},
		{"rcptto", "450 4.2.0 Come back later (ref {ref})", ""},
		{"rcptto", "550 5.7.1 no", `p:7: reply code 550 does not agree with action "greylist", which needs 4yz`},
		{"rcptto", "421 4.7.0 no", `p:7: reply code 421 ends the session and is not for rules; take 451 or 450`},
		{"mailfrom", "", `p:6: action "greylist" is for one recipient and only at stage rcptto`},
		{"complete", "", `p:6: action "greylist" is for one recipient and only at stage rcptto`},
	} {
		r := good()
		r.Stage, r.Match, r.Weight, r.Action, r.Reply = tt.stage, cond("sender", "x"), 0, "greylist", tt.reply
		if tt.reply == "" {
			delete(r.At, "reply")
		}
		if _, problems := Compile(Source{Rules: []SourceRule{r}}); problems.Error() != tt.err {
			t.Errorf("%s %q: %v", tt.stage, tt.reply, problems)
		}
	}
	_, problems := Compile(Source{Thresholds: []SourceThreshold{{Pos: Pos{File: "p", Line: 1}, Action: "greylist"}}})
	if want := "p:1: a threshold cannot greylist: it judges whole messages"; problems.Error() != want {
		t.Error(problems)
	}
}

// Greylisting is remembered: later rules may still refuse for good, or count.
func TestGreylistOutcome(t *testing.T) {
	rule := func(name, action string, shadow, last bool) SourceRule {
		return SourceRule{Name: name, Stage: "rcptto", Match: []Condition{holding}, Weight: 1, Action: action, Shadow: shadow, Last: last}
	}
	for _, tt := range []struct {
		rules []SourceRule
		want  string
		by    string
	}{
		{[]SourceRule{rule("a", "greylist", false, false), rule("b", "greylist", false, false)}, "a b; continue", "a"},
		{[]SourceRule{rule("a", "greylist", true, false), rule("b", "greylist", false, false)}, "a b; continue", "b"},
		{[]SourceRule{rule("a", "greylist", false, true), rule("b", "reject", false, false)}, "a; continue", "a"},
		{[]SourceRule{rule("a", "greylist", false, false), rule("b", "reject", false, false)}, "a b; reject by b", "a"},
		{[]SourceRule{rule("a", "accept", false, false), rule("b", "greylist", false, false)}, "a; accept by a", ""},
	} {
		p := mustCompile(t, Source{Rules: tt.rules})
		for _, tracer := range []Tracer{nil, func(Step) {}} {
			out := p.Evaluate(t.Context(), RcptTo, mailFacts(), tracer)
			by := ""
			if out.Greylist != nil {
				by = out.Greylist.Name
			}
			if describe(out) != tt.want || by != tt.by || out.Ended() != (out.Action != Continue || len(out.Hits) < len(tt.rules)) {
				t.Errorf("%s, greylist %q, ended %v; want %s, %q", describe(out), by, out.Ended(), tt.want, tt.by)
			}
		}
	}
}
