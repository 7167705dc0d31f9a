package mail

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

// beginsFile tells whether a line begins an uuencoded file within a text:
// "begin 644 name", or "begin-base64 644 name".
func beginsFile(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("begin"))
	if !ok {
		return false
	}
	rest, _ = bytes.CutPrefix(rest, []byte("-base64"))
	fields := bytes.SplitN(rest, []byte(" "), 3)
	if len(fields) < 3 || len(fields[0]) > 0 || len(fields[1]) < 3 || len(fields[1]) > 4 {
		return false
	}
	for _, c := range fields[1] {
		if c < '0' || c > '7' {
			return false
		}
	}
	return len(bytes.TrimSpace(fields[2])) > 0
}

// uuFile reads a file within a text, after its first line.
type uuFile struct {
	s    *source
	base bool // in base64
	out  []byte
	end  bool
	bits base64Reader
}

// fileFrom is the name and the content of a file that such a line begins, or one of
// yEnc.
func fileFrom(s *source, begin string) (name string, content io.Reader) {
	if strings.HasPrefix(begin, yBegin) {
		return nameOfY([]byte(begin)), &yFile{s: s}
	}
	word, rest, _ := strings.Cut(begin, " ")
	_, name, _ = strings.Cut(rest, " ")
	return name, &uuFile{s: s, base: word == "begin-base64"}
}

// firstFile is the first file in a text: what is encoded in this way, and more than a
// text, begins there.
type firstFile struct {
	text *body
	file io.Reader
}

func (f *firstFile) Read(p []byte) (int, error) {
	if f.file == nil {
		if _, err := io.Copy(io.Discard, f.text); err != nil {
			return 0, err
		}
		if f.text.begin == "" {
			return 0, io.EOF
		}
		_, f.file = fileFrom(f.text.s, f.text.begin)
	}
	return f.file.Read(p)
}

func (u *uuFile) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.end {
			return 0, io.EOF
		}
		if err := u.line(); err != nil {
			return 0, err
		}
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// line decodes a line. The file ends with the line "end", or before the first
// one that cannot belong to it.
func (u *uuFile) line() error {
	piece, _, err := u.s.next()
	if err != nil {
		return err
	}
	line := bytes.TrimRight(piece, "\r\n")
	switch {
	case string(line) == "end", u.base && string(line) == "====":
		u.end = true
		return nil
	case u.base && inBase64(line):
		u.bits.r, u.bits.err = bytes.NewReader(line), nil
		u.out, err = io.ReadAll(&u.bits)
		return err
	case !u.base:
		octets, ok := decodeUU(line)
		if ok {
			u.out = octets
			return nil
		}
	}
	u.end = true
	u.s.back(piece) // it begins a line: of a long one already the beginning is too long
	return nil
}

// inBase64 tells whether a line can be one of a file in base64.
func inBase64(line []byte) bool {
	line = bytes.TrimRight(line, " \t")
	return len(line) <= fieldtext.MostLine && !slices.ContainsFunc(line, func(c byte) bool { return digits[c] > 64 })
}

// decodeUU decodes a line: how many octets, then four characters for three of
// them. What lacks at its end is no content.
func decodeUU(line []byte) ([]byte, bool) {
	if len(line) == 0 {
		return nil, true
	}
	const most = 45*4/3 + 4
	if line[0] < ' ' || line[0] > '`' || len(line) > most+1 {
		return nil, false
	}
	n := int(line[0]-' ') & 0x3f
	line = line[1:]
	if want := (n + 2) / 3 * 4; len(line) > want+2 {
		return nil, false
	}
	n = min(n, len(line)*3/4)
	out := make([]byte, 0, n+2)
	for i := 0; len(out) < n; i += 4 {
		var bits uint32
		for j := i; j < i+4; j++ {
			bits <<= 6
			if j < len(line) {
				if line[j] < ' ' || line[j] > '`' {
					return nil, false
				}
				bits |= uint32(line[j]-' ') & 0x3f
			}
		}
		out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
	}
	return out[:n], true
}
