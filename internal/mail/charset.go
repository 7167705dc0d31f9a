package mail

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
)

// charset finds an encoding by a label of the WHATWG or of IANA, or by one
// that mail has besides; nil for UTF-8, ok is false for one that nobody knows.
func charset(label string) (e encoding.Encoding, ok bool) {
	label, _, _ = strings.Cut(strings.TrimSpace(label), "*") // RFC 2231 §5: a language may follow
	switch {
	case label == "":
		return nil, false
	case strings.EqualFold(label, "utf-8"), strings.EqualFold(label, "utf8"):
		return nil, true
	}
	if e, err := htmlindex.Get(label); err == nil {
		switch name, err := htmlindex.Name(e); {
		case err == nil && name == "utf-8":
			return nil, true
		case err != nil || name != "replacement":
			return e, true
		}
		// The WHATWG replaces encodings that are dangerous in a web page.
	}
	if e, err := ianaindex.MIME.Encoding(label); err == nil && e != nil {
		return e, true
	}
	return unlisted(strings.ToLower(label))
}

// unlisted finds what mail is labelled with though no index has it: code pages
// by their bare number, and encodings that the indexes gave up.
func unlisted(label string) (encoding.Encoding, bool) {
	switch label {
	case "utf-7", "utf7", "unicode-1-1-utf-7", "csunicode11utf7":
		return utf7{}, true
	case "hz-gb-2312", "hz":
		return simplifiedchinese.HZGB2312, true
	case "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms", "cp50220", "cp50221":
		return japanese.ISO2022JP, true
	case "cp932":
		return japanese.ShiftJIS, true
	case "cp949", "ms949", "uhc", "ks_c_5601":
		return korean.EUCKR, true
	case "cp950", "ms950":
		return traditionalchinese.Big5, true
	case "koi8r":
		return charmap.KOI8R, true
	case "koi8u":
		return charmap.KOI8U, true
	case "win-1251", "win1251":
		return charmap.Windows1251, true
	case "cp874":
		return charmap.Windows874, true
	}
	return nil, false
}

// convert reads octets in a charset. What cannot be read becomes U+FFFD.
func convert(e encoding.Encoding, octets string) string {
	if e == nil {
		return strings.ToValidUTF8(octets, "\uFFFD")
	}
	s, err := e.NewDecoder().String(octets)
	if err != nil {
		return strings.ToValidUTF8(octets, "\uFFFD")
	}
	return s
}

// readRaw reads octets that no encoded-word declares: UTF-8 (RFC 6532) when
// they are valid, else the fallback charset, else windows-1252, which has a
// character for nearly every octet.
func readRaw(s, fallback string) string {
	if utf8.ValidString(s) {
		return s
	}
	if e, ok := charset(fallback); ok && e != nil && keepsASCII(e) {
		return convert(e, s)
	}
	return convert(charmap.Windows1252, s)
}

// keepsASCII tells whether the charset of a body can be that of a header. Were
// a header read in UTF-16 or EBCDIC because its body says so, one odd octet
// would hide all of its words from the rules, and from no mail program.
func keepsASCII(e encoding.Encoding) bool {
	const printable = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
	return convert(e, printable) == printable
}
