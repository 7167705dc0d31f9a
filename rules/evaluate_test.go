package rules

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// fakeFacts answers from a table and counts the questions.
type fakeFacts struct {
	values map[string]Value // by Key.String
	errs   map[string]error
	asked  map[string]int
}

func (f *fakeFacts) Work() *budget.Budget { return Work() }

func (f *fakeFacts) Value(_ context.Context, k Key) (Value, error) {
	if f.asked != nil {
		f.asked[k.String()]++
	}
	return f.values[k.String()], f.errs[k.String()]
}

var errTimeout = errors.New("timed out")

func ips(all ...string) Value {
	var addrs []netip.Addr
	for _, s := range all {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	return IPValues(addrs)
}

// mailFacts are those of a message about a lottery.
func mailFacts() *fakeFacts {
	return &fakeFacts{
		values: map[string]Value{
			"client_ip":         ips("::ffff:203.0.113.7"),
			"client_host":       TextValue("mx.Bulk.example"),
			"client_resolve":    EnumValue("forged"),
			"helo":              TextValue("[203.0.113.7]"),
			"tls":               BoolValue(false),
			"authenticated":     BoolValue(true),
			"direction":         EnumValue("inbound"),
			"sender":            TextValue(""),
			"declared_size":     NumberValue(20 << 20),
			"recipient":         TextValues([]string{"ivan@example.org", "olga@example.org"}),
			"subject":           TextValue("ВЫ выиграли в Лотерею: LOTTERY 5"),
			"header.X-Mailer":   TextValues([]string{"MassMail 5", "other"}),
			"header.Precedence": TextValues([]string{"bulk"}),
			"header.From":       TextValue("Иван <ivan@partner.example>"),
			"header.*":          TextValues([]string{"From: x", "Subject: y"}),
			"header_ip":         ips("198.51.100.9", "2001:db8::5"),
			"size":              NumberValue(100),
		},
		errs: map[string]error{"recipient_domain": errTimeout, "recipient_client": errTimeout},
	}
}

func mustCompile(t testing.TB, src Source) *Policy {
	t.Helper()
	p, problems := Compile(src)
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

func TestConditions(t *testing.T) {
	l := aList(t, "@partner.example", "203.0.113.0/24", "olga@example.org", ".bulk.example", "bulk.example")
	tests := []struct {
		attr   string
		values []any
		want   bool
	}{
		{"client_ip", []any{"203.0.113.0/24"}, true},
		{"client_ip", []any{"203.0.114.0/24", "203.0.113.7"}, true},
		{"client_ip", []any{"203.0.113.8"}, false},
		{"client_ip", []any{"::ffff:203.0.113.0/120"}, true},
		{"client_ip", []any{`/^203\.0\.113\.\d$/`}, true},
		{"client_ip", []any{`/^204/`}, false},
		{"client_ip", []any{"list:l"}, true},
		{"client_ip", []any{"1.0.0.0/8", "2.0.0.0/8", "3.0.0.0/8", "4.0.0.0/8", "5.0.0.0/8", "6.0.0.0/8", "7.0.0.0/8", "8.0.0.0/8", "203.0.0.0/8"}, true},
		{"client_ip", []any{"1.0.0.0/8", "2.0.0.0/8", "3.0.0.0/8", "4.0.0.0/8", "5.0.0.0/8", "6.0.0.0/8", "7.0.0.0/8", "8.0.0.0/8", "9.0.0.0/8"}, false},
		{"header_ip", []any{"2001:db8::/32"}, true},
		{"header_ip", []any{"list:l"}, false},
		{"client_host", []any{`\.bulk\.EXAMPLE$`}, true},
		{"client_host", []any{`(?-i)\.bulk\.`}, false},
		{"client_host", []any{"list:l"}, true},
		{"helo", []any{"list:l"}, true},
		{"client_resolve", []any{"ok", "forged"}, true},
		{"client_resolve", []any{"ok"}, false},
		{"tls", []any{false}, true},
		{"tls", []any{true}, false},
		{"tls_version", []any{"."}, false},
		{"auth_user", []any{"^$"}, false},
		{"sender", []any{"^$"}, true},
		{"sender", []any{"."}, false},
		{"sender", []any{"list:l"}, false},
		{"declared_size", []any{"> 10 MiB"}, true},
		{"declared_size", []any{"= 20 MiB"}, true},
		{"declared_size", []any{"< 20 MiB", "> 20 MiB"}, false},
		{"recipient_count", []any{"<= 3"}, false}, // not known
		{"recipient", []any{"^olga@"}, true},
		{"recipient", []any{"list:l"}, true},
		{"subject", []any{"лотере"}, true},
		{"subject", []any{`\blotter(y|ies)\b`}, true},
		{"subject", []any{"lotteries", "выиграл[аи]"}, true},
		{"subject", []any{`(?-i)Вы`}, false},
		{"header.x-mailer", []any{"massmail"}, true},
		{"header.X-Mailer", []any{"^other$"}, true},
		{"header.X-Mailer", []any{true}, true},
		{"header.X-Mailer", []any{false}, false},
		{"header.Message-ID", []any{false}, true},
		{"header.Message-ID", []any{true}, false},
		{"header.Message-ID", []any{false, "x"}, true},
		{"header.Message-ID", []any{""}, false},
		{"header.From", []any{"list:l"}, true},
		{"header.*", []any{"^subject: "}, true},
		{"size", []any{int64(100)}, true},
	}
	for _, tt := range tests {
		for clause, want := range map[string]bool{"match": tt.want, "any": tt.want, "unless": !tt.want} {
			r := SourceRule{Name: "r", Stage: "complete", Weight: 1}
			switch clause {
			case "match":
				r.Match = cond(tt.attr, tt.values...)
			case "any":
				r.Any = cond(tt.attr, tt.values...)
			case "unless":
				r.Unless = cond(tt.attr, tt.values...)
			}
			p := mustCompile(t, Source{Rules: []SourceRule{r}, Lists: map[string]*list.List{"l": l}})
			facts := mailFacts()
			facts.asked = make(map[string]int)
			if got := len(p.Evaluate(t.Context(), Complete, facts, nil).Hits) == 1; got != want {
				t.Errorf("%s %s %v: %v", clause, tt.attr, tt.values, got)
			}
			for k, n := range facts.asked {
				if n != 1 {
					t.Errorf("%s was asked %d times", k, n)
				}
			}
			var step Step
			p.Evaluate(t.Context(), Complete, mailFacts(), func(s Step) { step = s })
			if step.Matched != want || step.Clause != clause {
				t.Errorf("%s %s %v: step %+v", clause, tt.attr, tt.values, step)
			}
		}
	}
}

// clauses of a rule that hold, do not hold or cannot be told.
var (
	holding = Condition{Attr: "direction", Values: []Operand{{V: "inbound"}}}
	failing = Condition{Attr: "direction", Values: []Operand{{V: "outbound"}}}
	lacking = Condition{Attr: "recipient_domain", Values: []Operand{{V: "example"}}}
	vacant  = Condition{Attr: "recipient_client", Values: []Operand{{V: "x"}}}
)

func TestClauses(t *testing.T) {
	type c = []Condition
	tests := []struct {
		match, any, unless c
		want               string // "yes", "no" or, with on_temperror, "tempfail"
	}{
		{nil, nil, nil, "yes"},
		{c{holding, holding}, nil, nil, "yes"},
		{c{holding, failing}, nil, nil, "no"},
		{c{lacking}, nil, nil, "tempfail"},
		{c{lacking, failing}, nil, nil, "no"},
		{c{failing, lacking}, nil, nil, "no"},
		{c{lacking, vacant, holding}, nil, nil, "tempfail"},
		{nil, c{failing, holding}, nil, "yes"},
		{nil, c{failing, failing}, nil, "no"},
		{nil, c{lacking, holding}, nil, "yes"},
		{nil, c{lacking, failing}, nil, "tempfail"},
		{c{lacking}, c{failing}, nil, "no"},
		{c{holding}, c{lacking}, c{holding}, "no"},
		{nil, nil, c{failing, failing}, "yes"},
		{nil, nil, c{failing, holding}, "no"},
		{nil, nil, c{lacking}, "tempfail"},
		{nil, nil, c{lacking, holding}, "no"},
		{c{failing}, nil, c{lacking}, "no"},
		{c{lacking}, c{lacking}, c{lacking}, "tempfail"},
		{c{holding}, c{holding}, c{failing}, "yes"},
	}
	for i, tt := range tests {
		for _, on := range []string{"skip", "tempfail"} {
			r := SourceRule{
				Name: "r", Stage: "rcptto", Match: tt.match, Any: tt.any, Unless: tt.unless,
				OnTemperror: on, Action: "reject",
			}
			p := mustCompile(t, Source{Rules: []SourceRule{r}})
			want := tt.want
			if want == "tempfail" && on == "skip" {
				want = "no"
			}
			for _, tracer := range []Tracer{nil, func(s Step) {
				if s.Matched != (want == "yes") || (want == "tempfail") && s.Err != errTimeout {
					t.Errorf("%d %s: step %+v", i, on, s)
				}
			}} {
				out := p.Evaluate(t.Context(), RcptTo, mailFacts(), tracer)
				got := "no"
				switch {
				case len(out.Hits) == 1 && !out.Hits[0].Temperror && out.Action == Reject:
					got = "yes"
				case len(out.Hits) == 1 && out.Hits[0].Temperror && out.Action == Tempfail && out.By == p.Rules()[0]:
					got = "tempfail"
				}
				if got != want {
					t.Errorf("%d on_temperror %s: %s, want %s", i, on, got, want)
				}
			}
		}
	}
}

// A stage that ends early asks for nothing that only later rules need.
func TestFactsAreAskedLate(t *testing.T) {
	p := mustCompile(t, Source{Rules: []SourceRule{
		{Name: "a", Stage: "headers", Match: cond("client_ip", "203.0.113.7"), Action: "accept"},
		{Name: "b", Stage: "headers", Match: cond("subject", "lottery"), Action: "reject"},
	}})
	facts := mailFacts()
	facts.asked = make(map[string]int)
	if got := describe(p.Evaluate(t.Context(), Headers, facts, nil)); got != "a; accept by a" {
		t.Error(got)
	}
	if fmt.Sprint(facts.asked) != "map[client_ip:1]" {
		t.Errorf("asked for %v", facts.asked)
	}
}

func TestTrace(t *testing.T) {
	p := mustCompile(t, Source{Rules: []SourceRule{
		{Name: "a", Stage: "headers", Match: append(cond("direction", "inbound"), cond("subject", "casino")...), Weight: 1},
		{Name: "b", Stage: "headers", Match: cond("header.X-Mailer", "^other"), Any: append(cond("tls", true), cond("header_ip", "2001:db8::/32")...), Weight: 1},
		{Name: "c", Stage: "headers", Unless: cond("recipient", "olga"), Weight: 1},
		{Name: "d", Stage: "headers", Match: cond("recipient_domain", "x"), Weight: 1},
		{Name: "e", Stage: "headers", Any: cond("declared_size", "< 1 KiB"), Weight: 1},
		{Name: "f", Stage: "headers", Action: "reject"},
		{Name: "g", Stage: "headers", Weight: 1},
	}})
	var got []string
	p.Evaluate(t.Context(), Headers, mailFacts(), func(s Step) {
		got = append(got, fmt.Sprintf("%s %v %s %s=%s %v", s.Rule.Name, s.Matched, s.Clause, s.Attr, s.Value, s.Err))
	})
	want := []string{
		"a false match subject=ВЫ выиграли в Лотерею: LOTTERY 5 <nil>",
		"b true any header_ip=2001:db8::5 <nil>",
		"c false unless recipient=olga@example.org <nil>",
		"d false match recipient_domain= timed out",
		"e false any declared_size=20971520 <nil>",
		"f true  = <nil>",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s", strings.Join(got, "\n"))
	}
}

// Goroutines share a policy; what one message left must not show in another.
func TestConcurrentEvaluation(t *testing.T) {
	p := mustCompile(t, Source{
		Rules: []SourceRule{
			{Name: "a", Stage: "headers", Match: cond("subject", "alpha|gamma"), Weight: 1},
			{Name: "b", Stage: "headers", Match: cond("header.*", "b.ta"), Unless: cond("subject", "list:l"), Weight: 1},
		},
		Lists: map[string]*list.List{"l": aList(t, "/gam+a/")},
	})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				subject, want := "x", "; continue"
				switch (g + i) % 3 {
				case 0:
					subject, want = "alpha", "a b; continue"
				case 1:
					subject, want = "beta", "b; continue"
				case 2:
					subject, want = "GAMMA", "a; continue"
				}
				facts := &fakeFacts{values: map[string]Value{
					"subject": TextValue(subject), "header.*": TextValues([]string{"x", subject, "BETA"}),
				}}
				if got := describe(p.Evaluate(t.Context(), Headers, facts, nil)); got != want {
					t.Errorf("%s: %s, want %s", subject, got, want)
				}
			}
		})
	}
	wg.Wait()
}

func aList(t testing.TB, entries ...string) *list.List {
	t.Helper()
	l, problems := list.Read("list", strings.NewReader(strings.Join(entries, "\n")), list.Names, expr.NewCache(expr.DefaultCache))
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return l
}
