package mail

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
		{"no space", "hello", "[X]", "[X] hello"},
		{"tag looks like a word", " hello", "=?x?=", "=?x?= hello"},
		{"tag with controls", " hello", "[a\r\nb]", "[a b] hello"},
		{"long tag", " hello", strings.Repeat("очень длинный ", 20), strings.TrimSpace(strings.Repeat("очень длинный ", 20)) + " hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, changed := TagSubject(tt.raw, tt.tag)
			if d := collapse(Decode(got, "")); d != collapse(tt.want) {
				t.Errorf("decodes to %q, want %q (%q)", d, tt.want, got)
			}
			if changed == (got == tt.raw) {
				t.Errorf("changed = %v: %q", changed, got)
			}
			checkValue(t, "Subject", got)
			if again, changed := TagSubject(got, tt.tag); changed {
				t.Errorf("tagged twice: %q", again)
			}
		})
	}
}

func TestTagKeepsOctets(t *testing.T) {
	raw := " \xf0\xd2\xc9\xd7\xc5\xd4, KOI8-R as it came"
	got, _ := TagSubject(raw, "[СПАМ]")
	if !strings.HasSuffix(got, raw) {
		t.Errorf("%q does not end in %q", got, raw)
	}
	if d := Decode(got, "koi8-r"); strings.TrimSpace(d) != "[СПАМ] Привет, KOI8-R as it came" {
		t.Errorf("decodes to %q", d)
	}
}

// checkValue checks what every value of ours must be.
func checkValue(t *testing.T, name, value string) {
	t.Helper()
	if value != "" && value[0] != ' ' && value[0] != '\t' && value[0] != '\n' {
		return // as it came
	}
	for i, l := range strings.Split(value, "\n") {
		if i == 0 {
			l = name + ":" + l
		} else if strings.TrimLeft(l, " \t") == l {
			t.Errorf("line %d begins anew: %q", i, value)
		}
		if len(l) > mostLine && strings.ContainsAny(strings.TrimSpace(l[len(name)+1:]), " ") {
			t.Errorf("line %d has %d octets", i, len(l))
		}
	}
	if strings.ContainsAny(value, "\r\x00") {
		t.Errorf("control characters in %q", value)
	}
}

func TestCorpusTags(t *testing.T) {
	corpus(t, func(t *testing.T, _ *truth, message []byte) {
		h, _ := SplitMessage(message)
		raw, _ := h.Get("Subject")
		raw = strings.ReplaceAll(raw, "\x00", "")
		charset := h.FallbackCharset()
		for _, tag := range []string{"[SPAM?]", "[СПАМ?]"} {
			got, _ := TagSubject(raw, tag)
			if d, want := collapse(Decode(got, charset)), collapse(tag+" "+Decode(raw, charset)); d != want {
				t.Errorf("%q decodes to\n%q, want\n%q", got, d, want)
			}
			if _, changed := TagSubject(got, tag); changed {
				t.Errorf("%q is tagged twice", got)
			}
		}
	})
}

func FuzzTagSubject(f *testing.F) {
	f.Add(" hello", "[X]")
	f.Add(" =?UTF-8?B?0J/RgA==?= =?koi8-r?q?=F0?=", "[СПАМ]")
	f.Add("=?", "?=")
	f.Add(" =?utf-8?q?a?= b\n c", "=?utf-8?q?x?=")
	f.Fuzz(func(t *testing.T, raw, tag string) {
		if strings.ContainsAny(raw, "\r\x00") {
			t.Skip("not what an MTA shows")
		}
		got, changed := TagSubject(raw, tag)
		tag = strings.TrimSpace(printable(strings.ToValidUTF8(unfold(tag), "\uFFFD")))
		if !changed {
			return
		}
		if d := collapse(Decode(got, "koi8-r")); !strings.HasPrefix(d, collapse(tag)) {
			t.Errorf("%q decodes to %q, which does not begin with %q", got, d, tag)
		}
		if _, changed := TagSubject(got, tag); changed {
			t.Errorf("%q is tagged twice", got)
		}
	})
}
