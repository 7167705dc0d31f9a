package mail

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"
)

// Parameters of RFC 2231 as programs write and read them that have it only half.
func TestOddNames(t *testing.T) {
	const name = "invoice.exe"
	for _, parameter := range []string{
		"filename *= utf-8''invoice.exe", "filename * = utf-8''invoice.exe", "filename *0=inv; filename *1=oice.exe", "filename*0=inv filename*1=oice.exe", "filename*0=inv, filename*1=oice.exe",
		"filename*0*=utf-8''inv; filename*1*=utf-8''oice.exe", "filename*0*=utf-8''inv; filename*1=%6Fice.exe", "filename**=utf-8''invoice.exe", "filename*a=invoice.exe", "filename*0**=utf-8''inv; filename*1=oice.exe",
		"filename*=UTF-8'invoice.exe'", "filename*=utf-8''invoice.exe%", `"filename"=invoice.exe`, `"filename"="invoice.exe"`, `'filename'='invoice.exe'`, "filename\u00a0=invoice.exe",
		`filename="invoice%2Eexe"`, "filename=%69nvoice.exe", `filename=invoice\.exe`,
		`filename="=?x-nope?B?aW52b2ljZS5leGU=?="`, `filename="=?utf-8?B?aW52b2?= =?utf-8?B?ljZS5leGU?="`, `filename="=?utf-8?B?aW52*b2ljZS5leGU=?="`, `filename="=?utf-8?Q?invoice=2Eexe"`,
		`filename="=?utf-8?Q?=3D=3Futf-8=3FQ=3Finvoice.exe=3F=3D?="`, `filename="=?utf-8?B?PT91dGYtOD9CP2FXNTJiMmxqWlM1bGVHVT0/PQ==?="`,
		"filename=“invoice.exe”", "filename=„invoice.exe“", "filename=«invoice.exe»", "filename=‘invoice.exe’", "filename=\"invoice.exe\u3000\"", "filename=\"invoice.exe\xff\"", "filename=\"invoice.exe\xd0\"",
		`filename "invoice.exe"`, `filename	"invoice.exe"`, `size=1 filename "invoice.exe"`, `filename*=utf-8''invoice%252Eexe`, `filename*0*=''invoice%252E; filename*1=exe`,
		"filename=\"invoice．ｅｘｅ\"", "filename=\"invoice․exe\"", "filename=\"invoice﹒exe\"", "filename=\"invoice.𝐞𝐱𝐞\"", "filename=\"invoice.ⓔⓧⓔ\"", "filename=\"invoice.eｘe\"",
	} {
		message := "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b\nContent-Disposition: attachment; " + parameter + "\n\nx\n--b--\n"
		l, err := ListParts(nil, strings.NewReader(message), "")
		if err != nil || !slices.Contains(l.Names, name) {
			t.Errorf("%s: %q, %v", parameter, l.Names, err)
		}
	}
}

// A name in another script keeps what its characters are, where its extension is
// as it looks.
func TestPlainExtension(t *testing.T) {
	for name, want := range map[string]string{
		"ＡＢＣ報告．ｐｄｆ": "ABC報告.pdf", "ＡＢＣ報告.pdf": "ＡＢＣ報告.pdf", "№ 5…pdf": "№ 5…pdf", "x².txt": "x².txt", "договор.doc": "договор.doc", "a／b．exe": "b.exe", "ｅｘｅ": "ｅｘｅ",
	} {
		if got, _ := CleanName(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// However the octets of UTF-16 stand, one of the readings has the words.
func TestOddSubjects(t *testing.T) {
	const want = "лотерея"
	word := func(label, octets string) string {
		return "=?" + label + "?B?" + base64.StdEncoding.EncodeToString([]byte(octets)) + "?="
	}
	windows, _ := charmap.Windows1251.NewEncoder().String(want)
	chinese, _ := simplifiedchinese.HZGB2312.NewEncoder().String(want)
	chinese += "~}"
	little, big := "", ""
	for _, r := range want {
		little += string([]byte{byte(r), byte(r >> 8)})
		big += string([]byte{byte(r >> 8), byte(r)})
	}
	const japanese = "\x1b$B']'`'d'V'b'V'q\x1b(B"
	for _, raw := range []string{
		word("UTF-16", little), word("UTF-16", big), word("UTF-16LE", big), word("UTF-16BE", little), word("ucs-2", little), word("unicode", big), word("utf16", "\xff\xfe"+little), word("utf-16be", "\xff\xfe"+little),
		word("utf-8", windows), word("gb2312", want), word("big5", want), word("utf-8;", want), word("charset=utf-8", want), word("utf-8 ", want), word(" utf-8", want), word("(null)", want), word("windows 1251", windows),
		"=?iso-2022-jp?B?GyRCJ10nYCdk?= =?iso-2022-jp?B?" + base64.StdEncoding.EncodeToString([]byte("'V'b'V'q\x1b(B")) + "?=",
		word("hz-gb-2312", chinese[:6]) + " " + word("hz-gb-2312", chinese[6:]), chinese, japanese,
	} {
		if all := fieldtext.Readings(nil, raw, ""); !slices.Contains(all, want) {
			t.Errorf("%q: %q", raw, all)
		}
		if all := append([]string{fieldtext.Decode(nil, raw, "")}, fieldtext.Others(nil, raw, "")...); !slices.Contains(all, want) {
			t.Errorf("%q, as others: %q", raw, all)
		}
	}
}

// However a text is divided into words, those who join words before they decode
// them find it.
func TestDividedWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SampledFrom([]struct{ label, octets string }{
			{"utf-8", "лотерея"}, {"iso-2022-jp", "\x1b$B']'`'d'V'b'V'q\x1b(B"}, {"hz-gb-2312", "~{']'`'d'V'b'V'q~}"}, {"iso-2022-kr", "\x1b$)C\x0e,],`,d,V,b,V,q\x0f"},
		}).Draw(t, "set")
		at := rapid.IntRange(1, len(set.octets)-1).Draw(t, "at")
		var words []string
		for _, part := range []string{set.octets[:at], set.octets[at:]} {
			words = append(words, fmt.Sprintf("=?%s?B?%s?=", set.label, base64.StdEncoding.EncodeToString([]byte(part))))
		}
		raw := strings.Join(words, rapid.SampledFrom([]string{" ", "\n ", "\t", "  "}).Draw(t, "between"))
		if all := fieldtext.Readings(nil, raw, ""); !slices.Contains(all, "лотерея") {
			t.Errorf("%q: %q", raw, all)
		}
	})
}
