package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The pieces of expressions and texts are few and alike, so that random ones
// meet; among them are letters with more than two cases, and what is not UTF-8.
var (
	expressionPieces = []string{
		"kilo", "K", "\u212a", "s", "ſ", "straße", "STRASSE", "лотерея", "ЛОТ", "σ", "ς", "Σ", "ǆ", "ǅ", "i", "İ", "ı", "a", "ab", "abcd",
		"[aа]", "[k-s]", "[^k]", `\w`, `\b`, `\d+`, ".", ".*", "^", "$", `\s?`, "(?-i)", "(?i)", "(?s)", "x{2,3}", "k{0,2}", "(?:lo|лот)", "1000", "\ufffd", `\pL`,
		"[[:upper:]]", `\x{1E9E}`, "ß", `\Qa.b\E`, "ab?c", "(abc)*", "(?:abc)+", "e\u0301",
	}
	textPieces = []string{
		"kilo", "KILO", "\u212aILO", "K", "k", "s", "S", "ſ", "straße", "STRAẞE", "strasse", "Лотерея", "лот", "ΣΑΣ", "ς", "σ", "ǅ", "ǆ", "Ǆ",
		"i", "I", "İ", "ı", "a", "ab", "abc", "ABCD", "а", "А", "xx", "xxx", "1000", "\xff", "\xc3", "\ufffd", " ", "a.b", "_", "e\u0301", "\x00", "lo", "ẞ",
	}
)

func drawExpression(t *rapid.T) string {
	var b strings.Builder
	for range rapid.IntRange(1, 4).Draw(t, "pieces") {
		p := rapid.SampledFrom(expressionPieces).Draw(t, "piece")
		switch rapid.IntRange(0, 9).Draw(t, "form") {
		case 0:
			p = "(?:" + p + "|" + rapid.SampledFrom(expressionPieces).Draw(t, "other") + ")"
		case 1:
			p = "(" + p + ")?"
		case 2:
			p = "(?:" + p + ")+"
		}
		b.WriteString(p)
	}
	s := b.String()
	if _, err := regexp.Compile("(?i)" + s); err != nil {
		return "abcd"
	}
	return s
}

func drawText(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(textPieces), 0, 6).Draw(t, "text"), "")
}

// What the literals of an expression rule out, it does not match.
func TestRequiredLiterals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := parsePattern(drawExpression(t))
		if err != nil {
			t.Fatal(err)
		}
		text := drawText(t)
		if !p.match(text) {
			return
		}
		folded := string(appendFold(nil, text))
		for _, set := range p.required() {
			if !containsAny(folded, set) {
				t.Fatalf("%q matches %q, which has none of %q", p.source, text, set)
			}
		}
	})
}

func containsAny(s string, set []string) bool {
	for _, l := range set {
		if strings.Contains(s, l) {
			return true
		}
	}
	return false
}

func TestLiteralsFound(t *testing.T) {
	for source, want := range map[string]string{
		`\bLotter(y|ies)\b`:                    "[[lotteries lottery]]",
		`v[i1!]agra|c[i1!]al[i1!]s`:            "[[c!al!s c!al1s c!alis c1al!s c1al1s c1alis cial!s cial1s cialis v!agra v1agra viagra]]",
		`cheap-(\w+)-pills\d*@x`:               "[[cheap-] [-pills] [@x]]",
		`(?-i)Kelvin`:                          "[[kelvin]]",
		`a*b?`:                                 "[]",
		`(?:foo|.*)bar`:                        "[[bar]]",
		`(?:foo.|bar.)`:                        "[[bar foo]]",
		`[^a]`:                                 "[]",
		`ЛОТЕРЕЯ`:                              "[[" + string(appendFold(nil, "лотерея")) + "]]",
		`x(abc){0,2}y`:                         "[[x] [y]]",
		`x(abc){2,}`:                           "[[x] [abc]]",
		`^$`:                                   "[]",
		strings.Repeat("a", 300):               "[[" + strings.Repeat("a", maxLiteral) + "]]",
		`[0-9][0-9](?:a|b|c|d|e|f)(?:g|h|i|j)`: "[[0 1 2 3 4 5 6 7 8 9] [0 1 2 3 4 5 6 7 8 9] [ag ah ai aj bg bh bi bj cg ch ci cj dg dh di dj eg eh ei ej fg fh fi fj]]",
	} {
		re, err := syntax.Parse(source, syntax.Perl|syntax.FoldCase)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(requiredLiterals(re)); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}

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
			return c
		}
		clause := rapid.SliceOfN(rapid.Custom(drawCondition), 0, 2)
		l, problems := NewList([]Operand{{V: "ab"}, {V: "/" + drawExpression(t) + "/"}, {V: "10.0.0.0/9"}})
		if problems != nil {
			t.Fatal(problems)
		}
		src := Source{Lists: map[string]*List{"l": l}, Antivirus: true, Modules: []string{"m"}}
		for i := range rapid.IntRange(1, 80).Draw(t, "rules") {
			src.Rules = append(src.Rules, SourceRule{
				Name: fmt.Sprint(i), Stage: stage, Weight: 1,
				Match: clause.Draw(t, "match"), Any: clause.Draw(t, "any"), Unless: clause.Draw(t, "unless"),
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

func drawOperand(t *rapid.T, attr string) any {
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
	return drawExpression(t)
}

func drawFacts(t *rapid.T) *fakeFacts {
	text := func() Value { return TextValue(drawText(t)) }
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
		"virus": TextValues(rapid.SliceOfN(rapid.Custom(drawText), 0, 1).Draw(t, "virus")), "size": NumberValue(rapid.Int64Range(0, 4).Draw(t, "size")),
		"attachment_name": TextValues(rapid.SliceOfN(rapid.Custom(drawText), 0, 3).Draw(t, "names")),
		"module.m.score":  {Known: true, Num: rapid.Int64Range(0, 4000).Draw(t, "score")}, "module.m.symbol": text(),
		"subject": text(), "sender": text(), "header_ip": addrs(), "client_ip": addrs(),
		"header.From":     TextValues(rapid.SliceOfN(rapid.Custom(drawText), 0, 2).Draw(t, "from")),
		"header.*":        TextValues(rapid.SliceOfN(rapid.Custom(drawText), 0, 5).Draw(t, "fields")),
		"direction":       EnumValue(rapid.SampledFrom([]string{"", "inbound", "outbound"}).Draw(t, "direction")),
		"recipient_count": NumberValue(rapid.Int64Range(0, 4).Draw(t, "count")),
	}, errs: make(map[string]error)}
	for k := range f.values {
		if rapid.IntRange(0, 7).Draw(t, "fault") == 0 {
			f.errs[k] = errTimeout
		}
	}
	return f
}

// Every rune folds as package regexp compares it.
func TestFoldAgreesWithRegexp(t *testing.T) {
	for _, r := range "kKsSſ\u212aßẞσςΣǄǅǆİıiIяЯѣѢθϑΘϴµμΜåÅ\u212bꭰᎠ" {
		re := regexp.MustCompile("(?i)^" + regexp.QuoteMeta(string(r)) + "$")
		for q := rune(1); q < 0x20000; q++ {
			if q >= 0xd800 && q < 0xe000 {
				continue
			}
			if same := fold(q) == fold(r); same != (q == r) && same != re.MatchString(string(q)) {
				t.Errorf("%q and %q: folded alike is %v", r, q, same)
			}
		}
	}
}

// A header made to be seen everywhere is bounded, and still judged right.
func TestSightingsAreBounded(t *testing.T) {
	var src Source
	for i := range 40 {
		src.Rules = append(src.Rules, SourceRule{
			Name: fmt.Sprint(i), Stage: "headers", Weight: 1, Match: cond("header.*", fmt.Sprintf(`bulk \d*%d\b`, i)),
		})
	}
	p := mustCompile(t, src)
	fields := make([]string, 2000)
	for i := range fields {
		fields[i] = "X: bulk no"
	}
	fields[1999] = "X: bulk 7"
	facts := &fakeFacts{values: map[string]Value{"header.*": TextValues(fields)}}
	for range 2 {
		if got := describe(p.Evaluate(t.Context(), Headers, facts, nil)); got != "7; continue" {
			t.Error(got)
		}
	}
	e := p.plans[Headers].begin(t.Context(), facts)
	e.scan(0)
	if n := len(e.answers[0].marks.sightings); n != maxSightings {
		t.Errorf("%d sightings are remembered", n)
	}
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
