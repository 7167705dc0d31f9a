package archive

import (
	"bytes"
	"errors"
	"io"

	"github.com/tollgate-mail/tollgate/internal/pdf"
)

// Claim is what something that does not begin like an archive is called.
type Claim uint8

// The claims.
const (
	NoArchive  Claim = iota
	MaybeZip         // programs look for a zip by its end, wherever it begins
	AnArchive        // it should be one
	ZipArchive       // both
)

// within is how far into something programs look for the beginning of an
// archive: what unpacks itself has a program before it.
const within = 1 << 20

const sigRar = "Rar!\x1a\x07"

// beginnings are those of archives that programs look for.
func beginnings() map[Kind]string {
	return map[Kind]string{Rar: sigRar, SevenZip: sig7z, Zip: sigLocal}
}

// Search lists archives that stand behind other octets. The errors are those
// of List; without any archive it is ErrUnreadable, unless the name claims
// none.
func (l *Lister) Search(name string, claim Claim, r io.Reader) error {
	one := l.listing(name, r)
	return one.result(one.search(claim, one.source))
}

// PDF lists what is in a document of PDF, and archives that stand in the same file. The
// errors are those of Search.
func (l *Lister) PDF(name string, claim Claim, r io.Reader) error {
	one := l.listing(name, r)
	return one.result(one.pdf(claim, one.source))
}

func (l *listing) pdf(claim Claim, r io.Reader) error {
	file, err := l.seekable(r)
	if err != nil {
		return err
	}
	defer file.close()
	scanner := pdf.Scanner{
		Charge:  l.Budget.Charge,
		Unpack:  func(r io.Reader) io.Reader { return l.unpack(zipDeflated, r, 0) },
		Content: func(r io.Reader) error { return l.content(r) },
		Names:   l.Names + 1,
	}
	found, err := scanner.Scan(l.Budget.Reader(io.NewSectionReader(file, 0, file.size)))
	if found.Script {
		l.Sign(Script)
	}
	if found.Encrypted {
		l.Sign(Locked)
	}
	for _, name := range found.Files {
		if err := l.add(toUTF8(name)); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, pdf.ErrUnreadable):
		l.Sign(Damaged)
	case err != nil:
		return err
	}
	return l.embedded(file, claim)
}

func (l *listing) search(claim Claim, r io.Reader) error {
	if claim != ZipArchive && claim != MaybeZip {
		var err error
		if r, err = l.seek(r); err != nil {
			return err
		}
		if r == nil && claim == NoArchive {
			return nil
		}
		if r == nil {
			return ErrUnreadable
		}
	}
	file, err := l.seekable(r)
	if err != nil {
		return err
	}
	defer file.close()
	return l.embedded(file, claim)
}

// seek reads up to the first beginning of an archive; nil: there is none.
func (l *listing) seek(r io.Reader) (io.Reader, error) {
	const piece, overlap = 32 << 10, len(sigRar)
	buf := make([]byte, piece)
	kept := 0
	for seen := 0; seen < within; {
		n, err := io.ReadFull(r, buf[kept:])
		chunk := buf[:kept+n]
		if i, _ := first(beginnings(), chunk); i >= 0 {
			return io.MultiReader(bytes.NewReader(chunk[i:]), r), nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		seen += n
		kept = copy(buf, chunk[len(chunk)-overlap:])
	}
	return nil, nil
}

// first is where the first of what archives begin with stands, -1 when there is
// none.
func first(signatures map[Kind]string, b []byte) (at int, kind Kind) {
	at = -1
	for k, sig := range signatures {
		end := len(b)
		if at >= 0 {
			end = min(end, at+len(sig))
		}
		if i := bytes.Index(b[:end], []byte(sig)); i >= 0 && (at < 0 || i < at) {
			at, kind = i, k
		}
	}
	return at, kind
}

// embedded lists what begins in the first MiB of a file. One that cannot be
// read may be there to be found first.
func (l *listing) embedded(f *seekable, claim Claim) error {
	const most = 8 // beginnings that are tried
	start := make([]byte, min(f.size, within))
	if _, err := f.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	tried := 0
	var result error
	signatures := beginnings()
	try := func(err error) error {
		switch {
		case errors.Is(err, ErrLimit), l.Budget.Err() != nil, l.source.err != nil, errors.Is(err, ErrKeeping):
			return err
		case err == nil:
			result = nil
		case tried == 0 || result != nil && errors.Is(err, ErrHidden):
			result = err
		}
		tried++
		return nil
	}
	// Four octets are found in anything: without a name they say nothing.
	chance := func(err error, before int) bool {
		return claim < AnArchive && l.Names == before && errors.Is(err, ErrUnreadable) && l.Budget.Err() == nil
	}
	if claim == ZipArchive || claim == MaybeZip {
		delete(signatures, Zip) // it is read as a whole
		before := l.Names
		if err := l.zip(f); chance(err, before) {
			// no zip
		} else if err := try(err); err != nil {
			return err
		}
	}
	for at := 0; ; at++ {
		i, k := first(signatures, start[at:])
		if i < 0 {
			break
		}
		at += i
		if tried >= most {
			return ErrLimit
		}
		before := l.Names
		var err error
		switch k {
		case Rar:
			err = l.rar(l.Budget.Reader(io.NewSectionReader(f, int64(at), f.size-int64(at))))
		case SevenZip:
			err = l.sevenZip(f.from(int64(at)))
		default:
			delete(signatures, Zip)
			err = l.zip(f)
			if chance(err, before) {
				continue
			}
		}
		if err := try(err); err != nil {
			return err
		}
	}
	if tried == 0 && claim >= AnArchive {
		return ErrUnreadable
	}
	return result
}
