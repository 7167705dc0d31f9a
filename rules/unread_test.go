package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/rules/list"
)

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
