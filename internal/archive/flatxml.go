package archive

import (
	"errors"
	"io"

	"github.com/tollgate-mail/tollgate/internal/officexml"
)

// found tells what the XML of an office document says.
func (l *listing) found(f officexml.Found) {
	if f.Macros {
		l.Sign(Macro)
	}
	if f.Remote {
		l.Sign(Remote)
	}
}

// flatXML looks into an office document that is one text.
func (l *listing) flatXML(r io.Reader) error {
	const window = 32 << 10
	b := make([]byte, window)
	for kept := 0; ; {
		n, err := io.ReadFull(r, b[kept:])
		if charged := l.Budget.Octets(n); charged != nil {
			return charged
		}
		l.found(officexml.Flat(b[:kept+n]))
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		again, lost := officexml.Again(b)
		if lost {
			l.Sign(Damaged)
		}
		kept = copy(b, b[len(b)-again:])
	}
}

// activeMIME is what pages of Word keep their macros in.
func (l *listing) activeMIME(io.Reader) error {
	l.Sign(Macro)
	return nil
}
