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
	return &encoding.Decoder{Transformer: &shiftedDecoder{set: s.set.NewDecoder()}}
}

// NewEncoder writes nothing but UTF-8's replacement: we never write these.
func (shifted) NewEncoder() *encoding.Encoder { return encoding.Replacement.NewEncoder() }

// shiftedDecoder goes character by character.
type shiftedDecoder struct {
	set *encoding.Decoder
	out bool // between SO and SI

	// Room for a character; a decoder of its own for each costs a hundred times more.
	octets [2]byte
	text   [4 * utf8.UTFMax]byte
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
			d.octets = [2]byte{c | 0x80, src[nSrc+1] | 0x80}
			d.set.Reset()
			if n, _, err := d.set.Transform(d.text[:], d.octets[:], true); err == nil && n <= utf8.UTFMax {
				nDst += copy(dst[nDst:], d.text[:n])
			} else {
				nDst += copy(dst[nDst:], "\uFFFD")
			}
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
