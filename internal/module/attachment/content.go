package attachment

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

// Errors of a lister. Others are ours (no room on disk) or the message's.
var (
	errUnreadable = errors.New("not a readable archive")
	errEncrypted  = errors.New("the list of names is encrypted")
	errLimit      = errors.New("more than is listed")
)

// content looks at what a part has in it.
func (in *inspection) content(p *mail.Part) error {
	body := &reader{ctx: in.ctx, r: p.Body}
	head := make([]byte, headSize)
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	head = head[:n]
	k := kindOf(head)
	if k == kindProgram {
		in.found(SymbolExecutable)
	}
	if k != kindOther && k != kindTar && len(p.Names) > 0 && !slices.ContainsFunc(p.Names, notPassive) {
		in.found(SymbolTypeMismatch)
	}
	if in.config.Archives == SkipArchives {
		return nil
	}
	if k == kindOther || k == kindProgram {
		// A zip begins at its end, whatever stands before it.
		if !slices.ContainsFunc(p.Names, zipName) {
			return nil
		}
		k = kindZip
	}
	l := &listing{inspection: in, archive: "unnamed", source: body}
	if len(p.Names) > 0 {
		l.archive = p.Names[0]
	}
	err = l.list(k, io.MultiReader(bytes.NewReader(head), body))
	switch {
	case errors.Is(err, errUnreadable):
		in.found(SymbolArchiveUnreadable)
	case errors.Is(err, errEncrypted):
		in.found(SymbolArchiveEncrypted)
	case errors.Is(err, errLimit):
		in.found(SymbolArchiveLimit)
	default:
		return err
	}
	return nil
}

func notPassive(name string) bool {
	_, ok := passive[extension(name)]
	return !ok
}

// zipName tells whether a name is that of a zip.
func zipName(name string) bool {
	return slices.Contains([]string{"zip", "jar", "apk"}, extension(name))
}

// listing takes the names within one archive.
type listing struct {
	*inspection
	archive string
	source  *reader // of the archive's octets
}

// list reads an archive.
func (l *listing) list(k kind, r io.Reader) error {
	switch k {
	case kindZip:
		file, err := l.spool(r)
		if err != nil {
			return err
		}
		defer file.close()
		return l.zip(file)
	case kind7z:
		file, err := l.spool(r)
		if err != nil {
			return err
		}
		defer file.close()
		return l.sevenZip(file)
	case kindRar:
		return l.rar(r)
	case kindTar:
		return l.tar(r)
	case kindGzip:
		return l.gzip(r)
	case kindBzip2:
		return l.bzip2(r)
	}
	return errUnreadable
}

// add takes the name of a file within the archive; folders are none. The error
// is errLimit when there are too many.
func (l *listing) add(name string) error {
	if l.left--; l.left < 0 {
		return errLimit
	}
	name, bidi := mail.CleanPath(name)
	if name == "" || strings.HasSuffix(name, "/") {
		return nil
	}
	if bidi {
		l.found(SymbolRTLOName)
	}
	if executable(name) {
		l.found(SymbolArchiveExecutable)
	}
	if doubleExtension(name) {
		l.found(SymbolDoubleExtension)
	}
	if isArchive(name) {
		l.found(SymbolArchiveNested)
	}
	if strings.EqualFold(base(name), "vbaProject.bin") {
		l.found(SymbolOfficeMacro)
	}
	if err := l.names.Add(l.archive + "/" + name); err != nil {
		return errLimit
	}
	return nil
}

// reader stops when the inspection does. What is unpacked can take longer than
// the message does to arrive.
type reader struct {
	ctx context.Context
	r   io.Reader
	err error // other than the end
}

func (r *reader) Read(p []byte) (n int, err error) {
	if err = r.ctx.Err(); err == nil {
		n, err = r.r.Read(p)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// damaged is what an error of reading an archive says: that of the inspection,
// or else that the archive is damaged.
func (l *listing) damaged(err error) error {
	switch {
	case err == nil, errors.Is(err, errLimit), errors.Is(err, errEncrypted):
		return err
	case l.source.err != nil:
		return l.source.err
	}
	return errUnreadable
}
