package mail

import (
	"strings"
	"testing"
	"unicode/utf8"
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
		{"utf-16be", "\x04\x16", "Ж"},
		{"utf-7 unicode-1-1-utf-7", "+BBY-", "Ж"},
	} {
		for _, label := range strings.Fields(tt.labels) {
			e, ok := charset(label)
			if !ok {
				t.Errorf("%s is not known", label)
			} else if got := convert(e, tt.octets); got != tt.want {
				t.Errorf("%s: %q, want %q", label, got, tt.want)
			}
		}
	}
	for _, label := range []string{"", "x-unknown", "8bit", strings.Repeat("x", 1000)} {
		if _, ok := charset(label); ok {
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
		if got := convert(utf7{}, octets); got != want {
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
