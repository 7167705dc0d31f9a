package rules

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestAnswerFilter(t *testing.T) {
	tests := []struct {
		text  string
		zone  string // "" is an error
		takes []string
		not   []string
	}{
		{"bl.example", "bl.example", []string{"127.0.0.2", "127.255.255.255", "10.0.0.1"}, []string{"::1"}},
		{"BL.Example.", "bl.example", []string{"127.0.0.2"}, nil},
		{"тест.рф", "xn--e1aybc.xn--p1ai", []string{"127.0.0.2"}, nil},
		{"_bl.example", "_bl.example", nil, nil},
		{"bl.example=127.0.0.2", "bl.example", []string{"127.0.0.2"}, []string{"127.0.0.3", "127.0.1.2", "::ffff:127.0.0.2"}},
		{"bl.example=127.0.0.[2..11]", "bl.example", []string{"127.0.0.2", "127.0.0.7", "127.0.0.11"}, []string{"127.0.0.1", "127.0.0.12"}},
		{"bl.example=127.[0;2].[0..255].[4;6..8;255]", "bl.example", []string{"127.2.9.4", "127.0.255.255", "127.0.0.8"}, []string{"127.1.0.4", "127.0.0.5", "127.0.0.9"}},
		{"bl.example=", "", nil, nil},
		{"bl.example=127.0.0", "", nil, nil},
		{"bl.example=127.0.0.2.3", "", nil, nil},
		{"bl.example=127.0.0.256", "", nil, nil},
		{"bl.example=127.0.0.+2", "", nil, nil},
		{"bl.example=127.0.0.[3..2]", "", nil, nil},
		{"bl.example=127.0.0.[]", "", nil, nil},
		{"bl.example=127.0.0.[2", "", nil, nil},
		{"bl.example=127.0.0.[2]x", "", nil, nil},
		{"bl.example=127.0.0.[2...4]", "", nil, nil},
		{"=127.0.0.2", "", nil, nil},
		{"", "", nil, nil},
		{"a..b", "", nil, nil},
		{"a b.example", "", nil, nil},
		{"\x82.example", "", nil, nil},
		{"list:zones", "", nil, nil},
		{"/bl/", "", nil, nil},
		{"bl.example=127.0.0.2*3", "", nil, nil},
		{"bl.example*3", "", nil, nil},
		{"192.0.2.1", "", nil, nil},
	}
	for _, tt := range tests {
		zone, f, err := parseDNSList(tt.text)
		if (err != nil) != (tt.zone == "") || err == nil && zone != tt.zone {
			t.Errorf("%q: %q, %v", tt.text, zone, err)
			continue
		}
		for _, a := range tt.takes {
			if !f.takes(netip.MustParseAddr(a)) {
				t.Errorf("%q does not take %s", tt.text, a)
			}
		}
		for _, a := range tt.not {
			if f.takes(netip.MustParseAddr(a)) {
				t.Errorf("%q takes %s", tt.text, a)
			}
		}
	}
}

// One zone that lists is enough, whatever the others have no answer to; where
// none lists, one without an answer leaves it open.
func TestDNSListsOfOneCondition(t *testing.T) {
	r := SourceRule{Name: "r", Stage: "connect", Weight: 1, Match: cond("dnsbl", "a.example=127.0.0.2", "b.example"), OnTemperror: "tempfail"}
	p := mustCompile(t, Source{Rules: []SourceRule{r}})
	for name, tt := range map[string]struct {
		facts *fakeFacts
		want  string
	}{
		"listed":            {&fakeFacts{values: map[string]Value{"dnsbl a.example": ips("127.0.0.2")}}, "r; continue"},
		"otherwise":         {&fakeFacts{values: map[string]Value{"dnsbl a.example": ips("127.0.0.3")}}, "; continue"},
		"by the other":      {&fakeFacts{values: map[string]Value{"dnsbl b.example": ips("127.0.0.3")}}, "r; continue"},
		"by one, one away":  {&fakeFacts{values: map[string]Value{"dnsbl b.example": ips("127.0.0.3")}, errs: map[string]error{"dnsbl a.example": errTimeout}}, "r; continue"},
		"by none, one away": {&fakeFacts{errs: map[string]error{"dnsbl a.example": errTimeout}}, "r?; tempfail by r"},
	} {
		for _, tracer := range []Tracer{nil, func(Step) {}} {
			if got := describe(p.Evaluate(t.Context(), Connect, tt.facts, tracer)); got != tt.want {
				t.Errorf("%s: %s, want %s", name, got, tt.want)
			}
		}
	}
	if keys := p.Keys(Connect); len(keys) != 2 {
		t.Errorf("keys %v", keys)
	}
}

// Rules of complete that ask for what inspectors find are tried after them.
func TestInspected(t *testing.T) {
	rule := func(name string, match, unless []Condition) SourceRule {
		return SourceRule{Name: name, Stage: "complete", Weight: 1, Match: match, Unless: unless}
	}
	p := mustCompile(t, Source{Antivirus: true, Modules: []string{"m"}, Rules: []SourceRule{
		rule("size", cond("size", "> 1"), nil), rule("virus", cond("virus", true), nil), rule("not", cond("size", "> 1"), cond("module.m.symbol", "x")),
	}})
	facts := &fakeFacts{values: map[string]Value{"size": NumberValue(2), "virus": TextValue("v")}}
	if got := describe(p.Evaluate(t.Context(), Complete, facts, nil)); got != "size; continue" {
		t.Error(got)
	}
	if got := describe(p.Evaluate(t.Context(), Inspected, facts, nil)); got != "virus not; continue" {
		t.Error(got)
	}
	for _, r := range p.Rules() {
		if r.Stage != Complete {
			t.Errorf("%s is of stage %s", r.Name, r.Stage)
		}
	}
	if _, ok := ParseStage("inspected"); ok || Inspected.String() != "complete" {
		t.Error("policies can name the second run")
	}
}

func FuzzDNSList(f *testing.F) {
	f.Add("bl.example=127.0.0.[2..11]")
	f.Add("тест.рф=127.[0;2].3.[255]")
	f.Add("\x82")
	f.Add("a=127.0.0.[0001;3..3;255]")
	f.Add("a=[127].[0..255].[0;;1].1")
	f.Fuzz(func(t *testing.T, s string) {
		zone, filter, err := parseDNSList(s)
		if _, written, filtered := strings.Cut(s, "="); err == nil && filtered {
			checkFilter(t, written, &filter)
		}
		if err == nil {
			if again, _, err := parseDNSList(zone); err != nil || again != zone {
				t.Errorf("%q: %q is not the one form of itself: %q, %v", s, zone, again, err)
			}
		}
	})
}

var writtenFilter = regexp.MustCompile(`^(\d+|\[[\d;.]+\])\.(\d+|\[[\d;.]+\])\.(\d+|\[[\d;.]+\])\.(\d+|\[[\d;.]+\])$`)

// checkFilter reads a filter in another way and compares every octet.
func checkFilter(t *testing.T, s string, f *answerFilter) {
	octets := writtenFilter.FindStringSubmatch(s)
	if octets == nil {
		t.Fatalf("%q was read as a filter", s)
	}
	for i, octet := range octets[1:] {
		var want [256]bool
		for _, item := range strings.Split(strings.Trim(octet, "[]"), ";") {
			ends := strings.Split(item, "..")
			first, err := strconv.Atoi(ends[0])
			last, errLast := strconv.Atoi(ends[len(ends)-1])
			if err != nil || errLast != nil || len(ends) > 2 || first > last || last > 255 {
				t.Fatalf("%q: %q was read as numbers", s, item)
			}
			for n := first; n <= last; n++ {
				want[n] = true
			}
		}
		one := everyAnswer()
		one[i] = f[i]
		for n := range want {
			var a [4]byte
			a[i] = byte(n)
			if one.takes(netip.AddrFrom4(a)) != want[n] {
				t.Fatalf("%q: %d as octet %d is taken: %v", s, n, i, !want[n])
			}
		}
	}
}

// By an answer that refuses nobody is listed, and it is not known whether
// somebody is; a filter that names it takes it.
func TestRefusedAnswers(t *testing.T) {
	for list, want := range map[string]string{
		"a.example":               "r?; tempfail by r",
		"a.example=127.0.0.2":     "r?; tempfail by r",
		"a.example=127.0.0.1":     "r; reject by r",
		"a.example=127.0.0.[1;3]": "r; reject by r",
	} {
		p := mustCompile(t, Source{Rules: []SourceRule{{Name: "r", Stage: "connect", Action: "reject", Match: cond("dnsbl", list), OnTemperror: "tempfail"}}})
		facts := mailFacts()
		facts.values["dnsbl a.example"] = Value{Refused: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Partial: true}
		for _, tracer := range []Tracer{nil, func(Step) {}} {
			if got := describe(p.Evaluate(t.Context(), Connect, facts, tracer)); got != want {
				t.Errorf("%s: %s, want %s", list, got, want)
			}
		}
	}
}
