package charset

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// japanese7 is ISO-2022-JP (RFC 1468) with what its extensions add (RFC 1554,
// RFC 2237): sets of Chinese and Korean, and longer spellings of its own.
type japanese7 struct{}

// NewDecoder reads a whole text, set by set.
func (japanese7) NewDecoder() *encoding.Decoder {
	return &encoding.Decoder{Transformer: japanese7Decoder{}}
}

// NewEncoder writes nothing but UTF-8's replacement: we never write this.
func (japanese7) NewEncoder() *encoding.Encoder { return encoding.Replacement.NewEncoder() }

type japanese7Decoder struct{}

func (japanese7Decoder) Reset() {}

func (japanese7Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if !atEOF {
		return 0, 0, transform.ErrShortSrc
	}
	s := japanese7{}.read(string(src))
	if len(s) > len(dst) {
		return 0, 0, transform.ErrShortDst
	}
	return copy(dst, s), len(src), nil
}

// spelled are the other spellings of sets that the decoder of ISO-2022-JP has,
// and the later editions of one.
var spelled = strings.NewReplacer("\x1b$(B", "\x1b$B", "\x1b$(@", "\x1b$@", "\x1b$(O", "\x1b$B", "\x1b$(Q", "\x1b$B", "\x1b(H", "\x1b(J")

func (japanese7) read(s string) string {
	s = spelled.Replace(s)
	var b strings.Builder
	b.Grow(len(s))
	for s != "" {
		var set encoding.Encoding
		begin := ""
		switch {
		case strings.HasPrefix(s, "\x1b$A"):
			set, begin = simplifiedchinese.GB18030, "\x1b$A"
		case strings.HasPrefix(s, "\x1b$(C"):
			set, begin = korean.EUCKR, "\x1b$(C"
		}
		s = s[len(begin):]
		var end int
		if set != nil {
			if end = strings.IndexByte(s, 0x1b); end < 0 {
				end = len(s)
			}
			b.WriteString(highSet(set, s[:end]))
		} else {
			end = otherSet(s)
			text, err := japanese.ISO2022JP.NewDecoder().String(s[:end])
			if err != nil {
				text = strings.ToValidUTF8(s[:end], "\uFFFD")
			}
			b.WriteString(text)
		}
		s = s[end:]
	}
	return b.String()
}

// otherSet is where a set begins that the decoder of ISO-2022-JP does not have, else
// the length of the text.
func otherSet(s string) int {
	for at := 0; ; at++ {
		i := strings.IndexByte(s[at:], 0x1b)
		if i < 0 {
			return len(s)
		}
		if at += i; strings.HasPrefix(s[at:], "\x1b$A") || strings.HasPrefix(s[at:], "\x1b$(C") {
			return at
		}
	}
}

// highSet reads characters that a set has with the high bits set.
func highSet(set encoding.Encoding, s string) string {
	octets := []byte(s)
	for i, c := range octets {
		if c > ' ' && c < 0x7f {
			octets[i] = c | 0x80
		}
	}
	text, err := set.NewDecoder().Bytes(octets)
	if err != nil {
		return "\uFFFD"
	}
	return string(text)
}

// sevenBit tells raw text of RFC 1468, RFC 1557 or RFC 1922: seven bits, and a
// set that it designates.
func sevenBit(s string) (Charset, bool) {
	if strings.IndexByte(s, 0x1b) < 0 {
		return Charset{}, false
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return Charset{}, false
		}
	}
	for _, set := range []struct {
		begin string
		encoding.Encoding
	}{
		{"\x1b$B", japanese7{}}, {"\x1b$@", japanese7{}}, {"\x1b(J", japanese7{}}, {"\x1b$(", japanese7{}}, {"\x1b(I", japanese7{}}, {"\x1b$)C", shifted{korean.EUCKR}},
		{"\x1b$)A", shifted{simplifiedchinese.GBK}}, {"\x1b$A", japanese7{}},
	} {
		if strings.Contains(s, set.begin) {
			return Charset{encoding: set.Encoding}, true
		}
	}
	return Charset{}, false
}

// Open tells whether octets in a charset with states end in one that a next word
// would go on in, were it read without beginning anew.
func (c Charset) Open(octets string) bool {
	last := func(begin, end string) bool {
		return strings.LastIndex(octets, begin) > strings.LastIndex(octets, end)
	}
	switch c.encoding {
	case japanese7{}:
		i := strings.LastIndexByte(octets, 0x1b)
		return i >= 0 && !strings.HasPrefix(octets[i:], "\x1b(B") && !strings.HasPrefix(octets[i:], "\x1b(J")
	case simplifiedchinese.HZGB2312:
		return last("~{", "~}") || strings.HasSuffix(octets, "~")
	case shifted{korean.EUCKR}, shifted{simplifiedchinese.GBK}:
		i := strings.LastIndexByte(octets, 0x1b)
		return last("\x0e", "\x0f") || i >= 0 && len(octets)-i < len("\x1b$)C")
	case utf7{}:
		return last("+", "-")
	}
	return false
}

// HZ reads raw text of RFC 1843 that nothing labels; ok is false of others.
func HZ(s string) (c Charset, ok bool) {
	if strings.IndexByte(s, '~') < 0 {
		return Charset{}, false
	}
	begin := strings.Index(s, "~{")
	if begin < 0 || !strings.Contains(s[begin:], "~}") {
		return Charset{}, false
	}
	return Charset{simplifiedchinese.HZGB2312, "hz-gb-2312"}, true
}
