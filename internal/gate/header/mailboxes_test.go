package header_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/gate/header"
)

// from is a header with one field.
func from(value string) *header.Header {
	h := &header.Header{Options: header.Options{MaxFields: 10, MaxOctets: 8 << 20}}
	h.Add("From", value)
	return h
}

// Quotes that an address does not need hide it from no expression (RFC 5321 §4.1.2).
func TestTextsWithoutQuotes(t *testing.T) {
	for raw, want := range map[string]string{
		`"petr"@bank.example`: "petr@bank.example", `Bank <"petr"@bank.example>`: "petr@bank.example", `"pe\tr"@bank.example`: "petr@bank.example",
		`"a b"@bank.example`: `"a b"@bank.example`, "petr@bank.example": "petr@bank.example",
	} {
		if got := from(raw).Texts("From"); !slices.Contains(got, want) {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// Domains in other spellings are dear: they are mapped once, charged, and not at all
// where they can be none.
func TestSpellingsCost(t *testing.T) {
	label := "xn--" + strings.Repeat("e1aybc", 9) + "."
	const short = "xn--e1aybc.xn--p1ai"
	for name, tt := range map[string]struct {
		domain string
		octets int
		spent  bool
	}{
		"few":   {short, 4 << 10, false},
		"short": {short, 1 << 20, true},
		"long":  {strings.Repeat(label, 4) + "example", 1 << 20, true},
		"none":  {strings.Repeat(label, 40) + "example", 1 << 20, false},
	} {
		var list []string
		for i := 0; len(list)*len(tt.domain) < tt.octets; i++ {
			list = append(list, fmt.Sprintf("a%d@x%d.%s", i, i, tt.domain))
		}
		h := from(strings.Join(list, ", "))
		h.Work = budget.New(t.Context(), 8<<20, 64<<20)
		h.Texts("From")
		h.Domains("From")
		if spent := h.Work.Err() != nil; spent != tt.spent {
			t.Errorf("%s: spent is %v", name, spent)
		}
		steps, _ := h.Work.Spent()
		h.Texts("From")
		h.Domains("From")
		if again, _ := h.Work.Spent(); again != steps {
			t.Errorf("%s: found twice, for %d steps more", name, again-steps)
		}
	}
}

// However an author writes a domain, expressions see it in A-labels and in
// U-labels; an address that has one form is there once.
func TestTexts(t *testing.T) {
	for _, written := range []string{"тест.рф", "ТЕСТ.РФ", "xn--e1aybc.xn--p1ai", "XN--E1AYBC.xn--p1ai", "xn--e1aybc.рф", "тест。рф", "тест．рф.", "те\u00adст.рф", "те\u200bст.рф", "те" + strings.Repeat("\u00ad", 600) + "ст.рф"} {
		for _, form := range []string{"%s", "Name <%s>", "%s (Name)", "< %s >", "Friends: %s;"} {
			h := from(fmt.Sprintf(form, "x@"+written))
			texts := h.Texts("From")
			if len(h.Mailboxes("From")) != 1 || !slices.Contains(texts, "x@xn--e1aybc.xn--p1ai") || !slices.Contains(texts, "x@тест.рф") {
				t.Errorf("%s in %s: %q", written, form, texts)
			}
			if got := strings.Join(h.Domains("From"), " "); got != "xn--e1aybc.xn--p1ai тест.рф" {
				t.Errorf("%s: domains %q", written, got)
			}
		}
	}
	for raw, want := range map[string]string{
		"a@b.example":                 "a@b.example",
		"A@B.example, a@b.example":    "A@B.example a@b.example",
		"a@b.example, c@d.example":    "a@b.example c@d.example",
		"ｂoss@ｇood.example":           "ｂoss@ｇood.example boss@good.example",
		"bo\u200bss@good.example":     "bo\u200bss@good.example boss@good.example",
		"x@xn--nonsense--.example, ,": "x@xn--nonsense--.example",
		"":                            "",
	} {
		if got := strings.Join(from(raw).Texts("From"), " "); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}
