package rules

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/expr/exprtest"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// Looking only at rules that can match gives the outcome of looking at all.
func TestPrefilterAgrees(t *testing.T) {
	early := []string{"subject", "header.From", "header.*", "sender", "header_ip", "client_ip", "direction", "recipient_count", "dnsbl", "spf", "correspondent"}
	late := append([]string{"virus", "attachment_name", "module.m.score", "module.m.symbol", "dkim", "size"}, early...)
	rapid.Check(t, func(t *rapid.T) {
		stage, attrs := "headers", early
		if rapid.Bool().Draw(t, "complete") {
			stage, attrs = "complete", late
		}
		drawCondition := func(t *rapid.T) Condition {
			c := Condition{Attr: rapid.SampledFrom(attrs).Draw(t, "attr")}
			for range rapid.IntRange(1, 3).Draw(t, "values") {
				c.Values = append(c.Values, Operand{V: drawOperand(t, c.Attr)})
			}
			if len(c.Values) > 1 && c.Attr != "dnsbl" {
				switch rapid.IntRange(0, 5).Draw(t, "counted") {
				case 0:
					c.All = true
				case 1:
					c.Hits = rapid.SampledFrom([]string{">= 2", "= 1", "< 2", "= 0"}).Draw(t, "hits")
				}
			}
			return c
		}
		clause := rapid.SliceOfN(rapid.Custom(drawCondition), 0, 2)
		groups := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawCondition), 1, 2), 0, 2)
		l, problems := list.New([]Operand{{V: "ab"}, {V: "/" + exprtest.Expression(t) + "/"}, {V: "10.0.0.0/9"}}, list.Names, expr.NewCache(expr.DefaultCache))
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		src := Source{Lists: map[string]*list.List{"l": l}, Antivirus: true, Modules: []string{"m"}}
		for i := range rapid.IntRange(1, 80).Draw(t, "rules") {
			src.Rules = append(src.Rules, SourceRule{
				Name: fmt.Sprint(i), Stage: stage, Weight: 1,
				Match: append(clause.Draw(t, "match"), drawBuilding(t, i)...), Any: clause.Draw(t, "any"), Unless: clause.Draw(t, "unless"),
				AnyOf: groups.Draw(t, "any of"), UnlessAll: groups.Draw(t, "unless all"),
				OnTemperror: rapid.SampledFrom([]string{"skip", "skip", "tempfail"}).Draw(t, "temperror"),
				Action:      rapid.SampledFrom([]string{"continue", "continue", "continue", "hold", "discard", "reject"}).Draw(t, "action"),
				Shadow:      rapid.IntRange(0, 9).Draw(t, "shadow") > 0,
				Last:        rapid.IntRange(0, 9).Draw(t, "last") == 0,
			})
		}
		p, problems := Compile(src)
		if p == nil {
			t.Fatal(problems)
		}
		for range 3 { // what one message leaves behind must not reach the next
			facts := drawFacts(t)
			for s := Headers; s <= Inspected; s++ {
				fast := describe(p.Evaluate(t.Context(), s, facts, nil))
				full := describe(p.Evaluate(t.Context(), s, facts, func(Step) {}))
				if fast != full {
					t.Fatalf("prefiltered: %s\nin full:     %s\nfacts: %+v", fast, full, facts)
				}
			}
		}
	})
}

// drawBuilding is now and then a condition on a rule before the i-th.
func drawBuilding(t *rapid.T, i int) []Condition {
	if i == 0 || rapid.IntRange(0, 5).Draw(t, "building") > 0 {
		return nil
	}
	return cond("rule", fmt.Sprint(rapid.IntRange(0, i-1).Draw(t, "on")), `^1\d$`)
}

func drawOperand(t *rapid.T, attr string) any {
	if rapid.IntRange(0, 9).Draw(t, "reference") == 0 {
		switch attr {
		case "subject", "sender", "header.From":
			return rapid.SampledFrom([]string{"{recipient}", "{client_ip}", "{header.X}"}).Draw(t, "other")
		case "recipient_count":
			return "> {declared_size}"
		case "header_ip":
			return "{client_ip}"
		}
	}
	switch attr {
	case "direction":
		return rapid.SampledFrom([]string{"inbound", "outbound"}).Draw(t, "name")
	case "spf", "dkim":
		return rapid.SampledFrom([]string{"pass", "fail", "temperror"}).Draw(t, "result")
	case "dnsbl":
		return rapid.SampledFrom([]string{"a.example", "b.example=127.0.0.2", "b.example=127.0.[0..3].[3;5..9]", "c.example=127.0.0.4", "a.example=127.0.0.[1..3]"}).Draw(t, "zone")
	case "correspondent":
		return rapid.Bool().Draw(t, "known")
	case "recipient_count", "module.m.score", "size":
		return rapid.SampledFrom([]string{"> 1", "= 3", "< 2"}).Draw(t, "comparison")
	case "header_ip", "client_ip":
		return rapid.SampledFrom([]string{
			"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1", "/^10\\.1/", "/:/", "/db8|2\\.3/", "list:l",
		}).Draw(t, "network")
	case "header.From", "virus", "attachment_name", "module.m.symbol":
		if n := rapid.IntRange(0, 9).Draw(t, "presence"); n < 2 {
			return n == 0
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "list") == 0 {
		return "list:l"
	}
	return exprtest.Expression(t)
}

func drawFacts(t *rapid.T) *fakeFacts {
	text := func() Value { return TextValue(exprtest.Text(t)) }
	addrs := func() Value {
		return ips(rapid.SliceOfN(rapid.SampledFrom([]string{"10.1.2.3", "10.2.0.1", "11.0.0.1", "2001:db8::1", "::ffff:10.1.0.9"}), 0, 3).Draw(t, "addrs")...)
	}
	listed := func(zone string) Value {
		return ips(rapid.SliceOfN(rapid.SampledFrom([]string{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.3.5"}), 0, 2).Draw(t, zone)...)
	}
	f := &fakeFacts{values: map[string]Value{
		"dnsbl a.example": listed("a"), "dnsbl b.example": listed("b"), "dnsbl c.example": listed("c"),
		"spf":  EnumValue(rapid.SampledFrom([]string{"", "pass", "fail", "temperror"}).Draw(t, "spf")),
		"dkim": EnumValue(rapid.SampledFrom([]string{"pass", "fail", "temperror"}).Draw(t, "dkim")), "correspondent": BoolValue(rapid.Bool().Draw(t, "correspondent")),
		"virus": TextValues(rapid.SliceOfN(rapid.Custom(exprtest.Text), 0, 1).Draw(t, "virus")), "size": NumberValue(rapid.Int64Range(0, 4).Draw(t, "size")),
		"attachment_name": TextValues(rapid.SliceOfN(rapid.Custom(exprtest.Text), 0, 3).Draw(t, "names")),
		"module.m.score":  {Known: true, Num: rapid.Int64Range(0, 4000).Draw(t, "score")}, "module.m.symbol": text(),
		"subject": text(), "sender": text(), "header_ip": addrs(), "client_ip": addrs(),
		"header.From":     TextValues(rapid.SliceOfN(rapid.Custom(exprtest.Text), 0, 2).Draw(t, "from")),
		"header.*":        TextValues(rapid.SliceOfN(rapid.Custom(exprtest.Text), 0, 5).Draw(t, "fields")),
		"direction":       EnumValue(rapid.SampledFrom([]string{"", "inbound", "outbound"}).Draw(t, "direction")),
		"recipient":       text(),
		"header.X":        TextValues(rapid.SliceOfN(rapid.Custom(exprtest.Text), 0, 2).Draw(t, "x")),
		"declared_size":   NumberValue(rapid.Int64Range(0, 3).Draw(t, "declared")),
		"recipient_count": NumberValue(rapid.Int64Range(0, 4).Draw(t, "count")),
	}, errs: make(map[string]error)}
	for k := range f.values {
		if rapid.IntRange(0, 7).Draw(t, "fault") == 0 {
			f.errs[k] = errTimeout
		}
	}
	return f
}

func FuzzCondition(f *testing.F) {
	f.Add("subject", `\blotter(y|ies)\b`, "You won the LOTTERY")
	f.Add("header.X-Mailer", "ſtraße|K+", "STRASSE \u212a")
	f.Add("client_ip", "10.0.0.0/8", "")
	f.Add("size", "> 10 MiB", "")
	f.Add("subject", "(?-i)[[:^alpha:]]x", "\xffx")
	f.Fuzz(func(t *testing.T, attr, operand, text string) {
		p, problems := Compile(Source{Rules: []SourceRule{
			{Name: "a", Stage: "complete", Weight: 1, Match: cond(attr, operand)},
			{Name: "b", Stage: "complete", Weight: 1, Unless: cond(attr, operand)},
		}})
		if (p == nil) != (problems.Err() != nil) {
			t.Fatalf("policy %v with problems %v", p, problems)
		}
		if p == nil {
			return
		}
		k, err := parseKey(attr)
		if err != nil {
			t.Fatal(err)
		}
		facts := &fakeFacts{values: map[string]Value{k.String(): TextValues([]string{"x", text})}}
		fast := describe(p.Evaluate(t.Context(), Complete, facts, nil))
		full := describe(p.Evaluate(t.Context(), Complete, facts, func(Step) {}))
		if fast != full || fast != "a; continue" && fast != "b; continue" {
			t.Fatalf("prefiltered %s, in full %s", fast, full)
		}
	})
}
