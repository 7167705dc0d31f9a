package charset

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// base64Digits are those of RFC 4648 §4, in the order of their values.
const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// utf7 is the encoding of RFC 2152, which no index has any more. Old mailers
// wrote it, and some mail programs still show it, so rules have to see it.
type utf7 struct{}

func (utf7) NewDecoder() *encoding.Decoder {
	return &encoding.Decoder{Transformer: new(utf7Decoder)}
}

// NewEncoder writes nothing but UTF-8's replacement: we never write UTF-7.
func (utf7) NewEncoder() *encoding.Encoder { return encoding.Replacement.NewEncoder() }

// utf7Decoder goes octet by octet, so that its state is all there is to keep.
type utf7Decoder struct {
	shifted bool   // within +...-
	begun   bool   // something stood after the +
	bits    uint32 // what of base64 makes no UTF-16 unit yet
	have    int
	high    rune // the first half of a surrogate pair
}

func (d *utf7Decoder) Reset() { *d = utf7Decoder{} }

func (d *utf7Decoder) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for ; nSrc < len(src); nSrc++ {
		if len(dst)-nDst < 2*utf8.UTFMax { // an octet can end a lone half and stand for itself
			return nDst, nSrc, transform.ErrShortDst
		}
		out := d.octet(dst[:nDst], src[nSrc])
		nDst = len(out)
	}
	return nDst, nSrc, nil
}

func (d *utf7Decoder) octet(dst []byte, c byte) []byte {
	if !d.shifted {
		switch {
		case c == '+':
			d.shifted, d.begun = true, false
			return dst
		case c >= utf8.RuneSelf: // RFC 2152: octets above are not allowed
			return utf8.AppendRune(dst, utf8.RuneError)
		}
		return append(dst, c)
	}
	if v := strings.IndexByte(base64Digits, c); v >= 0 {
		d.begun = true
		d.bits = d.bits<<6 | uint32(v)
		if d.have += 6; d.have >= 16 {
			d.have -= 16
			return d.unit(dst, rune(d.bits>>d.have&0xffff))
		}
		return dst
	}
	begun := d.begun
	if d.high != 0 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	d.Reset()
	switch {
	case c != '-':
		return d.octet(dst, c)
	case !begun: // "+-" is a plus sign
		return append(dst, '+')
	}
	return dst
}

// unit takes a unit of UTF-16.
func (d *utf7Decoder) unit(dst []byte, r rune) []byte {
	switch {
	case d.high != 0:
		pair := utf16.DecodeRune(d.high, r)
		d.high = 0
		if pair != utf8.RuneError {
			return utf8.AppendRune(dst, pair)
		}
		return d.unit(utf8.AppendRune(dst, utf8.RuneError), r)
	case r >= 0xd800 && r < 0xdc00:
		d.high = r
		return dst
	}
	return utf8.AppendRune(dst, r)
}
