// Package charset reads octets in the encodings that mail has, by the names
// that mail gives them, and guesses where it gives none. It is pure.
package charset

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Auto is, in place of a charset's name, a guess.
const Auto = "auto"

// maxLabel bounds a charset's name; longer ones are none.
const maxLabel = 80

// Charset is how octets are read. The zero Charset is UTF-8.
type Charset struct {
	encoding encoding.Encoding
	name     string
}

// Find finds a charset by a label of the WHATWG or of IANA, or by one that mail
// has besides. It is not found for labels that say nothing, as unknown-8bit
// (RFC 1428 §3) and us-ascii do of octets above 127.
func Find(label string) (c Charset, ok bool) {
	if isUTF8(label) {
		return Charset{}, true
	}
	label, _, _ = strings.Cut(strings.TrimSpace(label), "*") // RFC 2231 §5: a language may follow
	if label == "" || len(label) > maxLabel {
		return Charset{}, false
	}
	label = trimLabel(strings.ToLower(label))
	key := spelling.Replace(label)
	switch key {
	case "utf8", "utf8mb4", "utf8mb3", "unicode11utf8", "xutf8", "utf":
		return Charset{}, true
	}
	if SaysNothing(label) && !isASCII(key) {
		return Charset{}, false
	}
	if e := unlisted(key); e != nil {
		return Charset{e, key}, true
	}
	if e, err := htmlindex.Get(label); err == nil {
		switch name, err := htmlindex.Name(e); {
		case err == nil && name == "utf-8":
			return Charset{}, true
		case err == nil && name == "gbk":
			// GB 18030 is a superset, and what is called by the older names has
			// its characters.
			return Charset{simplifiedchinese.GB18030, "gb18030"}, true
		case err == nil && name != "replacement":
			return Charset{e, name}, true
		}
		// The WHATWG replaces encodings that are dangerous in a web page.
	}
	if e, err := ianaindex.MIME.Encoding(label); err == nil && e != nil {
		return Charset{e, key}, true
	}
	// Spelled as nobody registered it.
	for _, prefix := range []string{"", "x", "charset"} {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok || rest == "" {
			continue
		}
		if e := unlisted(rest); e != nil {
			return Charset{e, rest}, true
		}
		if digits := strings.TrimPrefix(rest, "cp"); digits != rest && digits != "" && strings.Trim(digits, "0123456789") == "" {
			rest = "windows-" + digits
		}
		if e, err := htmlindex.Get(rest); err == nil {
			if name, err := htmlindex.Name(e); err == nil && name != "replacement" && name != "utf-8" {
				return Charset{e, name}, true
			}
		}
	}
	return Charset{}, false
}

// isUTF8 knows the label of nearly all mail.
func isUTF8(label string) bool { return label == "utf-8" || label == "UTF-8" }

// trimLabel takes off what stands around a name where a sender put a whole
// parameter in its place.
func trimLabel(label string) string {
	return strings.Trim(strings.TrimPrefix(label, "charset="), " \t;,'\"")
}

// spelling takes out what senders put between the parts of a name.
var spelling = strings.NewReplacer("-", "", "_", "", " ", "", ".", "", ":", "")

// unlisted finds what mail is labelled with though no index has it, or not for
// what mail means by it.
func unlisted(key string) encoding.Encoding {
	switch key {
	case "utf7", "unicode11utf7", "csunicode11utf7", "unicode20utf7", "cp65000":
		return utf7{}
	case "utf16", "utf16be", "ucs2", "ucs2be", "iso10646ucs2", "csucs2", "csutf16", "csutf16be", "cp1201", "unicodefffe", "unicodebig":
		return wide{2, false} // RFC 2781 §4.3: big-endian where nothing says
	case "utf16le", "ucs2le", "csutf16le", "csunicode", "unicode", "unicodefeff", "unicodelittle", "cp1200":
		return wide{2, true}
	case "utf32", "utf32be", "ucs4", "ucs4be", "iso10646ucs4", "csucs4", "csutf32", "csutf32be", "cp12001":
		return wide{4, false}
	case "utf32le", "ucs4le", "csutf32le", "cp12000":
		return wide{4, true}
	case "hzgb2312", "hz", "hzgb", "xhz", "cp52936":
		return simplifiedchinese.HZGB2312
	case "iso2022kr", "csiso2022kr", "cp50225":
		return shifted{korean.EUCKR}
	case "iso2022cn", "iso2022cnext", "cp50227":
		return shifted{simplifiedchinese.GBK}
	case "iso2022jp", "csiso2022jp", "csiso2022jp2", "jis", "iso2022jp1", "iso2022jp2", "iso2022jp3", "iso2022jp2004", "iso2022jpms", "cp50220", "cp50221", "cp50222":
		return japanese7{}
	case "cp932", "ms932", "windows932", "sjis", "shiftjis":
		return japanese.ShiftJIS
	case "eucjp", "euc", "ujis", "cp51932", "cseucpkdfmtjapanese", "ms51932":
		return japanese.EUCJP
	case "cp949", "ms949", "uhc", "ksc5601", "windows949", "euckr", "cp51949":
		return korean.EUCKR
	case "cp950", "ms950", "windows950":
		return traditionalchinese.Big5
	case "gb2312", "gbk", "gb18030", "cp936", "ms936", "windows936", "euccn", "xgbk", "gb231280", "cngb", "cp54936", "gb180302000", "gb180302005", "gb180302022":
		return simplifiedchinese.GB18030
	case "koi8r", "koi8", "cskoi8r":
		return charmap.KOI8R
	case "koi8u", "koi8ru":
		return charmap.KOI8U
	case "cp1251", "win1251", "windows1251", "ansi1251", "xcp1251":
		return charmap.Windows1251
	case "cp866", "ibm866", "dos866", "oem866":
		return charmap.CodePage866
	case "cp037", "ibm037", "cp500", "ibm500", "ebcdiccpus", "ebcdiccpbe", "ebcdiccpch", "cp273", "ibm273", "cp277", "ibm277", "cp280", "ibm280", "cp284", "ibm284", "cp285", "ibm285", "cp297", "ibm297":
		return charmap.CodePage037 // letters are the same in all of them
	case "cp874", "windows874":
		return charmap.Windows874
	}
	return nil
}

// Useful tells whether a label says how octets are to be read that are not
// UTF-8, in a header.
func Useful(label string) bool {
	c, ok := Find(label)
	return ok && c.encoding != nil && !SaysNothing(label) && c.KeepsASCII()
}

// Decode reads octets, and charges them, or what they become where that is more. What
// cannot be read becomes U+FFFD.
func (c Charset) Decode(b *budget.Budget, octets string) string {
	_ = b.Charge(len(octets)) // the caller looks at the budget before it believes anything
	s := c.decode(octets)
	_ = b.Charge(max(0, len(s)-len(octets)))
	return s
}

func (c Charset) decode(octets string) string {
	if c.encoding == nil {
		return valid(octets)
	}
	if set, ok := c.encoding.(whole); ok {
		return set.read(octets)
	}
	s, err := c.encoding.NewDecoder().String(octets)
	if err != nil {
		return valid(octets)
	}
	return s
}

// whole is what is read as a whole. Package transform would begin anew with each size
// of a buffer that it tries: eleven times for 256 KiB.
type whole interface {
	read(octets string) string
}

// Stateful tells whether octets mean something else after others: a word in
// such a charset begins anew (RFC 1468, RFC 1557, RFC 1843, RFC 2152).
func (c Charset) Stateful() bool {
	switch c.encoding {
	case nil:
		return false
	case japanese7{}, simplifiedchinese.HZGB2312, utf7{}, shifted{korean.EUCKR}, shifted{simplifiedchinese.GBK}:
		return true
	}
	return false
}

// IsUTF8 tells of UTF-8.
func (c Charset) IsUTF8() bool { return c.encoding == nil }

// Wide tells whether each unit of a text is several octets, also of ASCII.
func (c Charset) Wide() bool {
	_, ok := c.encoding.(wide)
	return ok
}

// KeepsASCII tells whether the charset of a body can be that of a header. Were
// a header read in UTF-16 or EBCDIC because its body says so, one odd octet
// would hide all of its words from the rules, and from no mail program.
func (c Charset) KeepsASCII() bool {
	const printable = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
	return c.encoding == nil || c.decode(printable) == printable
}

// SaysNothing tells whether a label, though it is one, says nothing of octets
// above 127: those of US-ASCII, and unknown-8bit (RFC 1428 §3) with what else is
// written for it.
func SaysNothing(label string) bool {
	if isUTF8(label) {
		return false
	}
	label, _, _ = strings.Cut(strings.TrimSpace(label), "*")
	switch key := spelling.Replace(trimLabel(strings.ToLower(label))); key {
	case "unknown8bit", "unknown", "xunknown", "8bit", "7bit", "binary", "default", "defaultcharset", "null", "(null)", "none":
		return true
	default:
		return isASCII(key)
	}
}

func isASCII(key string) bool {
	switch key {
	case "usascii", "ascii", "ansix341968", "ansix341986", "iso646us", "us", "iso646irv1991", "isoir6", "ibm367", "cp367", "csascii":
		return true
	}
	return false
}

// Raw reads octets that nothing labels, and charges what it looks at: UTF-8 (RFC 6532) when they are, but for
// single octets; else in the first of the fallbacks that is known; else as
// detect guesses; else as windows-1252, which has a character for nearly every
// octet.
func Raw(b *budget.Budget, s string, fallbacks ...string) string {
	_ = b.Charge(1 + len(s))
	if utf8.ValidString(s) && strings.IndexByte(s, 0x1b) < 0 {
		return s
	}
	if c, ok := sevenBit(s); ok {
		return c.Decode(b, s)
	}
	if MostlyUTF8(s) {
		return valid(s)
	}
	for _, label := range fallbacks {
		if label == Auto {
			break
		}
		if Useful(label) {
			c, _ := Find(label)
			return c.Decode(b, s)
		}
	}
	if c, ok := detect(b, s); ok {
		return c.Decode(b, s)
	}
	return Charset{encoding: charmap.Windows1252}.Decode(b, s)
}

// MostlyUTF8 tells whether octets are UTF-8 in which some went wrong: there are
// no more of those than of characters. Text in another charset has few octets
// that make a character by chance.
func MostlyUTF8(s string) bool {
	good, bad := 0, 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		i += n
	}
	return good > 0 && bad <= good
}

// valid is a text with U+FFFD for octets that are no UTF-8. Most texts have none.
func valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
