package mail

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseMailboxes(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{"", ""},
		{"boss", ""},
		{" a@b.example", "a@b.example||b.example"},
		{"Anna <a@b.example>", "a@b.example|Anna|b.example"},
		{"a@b.example (Anna)", "a@b.example|Anna|b.example"},
		{"a@b.example, c@d.example", "a@b.example||b.example; c@d.example||d.example"},
		{"a@b.example; c@d.example", "a@b.example||b.example; c@d.example||d.example"},
		{"< a @ b.example >", "a@b.example||b.example"},
		{"a @ b . example", "a@b.example||b.example"},
		{"Friends: a@b.example, C <c@d.example>;", "a@b.example||b.example; c@d.example|C|d.example"},
		{"undisclosed-recipients:;", ""},
		{"Anna [mailto:a@b.example]", "a@b.example||b.example"},
		{"Anna <mailto:a@b.example?subject=x>", "a@b.example|Anna|b.example"},
		{"a@b.example:25", "a@b.example||b.example"},
		{"a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]||[ipv6:2001:db8::1]"},
		{"a@b.example\x00x", "a@b.example||b.example"},
		{"=?utf-8?q?a=40b.example?=", "a@b.example||b.example"},
		{"=?utf-8?q?Anna_=3Ca=40b.example=3E?=", "a@b.example|Anna|b.example"},
		{`"a@b.example"`, "a@b.example||b.example"},
		{`Anna <"a@b.example">`, "a@b.example|Anna|b.example"},
		{`=?utf-8?q?a=40b.example?= <x@evil.example>`, "x@evil.example|=?utf-8?q?a=40b.example?=|evil.example"},
		{"<@x.example,@y.example:a@b.example>", "a@b.example||b.example"},
		{`"Good <boss@good.example>" <x@evil.example>`, `x@evil.example|"Good <boss@good.example>"|evil.example`},
		{`"boss@good.example" <x@evil.example>`, `x@evil.example|"boss@good.example"|evil.example`},
		{`boss@good.example <x@evil.example>`, `x@evil.example|boss@good.example|evil.example`},
		{`(boss@good.example) x@evil.example`, `x@evil.example|boss@good.example|evil.example`},
		{"=?utf-8?Q?boss=40good.example?= <x@evil.example>", "x@evil.example|=?utf-8?Q?boss=40good.example?=|evil.example"},
		{"<boss@good.example> <x@evil.example>", "boss@good.example||good.example; x@evil.example||evil.example"},
		{"<boss@good.example <x@evil.example>", "boss@good.example||good.example; x@evil.example||evil.example"},
		{"boss@good.example x@evil.example", "boss@good.example||good.example; x@evil.example||evil.example"},
		{"Иван <ivan@тест.рф>", "ivan@тест.рф|Иван|xn--e1aybc.xn--p1ai"},
		{`"a b"@c.example`, `"a b"@c.example||c.example`},
		{"a@[192.0.2.1]", "a@[192.0.2.1]||[192.0.2.1]"},
		{"a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]||[ipv6:2001:db8::1]"},
		{`"unclosed <a@b.example>`, `a@b.example|"unclosed|b.example`},
		{"(unclosed <a@b.example>", "a@b.example|(unclosed|b.example"},
		{"Bank, Inc. <a@b.example>, c@d.example", "a@b.example|Bank, Inc.|b.example; c@d.example||d.example"},
		{`"Good <boss@good.example>": x@evil.example;`, "x@evil.example||evil.example"},
		{`"boss@good.example": x@evil.example, y@evil.example;`, "x@evil.example||evil.example; y@evil.example||evil.example"},
		{`The "boss@good.example" : X <x@evil.example>;`, "x@evil.example|X|evil.example"},
		{`Group<boss@good.example>: x@evil.example;`, "boss@good.example|Group|good.example; x@evil.example||evil.example"},
		{`Group<boss@good.example>: X <x@evil.example>, y@evil.example;`, "boss@good.example|Group|good.example; x@evil.example|X|evil.example; y@evil.example||evil.example"},
		{`boss@good.example: x@evil.example;`, "boss@good.example||good.example; x@evil.example||evil.example"},
		{`"a:b"@c.example`, `"a:b"@c.example||c.example`},
		{"<>", ""},
		{"a@", ""},
		{"@b.example", ""},
	} {
		var all []string
		for _, m := range ParseMailboxes(nil, tt.raw) {
			all = append(all, m.Address+"|"+m.Name+"|"+m.Domain)
		}
		if got := strings.Join(all, "; "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.raw, got, tt.want)
		}
	}
}

func TestFromCases(t *testing.T) {
	for _, row := range rows(t, "r19-from.tsv") {
		raw := strings.ReplaceAll(row[1], `\n`, "\n")
		if all := ParseMailboxes(nil, raw); len(all) != 1 || all[0].Domain != row[0] {
			t.Errorf("%s: %q, want %s", raw, all, row[0])
		}
	}
}

func TestDisplayName(t *testing.T) {
	for raw, want := range map[string]string{
		`"Bank \"A\"" <a@b.example>`:                   `[Bank "A"]`,
		`=?utf-8?B?0JHQsNC90Lo=?= <a@b.example>`:       "[Банк]",
		`"=?utf-8?B?0JHQsNC90Lo=?=" <a@b.example>`:     "[Банк]",
		"Ba\u200bnk <a@b.example>":                     "[Ba\u200bnk Bank]",
		"a@b.example":                                  "[]",
		"a@b.example (Bank)":                           "[Bank]",
		"\"Bank\n Ltd\", Inc: x <a@b.example>":         "[x]",
		"=?utf-8?Q?a?= \"b\" =?utf-8?Q?c?= <a@b.test>": "[a b c]",
	} {
		all := ParseMailboxes(nil, raw)
		if len(all) != 1 || fmt.Sprint(all[0].DisplayName(nil, "")) != want {
			t.Errorf("%s: %q, %q", raw, all, all[0].DisplayName(nil, ""))
		}
	}
}

// However a From is written, the author is the one whom programs show, and
// what stands in the name is not.
func TestSpellingsOfAuthors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := func(label string, all ...string) string { return rapid.SampledFrom(all).Draw(t, label) }
		name := from("name", "", "Bank", `"Bank"`, `"boss@good.example"`, `"<boss@good.example>"`, `"Bank, <boss@good.example>"`, `"a" "b"`, "=?utf-8?Q?=3Cboss=40good.example=3E?=", "(boss@good.example)", "Bank, Inc.", "Bank.", "Банк", `"a\"b <boss@good.example>"`, "Bank (Inc)", "boss@good.example", "'boss@good.example'")
		address := from("address", "x@evil.example", "x @ evil.example", "x@evil.example.", " x@evil.example ", "mailto:x@evil.example", "@good.example:x@evil.example", "x(c)@evil.example", "x@(c)evil.example", `"x"@evil.example`, `"boss@good.example"@evil.example`, `"<boss@good.example>"@evil.example`, "=?utf-8?Q?x?=@evil.example", "X@EVIL.example")
		raw := name + from("open", " <", "<", " <<", "\n <") + address + from("close", ">", ">>", "", "> ", ">;", ">,", "> (boss@good.example)", ">(c)")
		all := ParseMailboxes(nil, raw)
		if len(all) != 1 || all[0].Domain != "evil.example" {
			t.Errorf("%q: %q", raw, all)
		}
	})
}

func FuzzParseMailboxes(f *testing.F) {
	f.Add(`"a" <b@c>, (d) e@f`)
	f.Add(`Friends: <@a:b@[IPv6:::1]>;`)
	f.Fuzz(func(t *testing.T, raw string) {
		for _, m := range ParseMailboxes(nil, raw) {
			if m.Domain == "" || !strings.Contains(m.Address, "@") {
				t.Errorf("%q: %q", raw, m)
			}
			m.DisplayName(nil, "koi8-r")
		}
	})
}
