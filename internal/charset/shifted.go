package charset

import (
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// shifted is ISO-2022-KR (RFC 1557) or ISO-2022-CN (RFC 1922), which no index
// has any more: SO begins characters of two octets, SI ends them. set has the
// same characters with the high bits set.
type shifted struct{ set encoding.Encoding }

func (s shifted) NewDecoder() *encoding.Decoder {
	return &encoding.Decoder{Transformer: &shiftedDecoder{set: s.set}}
}

// NewEncoder writes nothing but UTF-8's replacement: we never write these.
func (shifted) NewEncoder() *encoding.Encoder { return encoding.Replacement.NewEncoder() }

// shiftedDecoder goes character by character.
type shiftedDecoder struct {
	set encoding.Encoding
	out bool // between SO and SI
}

func (d *shiftedDecoder) Reset() { d.out = false }

func (d *shiftedDecoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	const so, si, esc = 0x0e, 0x0f, 0x1b
	for nSrc < len(src) {
		if len(dst)-nDst < utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		c := src[nSrc]
		switch {
		case c == so:
			d.out = true
		case c == si:
			d.out = false
		case c == '\n': // RFC 1557: a line begins in ASCII
			d.out = false
			dst[nDst] = c
			nDst++
		case c == esc:
			// ESC $ ) C says which characters follow an SO.
			n := len("\x1b$)C")
			if len(src)-nSrc < n && !atEOF {
				return nDst, nSrc, transform.ErrShortSrc
			}
			nSrc += min(n, len(src)-nSrc)
			continue
		case d.out && c > ' ' && c < 0x7f:
			if len(src)-nSrc < 2 {
				if !atEOF {
					return nDst, nSrc, transform.ErrShortSrc
				}
				nDst += copy(dst[nDst:], "\uFFFD")
				break
			}
			pair, err := d.set.NewDecoder().Bytes([]byte{c | 0x80, src[nSrc+1] | 0x80})
			if err != nil || len(pair) > utf8.UTFMax {
				pair = []byte("\uFFFD")
			}
			nDst += copy(dst[nDst:], pair)
			nSrc++
		case c >= utf8.RuneSelf:
			nDst += copy(dst[nDst:], "\uFFFD")
		default:
			dst[nDst] = c
			nDst++
		}
		nSrc++
	}
	return nDst, nSrc, nil
}
