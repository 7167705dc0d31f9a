package mail

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

// TestLinear reads what would take many seconds if any step were quadratic.
func TestLinear(t *testing.T) {
	const n = 1 << 17
	for _, unit := range []string{
		"=?utf-8?q?a", "=?", "=?utf-8?q?a?= ", "=?x?q?", "?=", "=?utf-8?b?", "\n", "\n ", " ", "a ", "=?utf-8?x? ",
		"=?utf-8?q?a?= =?koi8-r?q?=F0?= ", "=?utf-7?q?+?=", "=?hz-gb-2312?q?~{VPVPVPVP?= ", "=?iso-2022-jp?q?=1B$(C?= ", "\xff", "=?utf-8?b?*?=",
	} {
		for _, s := range []string{strings.Repeat(unit, n/len(unit)), strings.Repeat(unit, n/len(unit)) + "?="} {
			fieldtext.Decode(nil, s, "koi8-r")
			fieldtext.Readings(nil, s, "koi8-r")
			fieldtext.Readings(nil, s, "utf-7")
			fieldtext.TagSubject(s, []string{"[X]"}, "")
			fieldtext.Encode("X-Note", s)
		}
	}
	for _, unit := range []string{"<", "\"", "(", "a,", "a ", "a@", "a. ", "a@ ", "<\"\\\"", "[", "<a@b>", "a@b,", ":", ")(", "=?"} {
		for _, m := range ParseMailboxes(nil, "a@ "+strings.Repeat(unit, n/len(unit))) {
			m.DisplayName(nil, "koi8-r")
		}
		ParseMailboxes(nil, strings.Repeat(unit, n/len(unit)))
	}
	for _, unit := range []string{"1.1 ", "IPv6:", "192.0.2.1 ", "[", "1", ":"} {
		Header{{"Received", strings.Repeat(unit, n/len(unit))}}.TraceIPs(nil)
	}
	for _, unit := range []string{`";`, `";\`, `charset;`, `;`, `"`, `\"`} {
		Header{{"Content-Type", strings.Repeat(unit, n/len(unit))}}.FallbackCharset()
	}
	for _, unit := range []string{"name=", ";name=\"", "(", "(\\", "boundary=a ", ";name=a", "name:", ";filename*1=a", "'", "; name=a b", ")", "=?", ";name=\"=?utf-8?q?a?="} {
		text := strings.Repeat(unit, n/len(unit))
		for _, field := range []string{"Content-Type: multipart/mixed; ", "Content-Disposition: a;"} {
			_, _ = ListParts(nil, strings.NewReader(field+text+"\n\n"), "")
			_, _ = ListParts(nil, strings.NewReader("Content-Type: multipart/mixed; boundary=b\n\n"+strings.Repeat("--b\n"+field+unit+"\n\n", n/len(field))), "")
		}
	}
	_, _ = ListParts(nil, strings.NewReader("Content-Type: multipart/mixed; boundary=b\n\n"+strings.Repeat("--b\n\n", n)), "")
	for _, unit := range []string{" a\n", "A:\n", "\n", "From \n"} {
		SplitMessage([]byte("A: b\n" + strings.Repeat(unit, n/len(unit))))
		SplitMessage([]byte(strings.Repeat(unit, n/len(unit))))
	}
	for _, unit := range []string{"method", "METHOD", "; method ", "; method=", "\u023a", ";a=b"} {
		value := " text/calendar; " + strings.Repeat(unit, n/len(unit))
		Header{{"Content-Type", value}}.Automatic()
		Header{{"Content-Type", " multipart/mixed; " + strings.ReplaceAll(value, "method", "boundary")}}.FindAnswers()
	}
	var distinct strings.Builder
	for r := rune(0x4e00); distinct.Len() < n; r++ {
		if r > 0x9f00 {
			r = 0x4e00
		}
		distinct.WriteRune(r)
	}
	for _, unit := range []string{"@a:", "@", `"\`, ".", "a.", distinct.String()} {
		s := strings.Repeat(unit, n/len(unit))
		address.Fold(s)
		address.Fold("u@" + s)
	}
}
