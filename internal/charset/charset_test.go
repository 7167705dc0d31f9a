package charset

import (
	"context"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// TestCharsets reads one text of each charset, under names that mail has.
func TestCharsets(t *testing.T) {
	for _, tt := range []struct{ labels, octets, want string }{
		{"utf-8 UTF8 unicode-1-1-utf-8", "Ж", "Ж"},
		{"us-ascii ascii ANSI_X3.4-1968", "a", "a"},
		{"windows-1251 cp1251 x-cp1251 win-1251", "\xcf\xf0", "Пр"},
		{"koi8-r KOI8-R koi8r cskoi8r", "\xf0\xd2", "Пр"},
		{"koi8-u koi8u", "\xa4", "є"},
		{"ibm866 cp866", "\x8f\xe0", "Пр"},
		{"iso-8859-5 iso8859-5", "\xbf\xe0", "Пр"},
		{"x-mac-cyrillic", "\x8f\xf0", "Пр"},
		{"iso-8859-1 latin1 windows-1252", "\xe9", "é"},
		{"iso-8859-15", "\xa4", "€"},
		{"cp437 ibm437", "\x82", "é"},
		{"cp850", "\x82", "é"},
		{"macintosh", "\x8e", "é"},
		{"iso-2022-jp iso-2022-jp-2 cp50221", "\x1b$B$K\x1b(B", "に"},
		{"shift_jis x-sjis cp932 windows-31j", "\x82\xc9", "に"},
		{"euc-jp", "\xa4\xcb", "に"},
		{"gb2312 gbk cp936 gb18030 x-gbk", "\xd6\xd0", "中"},
		{"hz-gb-2312", "~{VP~}", "中"},
		{"big5 big5-hkscs cp950", "\xa4\xa4", "中"},
		{"euc-kr ks_c_5601-1987 cp949 uhc", "\xc7\xd1", "한"},
		{"windows-1255 iso-8859-8-i", "\xf9", "ש"},
		{"windows-1256", "\xd4", "ش"},
		{"windows-874 tis-620 cp874", "\xa1", "ก"},
		{"utf-16be UTF-16 ucs-2 cp1201 unicodeFFFE", "\x04\x16", "Ж"},
		{"utf-16le unicode cp1200 UTF-16 utf16", "\xff\xfe\x16\x04", "Ж"},
		{"utf-16 utf-16le", "\xfe\xff\x04\x16\xd8\x3d\xde\x00", "Ж😀"},
		{"utf-16be", "\x04\x16\xd8\x3d", "Ж\uFFFD"},
		{"utf-16be", "\xd8\x3d\x04\x16\x04", "\uFFFDЖ\uFFFD"},
		{"utf-32be", "\x00\x11\x00\x00\x00\x00\x04\x16\x00", "\uFFFDЖ\uFFFD"},
		{"ucs-4 UTF32BE", "\x00\x00\x04\x16", "Ж"},
		{"shiftjis", "\x82\xc9", "に"},
		{"eucjp x-euc ujis euc_jp cp51932", "\xa4\xcb", "に"},
		{"euckr cp51949", "\xc7\xd1", "한"},
		{"cn-gb cp54936 gb18030-2000", "\xd6\xd0", "中"},
		{"hzgb cp52936", "~{VP~}", "中"},
		{"cp65000", "+BBY-", "Ж"},
		{"cp50225", "\x1b$)C\x0eGQ\x0f!", "한!"},
		{"iso-2022-jp jis iso-2022-jp-2", "\x1b$(B$K\x1b(B \x1b$AVP\x1b(B \x1b$(CGQ\x1b(B!", "に 中 한!"},
		{"windows-1251; 'windows-1251' charset=windows-1251", "\xcf\xf0", "Пр"},
		{"utf8mb4", "Ж", "Ж"},
		{"cp-1251 windows1251 x-windows-1251 windows_1251", "\xcf\xf0", "Пр"},
		{"utf-32be utf-32", "\x00\x00\x04\x16", "Ж"},
		{"utf-32le", "\x16\x04\x00\x00", "Ж"},
		{"utf-32", "\xff\xfe\x00\x00\x16\x04\x00\x00", "Ж"},
		{"iso-2022-kr csISO2022KR", "\x1b$)C\x0eGQ\x0f!", "한!"},
		{"iso-2022-cn", "\x1b$)A\x0eVP\x0f!", "中!"},
		{"gb2312 gb18030", "\x949\xfc6", "😀"},
		{"utf-7 unicode-1-1-utf-7", "+BBY-", "Ж"},
	} {
		for _, label := range strings.Fields(tt.labels) {
			c, ok := Find(label)
			if !ok {
				t.Errorf("%s is not known", label)
			} else if got := c.Decode(nil, tt.octets); got != tt.want {
				t.Errorf("%s: %q, want %q", label, got, tt.want)
			}
		}
	}
	for _, label := range []string{"", "x-unknown", "8bit", "unknown-8bit", strings.Repeat("x", 1000)} {
		if _, ok := Find(label); ok {
			t.Errorf("%q is known", label)
		}
	}
}

func TestUTF7(t *testing.T) {
	for octets, want := range map[string]string{
		"a+-b":                        "a+b",
		"+BB8EQA-ivet":                "Прivet",
		"+BB8EQA.":                    "Пр.",
		"+BB8EQA":                     "Пр",
		"+2D3eAA-":                    "😀",
		"+2D0-":                       "\uFFFD",
		"+2D0EHw-":                    "\uFFFDП",
		"+":                           "",
		"+-+-":                        "++",
		"\xff":                        "\uFFFD",
		"Hi Mom +Jjo-!":               "Hi Mom ☺!",
		strings.Repeat("+BB8-", 5000): strings.Repeat("П", 5000),
	} {
		if got := (Charset{encoding: utf7{}}).Decode(nil, octets); got != want {
			t.Errorf("%.40q: %.40q, want %.40q", octets, got, want)
		}
	}
}

func FuzzUTF7(f *testing.F) {
	f.Add("+BB8EQA-ivet +2D3eAA-")
	f.Fuzz(func(t *testing.T, octets string) {
		got, err := utf7{}.NewDecoder().String(octets)
		if err != nil || !utf8.ValidString(got) {
			t.Errorf("%q: %q, %v", octets, got, err)
		}
	})
}

const lottery = "Вы выиграли в лотерею"

func TestDetect(t *testing.T) {
	for _, text := range []string{lottery, "Отчёт за март", "Счёт № 17 от 23.11.2026", "ВНИМАНИЕ! СКИДКИ!", "Привет", "re: Договор поставки (исправленный)", "Рахунок за послуги, жовтень"} {
		for _, m := range []*charmap.Charmap{charmap.Windows1251, charmap.KOI8U, charmap.CodePage866, charmap.ISO8859_5} {
			octets, err := m.NewEncoder().String(text)
			if err != nil {
				continue // no numero sign in KOI8
			}
			if got := Raw(nil, octets); got != text {
				t.Errorf("%s in %v: %q", text, m, got)
			}
			if got := Raw(nil, octets, Auto); got != text {
				t.Errorf("%s in %v, auto: %q", text, m, got)
			}
		}
	}
	for _, text := range []string{"café", "Über große Bäume", "Crème brûlée à la carte", "señor", "naïve", "smörgåsbord på öl", "Ação", "© 2026", "30 °C", "à"} {
		octets, err := charmap.Windows1252.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Raw(nil, octets); got != text {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestRaw(t *testing.T) {
	koi, _ := charmap.KOI8R.NewEncoder().String(lottery)
	for _, tt := range []struct {
		octets, fallback, want string
	}{
		{lottery + " \xd0", "koi8-r", lottery + " \uFFFD"},
		{"B\xe1h " + lottery, "", "B\uFFFDh " + lottery},
		{koi, "koi8-r", lottery},
		{koi, "utf-8", lottery},
		{koi, "us-ascii", lottery},
		{koi, "x-nope", lottery},
		{"caf\xe9", "iso-8859-15", "café"},
		{"\x1b$B$K\x1b(B", "", "に"},
		{"\x1b[31m", "", "\x1b[31m"},
		{"\x1b$)C\x0eGQ\x0f!", "", "한!"},
		{"\x1b$AVP\x1b(B", "", "中"},
	} {
		if got := Raw(nil, tt.octets, tt.fallback); got != tt.want {
			t.Errorf("%q in %s: %q", tt.octets, tt.fallback, got)
		}
	}
}

func FuzzRaw(f *testing.F) {
	f.Add("\xf0\xd2", "koi8-r")
	f.Add("\x1b$)C\x0eGQ", "iso-2022-kr")
	f.Fuzz(func(t *testing.T, octets, label string) {
		c, _ := Find(label)
		b := budget.New(context.Background(), math.MaxInt64, 0)
		if got := Raw(b, octets, label); !utf8.ValidString(got) || !utf8.ValidString(c.Decode(b, octets)) {
			t.Errorf("%q in %q: %q", octets, label, got)
		}
		if steps, _ := b.Spent(); steps > budget.Allowance(int64(len(octets))) {
			t.Errorf("%q in %q: %d octets cost %d steps", octets, label, len(octets), steps)
		}
	})
}

// TestLinear decodes what would take many seconds if any step were quadratic.
func TestLinear(t *testing.T) {
	for _, label := range []string{"iso-2022-jp", "iso-2022-kr", "iso-2022-cn", "hz-gb-2312", "utf-7", "utf-16", "utf-32", "gb18030"} {
		set, ok := Find(label)
		if !ok {
			t.Fatal(label)
		}
		for _, unit := range []string{"\x1b$(C\x1b(B", "\x1b$A\x1b(B", "\x1b", "\x1b$B", "\x1b$)C", "\x0e\x0f", "~{", "~}", "~{~}", "+", "+-", "+AG", "\xff"} {
			s := strings.Repeat(unit, 1<<20/len(unit))
			set.Decode(nil, s)
			set.Open(s)
		}
	}
}

// BenchmarkDecode reads texts of charsets that are read as a whole.
func BenchmarkDecode(b *testing.B) {
	for label, text := range map[string]string{"utf-16": strings.Repeat("\x04\x30", 32<<10), "utf-32": strings.Repeat("\x00\x00\x04\x30", 16<<10), "iso-2022-jp": strings.Repeat("\x1b$(C\x1b(B", 8<<10), "iso-2022-kr": strings.Repeat("\x0e0!0!0!0!0!0!0!\x0f", 4<<10)} {
		set, _ := Find(label)
		b.Run(label, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				set.Decode(nil, text)
			}
		})
	}
}

// Each pair of a shifted charset is what its set alone makes of it, or U+FFFD.
func TestShiftedPairs(t *testing.T) {
	for label, set := range map[string]encoding.Encoding{"iso-2022-kr": korean.EUCKR, "iso-2022-cn": simplifiedchinese.GBK} {
		shifted, ok := Find(label)
		if !ok {
			t.Fatal(label)
		}
		var all, want strings.Builder
		for first := byte(0x21); first < 0x7f; first++ {
			for second := byte(0x21); second < 0x7f; second++ {
				all.Write([]byte{first, second})
				text, err := set.NewDecoder().Bytes([]byte{first | 0x80, second | 0x80})
				if err != nil || len(text) > utf8.UTFMax {
					text = []byte("\uFFFD")
				}
				want.Write(text)
			}
		}
		if got := shifted.Decode(nil, "\x0e"+all.String()+"\x0f"); got != want.String() {
			t.Errorf("%s: %d octets, want %d", label, len(got), want.Len())
		}
	}
}
