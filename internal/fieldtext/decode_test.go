package fieldtext

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	tests := []struct{ name, raw, charset, want string }{
		{"plain", " hello", "", " hello"},
		{"fold", " a\n b", "", " a b"},
		{"CRLF fold", " a\r\n\tb", "", " a\tb"},
		{"bare line end", "a\nb", "", "a b"},
		{"B", "=?UTF-8?B?0J/RgNC40LLQtdGC?=", "", "Привет"},
		{"no padding", "=?utf-8?b?YQ?=", "", "a"},
		{"Q", "=?koi8-r?Q?=F0=D2=C9=D7=C5=D4=2C_you?=", "", "Привет, you"},
		{"language", "=?US-ASCII*EN?Q?Keith_Moore?=", "", "Keith Moore"},
		{"adjacent", "=?utf-8?q?a?= \t =?utf-8?q?b?=", "", "ab"},
		{"adjacent, other charset", "=?utf-8?q?a?= =?koi8-r?q?=F0?=", "", "aП"},
		{"not adjacent", "=?utf-8?q?a?= x =?utf-8?q?b?=", "", "a x b"},
		{"divided character", "=?utf-8?q?=D0?= =?utf-8?q?=9F?=", "", "П"},
		{"space in a word", "=?utf-8?q?a b?=", "", "a b"},
		{"unknown charset", "=?x-nope?q?a?= b", "", "=?x-nope?q?a?= b"},
		{"no charset", "=??q?a?=", "", "=??q?a?="},
		{"a charset that says nothing, UTF-8", "=?x-unknown?q?=D0=9F?=", "koi8-r", "П"},
		{"a charset that says nothing, KOI8-R", "=?unknown-8bit?q?=F0=D2=C9?=", "koi8-r", "При"},
		{"us-ascii, UTF-8", "=?us-ascii?q?=D0=9F?=", "", "П"},
		{"states that are not ended", "=?iso-2022-jp?B?GyRCJEs=?= =?iso-2022-jp?Q?a?=", "", "にa"},
		{"the charset of a word before", "=?windows-1251?Q?=CF?= \xe0", "", "П а"},
		{"one bad octet", "Привет \xd0", "koi8-r", "Привет \uFFFD"},
		{"spaces", "a\u00a0b\u2009c\u3000d", "", "a b c d"},
		{"no name of a charset", "=?a b?q?c?=", "", "=?a b?q?c?="},
		{"unknown encoding", "=?utf-8?x?a?=", "", "=?utf-8?x?a?="},
		{"broken base64", "=?utf-8?b?*?= b", "", "=?utf-8?b?*?= b"},
		{"unclosed", "=?utf-8?q?a b", "", "=?utf-8?q?a b"},
		{"ISO-2022-JP", "=?ISO-2022-JP?B?GyRCJEskYyE8JHMbKEI=?=", "", "にゃーん"},
		{"raw UTF-8", "Привет", "koi8-r", "Привет"},
		{"raw KOI8-R", "\xf0\xd2\xc9\xd7\xc5\xd4", "koi8-r", "Привет"},
		{"raw, charset unknown", "caf\xe9", "", "café"},
		{"hidden line end", "=?utf-8?q?a=0D=0Ab?=", "", "a  b"},
		{"padding within", "=?utf-8?b?YQ==Yg==?=", "", "ab"},
		{"one digit", "=?utf-8?b?Y?=", "", "=?utf-8?b?Y?="},
		{"empty word", "a =?utf-8?q??= b", "", "a  b"},
		{"question mark in a word", "=?utf-8?q?what??=", "", "what?"},
		{"raw, ASCII stays", "lottery \xff", "utf-16", "lottery ÿ"},
		{"raw, no EBCDIC", "lottery \xff", "ibm037", "lottery ÿ"},
		{"Unicode line ends", "a\u0085b\u2028c\u2029d", "", "a b c d"},
		{"C1 controls", "=?utf-8?q?vi=C2=9Bagra?=", "", "viagra"},
		{"hidden NUL", "=?utf-8?q?vi=00agra?=", "", "viagra"},
	}
	for _, tt := range tests {
		if got := Decode(nil, tt.raw, tt.charset); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestUnfoldBothWays: a text without CR unfolds as it does with some.
func TestUnfoldBothWays(t *testing.T) {
	for _, s := range []string{"", "a", "\n", "a\n b", "a\n\n\tb", "a\nb", "\na", "a\n", "a \n \n b\n"} {
		fast := string(appendUnfolded(nil, s))
		slow := string(appendUnfolded(nil, strings.ReplaceAll(s, "\n", "\r\n")))
		if fast != slow {
			t.Errorf("%q: %q and %q", s, fast, slow)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	const s = " an ordinary value, of ordinary length"
	if n := testing.AllocsPerRun(100, func() { Decode(nil, s, "koi8-r") }); n != 0 {
		t.Errorf("%v allocations for a plain value", n)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("=?UTF-8?B?0J/RgA==?= =?koi8-r?q?=F0?=\n x", "koi8-r")
	f.Add("=?utf-8?q?=?=", "big5")
	f.Fuzz(func(t *testing.T, raw, charset string) {
		d := Decode(nil, raw, charset)
		if a := string(AppendDecode(nil, []byte("x"), raw, charset)); a != "x"+strings.TrimSpace(d) {
			t.Errorf("appended %q, decoded %q", a, d)
		}
		if !utf8.ValidString(d) || strings.ContainsAny(d, "\r\n\x00\x7f\u0085\u2028\u2029") {
			t.Errorf("%q is not one clean line", d)
		}
		if line := Unfold(d); line != d {
			t.Errorf("%q unfolds once more, to %q", d, line)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, s := range map[string]string{
		"plain":  " an ordinary value of ordinary length",
		"folded": " from a.example (a.example [192.0.2.1])\n\tby b.example",
		"words":  " =?UTF-8?B?0J/RgNC40LLQtdGC?=",
		"raw":    " \xf0\xd2\xc9\xd7\xc5\xd4",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Decode(nil, s, "koi8-r")
			}
		})
	}
}

// BenchmarkReadings is what the Subject of an ordinary message costs: two words,
// folded, as most mail that is not in English has it.
func BenchmarkReadings(b *testing.B) {
	const subject = " =?utf-8?Q?Quartals=C3=BCbersicht_f=C3=BCr_die_Region_Nord?=\n =?utf-8?B?4oCTIHRoZSByZXBvcnQg4oSWMTc=?="
	b.ReportAllocs()
	for b.Loop() {
		Readings(nil, subject, "")
	}
}

func TestReadings(t *testing.T) {
	for _, tt := range []struct {
		raw, charset string
		want         []string
	}{
		{" plain", "koi8-r", []string{" plain"}},
		{"=?utf-8?q?a?=", "", []string{"a"}},
		{"Привет", "", []string{"Привет"}},
		{"=?x-nope?q?=D0=9F?=", "", []string{"=?x-nope?q?=D0=9F?=", "П"}},
		{"=??q?a?= b", "", []string{"=??q?a?= b", "a b"}},
		{"=?koi8-r?q?=D0=9F?=", "", []string{"п÷", "П"}},
		{"=?koi8-r?q?=F0?=", "", []string{"П"}},
		{"=?utf-8?b?0J/R?= =?utf-8?b?gA?=", "", []string{"Пр"}},
		{"=?utf-8?b?0J/RgNC?= =?utf-8?b?40?=", "", []string{"Пр\uFFFD", "При", "Пр"}},
		{"=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=", "", []string{"=?utf-8?q?a?=", "a"}},
		{"a =?utf-8?b?0J*/R?= b", "", []string{"a =?utf-8?b?0J*/R?= b", "a \u041f\ufffd b", "a \u041f b"}},
		{"lot=?utf-8?b?*?=tery", "", []string{"lot=?utf-8?b?*?=tery", "lottery"}},
		{"=?utf-8?b?0J/R", "", []string{"=?utf-8?b?0J/R", "\u041f\ufffd", "\u041f"}},
		{"=?utf-8?q?lot=74ery? more", "", []string{"=?utf-8?q?lot=74ery? more", "lottery more"}},
		{"+BBY-", "utf-7", []string{"+BBY-", "Ж"}},
		{"лот\u200bерея", "", []string{"лот\u200bерея", "лотерея"}},
		{"и\u0306", "", []string{"и\u0306", "й"}},
		{"ｌｏｔ", "", []string{"ｌｏｔ", "lot"}},
	} {
		if got := Readings(nil, tt.raw, tt.charset); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.raw, got, tt.want)
		}
	}
}
