package rules

import "testing"

func TestCompileInfected(t *testing.T) {
	at := map[string]Pos{
		"action": {"p", 2}, "reply": {"p", 3}, "tag_subject": {"p", 4}, "tag_header": {"p", 5}, "unless_signed": {"p", 6},
	}
	for _, tt := range []struct {
		src  SourceInfected
		want Action
		err  string
	}{
		{SourceInfected{}, Reject, ""},
		{SourceInfected{Action: "reject", Reply: "550 5.7.1 Infected: {virus}"}, Reject, ""},
		{SourceInfected{Action: "discard"}, Discard, ""},
		{SourceInfected{Action: "hold", TagHeader: []string{"X-Virus: {virus}"}}, Hold, ""},
		{SourceInfected{Action: "tag", TagSubject: "[VIRUS]", TagHeader: []string{"x-virus: {virus}"}, UnlessSigned: "header"}, Continue, ""},
		{SourceInfected{Action: "tag"}, Continue, `p:2: action "tag" needs tag_subject or tag_header`},
		{SourceInfected{Action: "tagg"}, Continue, `p:2: unknown action "tagg"; did you mean "tag"?`},
		{SourceInfected{Action: "accept"}, Continue, `p:2: unknown action "accept"; it is one of reject, discard, hold, tag`},
		{SourceInfected{Reply: "451 4.7.1 no"}, Reject, `p:3: reply code 451 does not agree with action "reject", which needs 5yz`},
		{SourceInfected{Reply: "550 5.7.1 {virsu}"}, Reject, `p:3: unknown placeholder "{virsu}"; did you mean "{virus}"?`},
		{SourceInfected{Action: "hold", Reply: "550 5.7.1 no"}, Hold, `p:3: a reply goes with action "reject", not with "hold"`},
		{SourceInfected{TagSubject: "[V]", TagHeader: []string{"From: x"}}, Reject, `p:4: tag_subject goes with action "tag" or "hold", not with "reject"
p:5: header field From belongs to the message itself and cannot be a tag
p:5: tag_header goes with action "tag" or "hold", not with "reject"`},
		{SourceInfected{Action: "tag", TagHeader: []string{"X-V: 1"}, UnlessSigned: "header"}, Continue, `p:6: unless_signed says where tag_subject goes in signed mail, and there is no tag_subject`},
	} {
		tt.src.Pos, tt.src.At = Pos{"p", 1}, map[string]Pos{}
		for key, given := range map[string]bool{
			"action": tt.src.Action != "", "reply": tt.src.Reply != "", "tag_subject": tt.src.TagSubject != "",
			"tag_header": tt.src.TagHeader != nil, "unless_signed": tt.src.UnlessSigned != "",
		} {
			if given {
				tt.src.At[key] = at[key]
			}
		}
		got, problems := CompileInfected(tt.src)
		if problems.Error() != tt.err || got.Action != tt.want {
			t.Errorf("%+v:\naction %s, problems\n%s", tt.src, got.Action, problems.Error())
		}
		if tt.err != "" {
			continue
		}
		if (got.Reply != nil) != (tt.src.Reply != "") || (got.Tags.Subject != nil) != (tt.src.TagSubject != "") ||
			len(got.Tags.Headers) != len(tt.src.TagHeader) || (got.Tags.UnlessSigned == TagHeader) != (tt.src.UnlessSigned != "") {
			t.Errorf("%+v became %+v", tt.src, got)
		}
	}
}

// Greylisting ends the rules of that recipient.
func TestGreylist(t *testing.T) {
	p := mustCompile(t, Source{Rules: []SourceRule{
		{Name: "a", Stage: "rcptto", Match: []Condition{holding}, Action: "greylist", Reply: "450 4.2.0 Later {ref}"},
		{Name: "b", Stage: "rcptto", Match: []Condition{holding}, Action: "reject"},
	}})
	out := p.Evaluate(t.Context(), RcptTo, mailFacts(), nil)
	if describe(out) != "a; greylist by a" || !out.Ended || out.By.Reply.Code != 450 || !p.Refuses(RcptTo) {
		t.Errorf("%s: %+v", describe(out), out)
	}
}
