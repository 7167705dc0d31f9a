package rules

import "testing"

// Of a value that was not seen to its end, what it has matches; that something
// is not among it is not known.
func TestPartialValue(t *testing.T) {
	names := func(v any) []Condition { return cond("attachment_name", v) }
	for _, tt := range []struct {
		texts          []string
		match, unless  []Condition
		skip, tempfail string
	}{
		{[]string{"a.exe"}, names(`\.exe$`), nil, "r; reject by r", "r; reject by r"},
		{[]string{"a.txt"}, names(`\.exe$`), nil, "; continue", "r?; tempfail by r"},
		{[]string{"a.txt"}, names(true), nil, "r; reject by r", "r; reject by r"},
		{[]string{"a.txt"}, names(false), nil, "; continue", "r?; tempfail by r"},
		{nil, names(false), nil, "; continue", "r?; tempfail by r"},
		{nil, names(true), nil, "; continue", "r?; tempfail by r"},
		{nil, nil, names(true), "; continue", "r?; tempfail by r"},
		{[]string{"a.txt"}, nil, names(`\.exe$`), "; continue", "r?; tempfail by r"},
		{[]string{"a.exe"}, nil, names(`\.exe$`), "; continue", "; continue"},
	} {
		for on, want := range map[string]string{"skip": tt.skip, "tempfail": tt.tempfail} {
			p := mustCompile(t, Source{Rules: []SourceRule{{
				Name: "r", Stage: "complete", Match: tt.match, Unless: tt.unless, OnTemperror: on, Action: "reject",
			}}})
			facts := mailFacts()
			facts.values["attachment_name"] = Value{Texts: tt.texts, Partial: true}
			for _, tracer := range []Tracer{nil, func(s Step) {
				if s.Matched != (want == "r; reject by r") || (s.Err != nil) != (want == "r?; tempfail by r") && s.Err == nil {
					t.Errorf("%q %v %v: step %+v", tt.texts, tt.match, tt.unless, s)
				}
			}} {
				if got := describe(p.Evaluate(t.Context(), Inspected, facts, tracer)); got != want {
					t.Errorf("%q %v %v, on_temperror %s: %s, want %s", tt.texts, tt.match, tt.unless, on, got, want)
				}
			}
		}
	}
}
