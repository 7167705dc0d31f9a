package fieldtext

import (
	"strings"
	"testing"
)

func TestTagSubject(t *testing.T) {
	tests := []struct{ name, raw, tag, want string }{
		{"plain", " hello", "[SPAM?]", "[SPAM?] hello"},
		{"empty", "", "[SPAM?]", "[SPAM?]"},
		{"blank", " ", "[SPAM?]", "[SPAM?]"},
		{"already there", " [SPAM?] hello", "[SPAM?]", "[SPAM?] hello"},
		{"there alone", " [SPAM?]", "[SPAM?]", "[SPAM?]"},
		{"there for few", " =?x-nobodys?q?[SPAM=3F]?= hello", "[SPAM?]", "[SPAM?] =?x-nobodys?q?[SPAM=3F]?= hello"},
		{"there, in part unseen", " [SP\u200bAM?] hello", "[SPAM?]", "[SPAM?] [SP\u200bAM?] hello"},
		{"only alike", " [SPAM?]x", "[SPAM?]", "[SPAM?] [SPAM?]x"},
		{"there in words", " =?UTF-8?B?W1NQQU0/XSBoZWxsbw==?=", "[SPAM?]", "[SPAM?] hello"},
		{"B", " =?UTF-8?B?0J/RgNC40LLQtdGC?=", "[SPAM?]", "[SPAM?] Привет"},
		{"Q", " =?koi8-r?Q?=F0=D2=C9=D7=C5=D4?=", "[SPAM?]", "[SPAM?] Привет"},
		{"windows-1251", " =?windows-1251?B?z/Do4uXy?=", "[СПАМ]", "[СПАМ] Привет"},
		{"split character", " =?UTF-8?B?0J/R?=\n =?UTF-8?B?gNC40LLQtdGC?=", "[СПАМ]", "[СПАМ] Привет"},
		{"raw UTF-8", " Привет", "[СПАМ]", "[СПАМ] Привет"},
		{"word and text", " =?UTF-8?B?0J/RgNC40LLQtdGC?= Ivan", "[СПАМ]", "[СПАМ] Привет Ivan"},
		{"text and word", " Re: =?UTF-8?B?0J/RgNC40LLQtdGC?=", "[СПАМ]", "[СПАМ] Re: Привет"},
		{"folded", " a\n\tb\n c", "[X]", "[X] a b c"},
		{"folded with CRLF", " a\r\n\tb", "[X]", "[X] a b"},
		{"unknown charset", " =?x-nope?q?a?=", "[СПАМ]", "[СПАМ] =?x-nope?q?a?="},
		{"charset changes", " =?UTF-8?B?0J8=?= =?koi8-r?q?=D2?=", "[СПАМ]", "[СПАМ] Пр"},
		{"there in KOI8-R", " =?koi8-r?b?W/Pw4e1d?= hello", "[СПАМ]", "[СПАМ] hello"},
		{"line end without white space", " a\nX-Evil: b", "[X]", "[X] a X-Evil: b"},
		{"empty lines", " a\n\n b\n", "[X]", "[X] a b"},
		{"begins with a fold", "\n a", "[X]", "[X] a"},
		{"long lines", " " + strings.Repeat("a", 1500) + strings.Repeat(" bbbbbb", 400), "[X]", "[X] " + strings.Repeat("a", 1500) + strings.Repeat(" bbbbbb", 400)},
		{"no space", "hello", "[X]", "[X] hello"},
		{"tag looks like a word", " hello", "=?x?=", "=?x?= hello"},
		{"tag with controls", " hello", "[a\r\nb]", "[a b] hello"},
		{"long tag", " hello", strings.Repeat("очень длинный ", 20), strings.TrimSpace(strings.Repeat("очень длинный ", 20)) + " hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, changed := TagSubject(tt.raw, []string{tt.tag}, "")
			if d := collapse(Decode(nil, got, "")); d != collapse(tt.want) {
				t.Errorf("decodes to %q, want %q (%q)", d, tt.want, got)
			}
			if changed == (got == tt.raw) {
				t.Errorf("changed = %v: %q", changed, got)
			}
			checkValue(t, "Subject", got)
			if again, changed := TagSubject(got, []string{tt.tag}, ""); changed {
				t.Errorf("tagged twice: %q", again)
			}
		})
	}
}

func TestTagKeepsOctets(t *testing.T) {
	for _, raw := range []string{
		" \xf0\xd2\xc9\xd7\xc5\xd4, KOI8-R as it came",
		" Привет, UTF-8 as it came",
		" =?UTF-8?B?0J/R?=\n\t=?utf-8?b?gNC40LLQtdGC?=  two  spaces",
		" " + strings.Repeat("a line longer than it should be ", 5) + "\n  and\tanother",
	} {
		for _, tag := range []string{"[SPAM?]", "[СПАМ?]"} {
			if got, _ := TagSubject(raw, []string{tag}, ""); !strings.HasSuffix(got, raw) {
				t.Errorf("%q does not end in %q", got, raw)
			}
		}
	}
	got, _ := TagSubject(" \xf0\xd2\xc9\xd7\xc5\xd4, KOI8-R as it came", []string{"[СПАМ]"}, "")
	if d := Decode(nil, got, "koi8-r"); strings.TrimSpace(d) != "[СПАМ] Привет, KOI8-R as it came" {
		t.Errorf("decodes to %q", d)
	}
}

// checkValue checks what a value that begins with octets of others must be: a
// line that cannot be folded stays as long as it came.
func checkValue(t *testing.T, name, value string) {
	t.Helper()
	for i, l := range strings.Split(value, "\n") {
		if i == 0 {
			l = name + ":" + l
		} else if strings.TrimLeft(l, " \t") == l {
			t.Errorf("line %d begins anew: %q", i, value)
		}
		pieces := strings.FieldsFunc(strings.TrimPrefix(l, name+":"), func(r rune) bool { return r == ' ' || r == '\t' })
		if words := len(pieces); len(l) > MostLine && words > 1 {
			t.Errorf("line %d has %d octets and %d words", i, len(l), words)
		}
	}
	if strings.ContainsAny(value, "\r\x00") {
		t.Errorf("control characters in %q", value)
	}
}

// Of several tags those are put before a Subject that do not stand there already.
func TestTags(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{" two", " [A] [B] two"}, {" [B] two", " [A] [B] two"}, {" [A] two", " [B] [A] two"}, {" [B] [A] two", " [B] [A] two"}, {" Re: [A] [B] two", " Re: [A] [B] two"},
		{" Re: [B] two", " [A] Re: [B] two"}, {" =?utf-8?q?=5BB=5D?= two", " [A] [B] two"},
	} {
		got, changed := TagSubject(tt.raw, []string{"[A]", "[B]"}, "")
		if d := Decode(nil, got, ""); collapse(d) != collapse(tt.want) || changed != (got != tt.raw) {
			t.Errorf("%q: %q, want %q", tt.raw, d, tt.want)
		}
		if again, changed := TagSubject(got, []string{"[A]", "[B]"}, ""); changed {
			t.Errorf("%q: once more it is %q", got, again)
		}
	}
	one, _ := TagSubject(" x", []string{"SPAM", "OUTSIDE"}, "")
	if again, changed := TagSubject(one, []string{"SPAM", "OUTSIDE"}, ""); changed || one != " SPAM OUTSIDE x" {
		t.Errorf("%q, once more %q", one, again)
	}
}

// checkTagging checks that a Subject reads as the tag, a space and what it read
// as before, and that a second tagging finds the tag.
func checkTagging(t *testing.T, raw, tag, charset string) {
	t.Helper()
	got, changed := TagSubject(raw, []string{tag}, "")
	if !changed {
		if got != raw {
			t.Errorf("%q is said not to change, but is %q", raw, got)
		}
		return
	}
	if d, want := collapse(Decode(nil, got, charset)), collapse(clean(tag)+" "+Decode(nil, raw, charset)); d != want {
		t.Errorf("%q with %q becomes\n%q, which decodes to\n%q, want\n%q", raw, tag, got, d, want)
	}
	if got[0] != ' ' {
		t.Errorf("%q does not begin with a space", got)
	}
	if again, changed := TagSubject(got, []string{tag}, ""); changed {
		t.Errorf("%q is tagged twice: %q", got, again)
	}
}

func FuzzTagSubject(f *testing.F) {
	f.Add(" hello", "[X]")
	f.Add(" =?UTF-8?B?0J/RgA==?= =?koi8-r?q?=F0?=", "[СПАМ]")
	f.Add("=?", "?=")
	f.Add(strings.Repeat("\xa4", 600)+"\f"+strings.Repeat("\xa4", 600), "\xf5")
	f.Add(" =?utf-8?q?a?= b\n c", "=?utf-8?q?x?=")
	f.Add(" =?utf-8?b?0J8=?=\nx \n\n \xf0\xd2", "[да]")
	f.Fuzz(func(t *testing.T, raw, tag string) {
		if strings.ContainsAny(raw, "\r\x00") {
			t.Skip("not what an MTA shows")
		}
		checkTagging(t, raw, tag, "koi8-r")
		if got, changed := TagSubject(raw, []string{tag}, ""); changed {
			checkValue(t, "Subject", got)
		}
	})
}

func BenchmarkTagSubject(b *testing.B) {
	for name, raw := range map[string]string{"plain": " an ordinary Subject", "words": " =?UTF-8?B?0J/RgNC40LLQtdGC?=", "there": " [SPAM?] an ordinary Subject"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				TagSubject(raw, []string{"[SPAM?]"}, "")
			}
		})
	}
}

// collapse has one space where a text has white space.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }
