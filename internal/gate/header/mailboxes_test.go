package header_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate/header"
	"github.com/tollgate-mail/tollgate/internal/mail"
)

// However an author writes a domain, expressions see it in A-labels and in
// U-labels; an address that has one form is there once.
func TestTexts(t *testing.T) {
	for _, written := range []string{"тест.рф", "ТЕСТ.РФ", "xn--e1aybc.xn--p1ai", "XN--E1AYBC.xn--p1ai", "xn--e1aybc.рф", "тест。рф", "тест．рф.", "те\u00adст.рф", "те\u200bст.рф"} {
		for _, form := range []string{"%s", "Name <%s>", "%s (Name)", "< %s >", "Friends: %s;"} {
			all := mail.ParseMailboxes(nil, fmt.Sprintf(form, "x@"+written))
			texts := header.Texts(all)
			if len(all) != 1 || !slices.Contains(texts, "x@xn--e1aybc.xn--p1ai") || !slices.Contains(texts, "x@тест.рф") {
				t.Errorf("%s in %s: %q", written, form, texts)
			}
			if got := strings.Join(header.Domains(all), " "); got != "xn--e1aybc.xn--p1ai тест.рф" {
				t.Errorf("%s: domains %q", written, got)
			}
		}
	}
	for raw, want := range map[string]string{
		"a@b.example":                 "a@b.example",
		"A@B.example, a@b.example":    "A@B.example a@b.example A@b.example",
		"a@b.example, c@d.example":    "a@b.example c@d.example",
		"ｂoss@ｇood.example":           "ｂoss@ｇood.example boss@good.example",
		"bo\u200bss@good.example":     "bo\u200bss@good.example boss@good.example",
		"x@xn--nonsense--.example, ,": "x@xn--nonsense--.example",
		"":                            "",
	} {
		if got := strings.Join(header.Texts(mail.ParseMailboxes(nil, raw)), " "); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}
