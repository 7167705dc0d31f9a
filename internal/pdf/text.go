package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// text takes the name of a file where one is due; any other text is read on as what it
// may be to others.
func (s *scan) text(begin byte) error {
	due := s.due
	s.due = false
	if !due || len(s.names) >= s.Names {
		return nil
	}
	const longest = 4 << 10
	ahead, err := s.in.Peek(longest)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("pdf: %w", err)
	}
	if err := s.Charge(1 + len(ahead)/64); err != nil {
		return err
	}
	var name []byte
	if begin == '(' {
		name = literal(ahead)
	} else {
		name = digits(ahead)
	}
	if len(name) > 0 {
		s.names = append(s.names, characters(name))
	}
	return nil
}

// literal is a text up to its bracket (ISO 32000-1 §7.3.4.2).
func literal(b []byte) (text []byte) {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '(':
			depth++
			text = append(text, c)
		case c == ')':
			if depth--; depth < 0 {
				return text
			}
			text = append(text, c)
		case c == '\\' && i+1 < len(b):
			i++
			switch c := b[i]; {
			case '0' <= c && c <= '7':
				n := 0
				for j := 0; j < 3 && i < len(b) && '0' <= b[i] && b[i] <= '7'; j++ {
					n = n<<3 | int(b[i]-'0')
					i++
				}
				i--
				text = append(text, byte(n))
			case c == '\r' || c == '\n': // it goes on in the next line
				if c == '\r' && i+1 < len(b) && b[i+1] == '\n' {
					i++
				}
			default:
				if at := strings.IndexByte("nrtbf", c); at >= 0 {
					c = "\n\r\t\b\f"[at]
				}
				text = append(text, c)
			}
		default:
			text = append(text, c)
		}
	}
	return text
}

// digits is a text in hexadecimal digits up to its bracket (§7.3.4.3); nil where it is
// none.
func digits(b []byte) (text []byte) {
	high := -1
	for _, c := range b {
		n := digitOf(c)
		switch {
		case c == '>':
			if high >= 0 {
				text = append(text, byte(high<<4))
			}
			return text
		case isSpace(c):
		case n < 0:
			return nil
		case high < 0:
			high = n
		default:
			text = append(text, byte(high<<4|n))
			high = -1
		}
	}
	return nil
}

// characters are those of a text that says that it is in UTF-16 or UTF-8 (§7.9.2.2);
// octets otherwise.
func characters(b []byte) string {
	wide, ok := bytes.CutPrefix(b, []byte("\xfe\xff"))
	if !ok {
		return string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	}
	units := make([]uint16, 0, len(wide)/2)
	for ; len(wide) >= 2; wide = wide[2:] {
		units = append(units, uint16(wide[0])<<8|uint16(wide[1]))
	}
	return string(utf16.Decode(units))
}
