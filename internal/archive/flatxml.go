package archive

import (
	"bytes"
	"errors"
	"io"
	"regexp"
)

// isFlatXML tells an office document that is one text of XML.
func isFlatXML(head []byte) bool {
	head = bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n")
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return false
	}
	for _, word := range []string{"<?mso-application", ":wordDocument", "<pkg:package", "urn:schemas-microsoft-com:office:spreadsheet"} {
		if bytes.Contains(head, []byte(word)) {
			return true
		}
	}
	return false
}

// macrosIn finds the macros of such a document.
var macrosIn = regexp.MustCompile(`macrosPresent\s*=\s*["']yes|(?i:vbaProject\.bin|editdata\.mso)`)

// flatXML looks for macros.
func (l *listing) flatXML(r io.Reader) error {
	const window, overlap = 32 << 10, 256
	b := make([]byte, window)
	for kept := 0; ; {
		n, err := io.ReadFull(r, b[kept:])
		if charged := l.Budget.Octets(n); charged != nil {
			return charged
		}
		if macrosIn.Match(b[:kept+n]) {
			l.Sign(Macro)
			return nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		kept = copy(b, b[kept+n-overlap:kept+n])
	}
}

// activeMIME is what pages of Word keep their macros in.
func (l *listing) activeMIME(io.Reader) error {
	l.Sign(Macro)
	return nil
}
