package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/rules/list"
)

// A weight for each value is not known while one of them cannot be had that would
// change it: a rule that defers for such things does, another has what is sure.
func TestWeightOfWhatIsMissing(t *testing.T) {
	in := func(values ...any) []Condition { return cond("subject", values...) }
	for _, tt := range []struct {
		any            []Condition
		most           Weight
		skip, tempfail string
	}{
		{in("lottery", "won"), 5000, "1.5", "1.5"},
		{append(in("lottery"), cond("dnsbl", "a.example", "b.example")...), 5000, "1", "?"},
		{append(in("lottery"), cond("dnsbl", "a.example", "b.example")...), 500, "1", "1"}, // cannot become more
		{append(in("lottery"), cond("helo", "{client_host}")...), 5000, "1", "?"},
		{append(in("lottery"), cond("spf", "fail")...), 5000, "1", "?"},
		{append(in("lottery"), cond("header.X-Name", "exe$")...), 5000, "1", "?"}, // not all of them are known
		{append(in("lottery"), cond("header.X-Name", "txt$")...), 5000, "1.5", "1.5"},
	} {
		for on, want := range map[string]string{"skip": tt.skip, "tempfail": tt.tempfail} {
			p := mustCompile(t, Source{Rules: []SourceRule{{
				Name: "r", Stage: "complete", Any: tt.any, OnTemperror: on, Weight: 500, WeightEach: 500, WeightMost: tt.most,
			}}})
			facts := &fakeFacts{
				values: map[string]Value{
					"subject": TextValue("you won the lottery"), "helo": TextValue("a.example"),
					"header.X-Name": {Texts: []string{"a.txt"}, Partial: true},
				},
				errs: map[string]error{"dnsbl a.example": errTimeout, "dnsbl b.example": errTimeout, "client_host": errTimeout, "spf": errTimeout},
			}
			for _, tracer := range []Tracer{nil, func(Step) {}} {
				out := p.Evaluate(t.Context(), Complete, facts, tracer)
				got := "?"
				if len(out.Hits) == 1 && !out.Hits[0].Temperror {
					got = out.Hits[0].Weight.String()
				}
				if got != want || (want == "?") != (out.Action == Tempfail) {
					t.Errorf("%v, on_temperror %s: %s, %v; want %s", tt.any, on, got, out.Action, want)
				}
			}
		}
	}
}

// A built list that cannot be read any more is no list without entries: what it does
// not tell is open, as a fact that could not be had.
func TestListThatCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.tgl")
	like, err := os.Stat("policy.go")
	if err != nil {
		t.Fatal(err)
	}
	problems, err := list.Build(path, like, "text", strings.NewReader("203.0.113.0/24\nsender.example\n"), func() (list.Text, error) { return list.Text{}, nil })
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	l, _, err := list.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	for _, attr := range []string{"client_ip", "sender", "header.From"} {
		in := cond(attr, "list:l")
		for _, tt := range []struct {
			match, any, unless []Condition
			skip, tempfail     string
		}{
			{match: in, skip: "; continue", tempfail: "r?; tempfail by r"},
			{any: in, skip: "; continue", tempfail: "r?; tempfail by r"},
			{any: append(cond("direction", "inbound"), in...), skip: "r; reject by r", tempfail: "r; reject by r"},
			{match: cond("direction", "inbound"), unless: in, skip: "; continue", tempfail: "r?; tempfail by r"},
		} {
			for on, want := range map[string]string{"skip": tt.skip, "tempfail": tt.tempfail} {
				p := mustCompile(t, Source{Lists: map[string]*list.List{"l": l}, Rules: []SourceRule{{
					Name: "r", Stage: "complete", Match: tt.match, Any: tt.any, Unless: tt.unless, OnTemperror: on, Action: "reject",
				}}})
				facts := mailFacts()
				facts.values["sender"] = TextValue("user@other.example")
				for _, tracer := range []Tracer{nil, func(Step) {}} {
					if got := describe(p.Evaluate(t.Context(), Complete, facts, tracer)); got != want {
						t.Errorf("%s: %v %v %v, on_temperror %s: %s, want %s", attr, tt.match, tt.any, tt.unless, on, got, want)
					}
				}
			}
		}
	}
}
