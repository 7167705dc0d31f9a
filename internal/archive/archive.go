// Package archive reads the names of the files within archives: zip (and what
// is one: office documents, jar), rar, 7z, tar, cab, gzip, bzip2 and xz (of a
// file or around a tar), images of disks (ISO 9660, Joliet, UDF), TNEF, and the
// messages of Outlook, and what office documents of old, of RTF, of OneNote and of PDF have embedded. It tells what else it sees on its way, and gives the content of each file that
// can be unpacked to whoever looks for archives within archives.
//
// Whatever any common program may take for a name within is one: where a
// format says things twice, both are listed.
package archive

import (
	"errors"
	"io"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Errors of List. Others are those of the reader, of the budget's context, or
// of the folder for what is too long for memory.
var (
	// ErrUnreadable: what is no archive, or a damaged one, or of a kind that
	// is recognised and not read. What was listed until then is true.
	ErrUnreadable = errors.New("not a readable archive")
	// ErrHidden: the list of names is encrypted.
	ErrHidden = errors.New("the list of names is encrypted")
	// ErrEncrypted: only the recipient of a message can read it.
	ErrEncrypted = errors.New("the message is encrypted")
	// ErrLimit: there are more names, more octets to unpack or more work than
	// the lister may spend.
	ErrLimit = errors.New("more than is listed")
)

// Sign is something that is seen beside names.
type Sign uint8

// The signs.
const (
	Encrypted Sign = iota // a file within is encrypted
	Macro                 // an office document has macros
	Damaged               // something within cannot be read
	Bidi                  // a name turned the direction of writing
	Script                // a document of PDF has scripts, or starts programs
	Locked                // a document of PDF is encrypted: not all in it is known
	Remote                // an office document fetches a part of itself, or its template, from another host
)

// Lister lists the archives of one message.
type Lister struct {
	// Budget is charged for all of them.
	Budget *budget.Budget
	// Names is how many more names may be listed.
	Names int
	// Unpacked is how many more octets may be unpacked, those of files that are
	// only stored included. One of bzip2, lzma or xz, which are slower, counts as
	// eight. Of a short archive no more is unpacked than its length makes likely.
	Unpacked int64
	// Dir is for archives that are too long for memory, "" for the folder for
	// temporary files. The files have no name while they are in use.
	Dir string
	// Clean makes of a name what people and rules are shown, with slashes
	// between folders, and tells whether it turned the direction of writing.
	Clean func(string) (name string, bidi bool)
	// Name is told each name within an archive, once, as Clean has it; folders
	// are none. Its error ends the list.
	Name func(archive, name string) error
	// Content is told each file within an archive, after its names, with what it
	// is made of; r is nil where that cannot be unpacked: it is encrypted, or
	// packed in a way that is not read here. A damaged one is ErrUnreadable to who
	// reads it, one that is too long ErrLimit. There may be no name; one file may
	// be told more than once, and whatever may be taken for its content is. An
	// error that List may not make one of the archive's wraps that of the budget's
	// context, of the reader, or ErrKeeping.
	Content func(archive string, names []string, r io.Reader) error
	// Sign is told each sign, perhaps again.
	Sign func(Sign)
}

// List lists an archive of a kind, as KindOf has it, that is called name. It
// reads as much of r as it needs.
func (l *Lister) List(k Kind, name string, r io.Reader) error {
	one := l.listing(name, r)
	return one.result(one.list(k, one.source))
}

func (l *Lister) listing(name string, r io.Reader) *listing {
	return &listing{Lister: l, archive: name, seen: make(map[string]struct{}), source: &source{r: l.Budget.Reader(r)}}
}

// listing takes the names within one archive.
type listing struct {
	*Lister
	archive string
	source  *source
	seen    map[string]struct{}
	// deflated reads one file after the other.
	deflated io.ReadCloser
}

// source remembers an error of reading that is not the archive's, and counts.
type source struct {
	r    io.Reader
	read int64
	last error // of the last reading, nil at the end
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.read += int64(n)
	if s.last = err; errors.Is(err, io.EOF) {
		s.last = nil
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, budget.ErrSpent) && !errors.Is(err, ErrUnreadable) && !errors.Is(err, ErrLimit) {
		s.err = err
	}
	return n, err
}

// list reads an archive.
func (l *listing) list(k Kind, r io.Reader) error {
	if k == PDF {
		return l.pdf(NoArchive, r)
	}
	if read, ok := map[Kind]func(io.Reader) error{
		Rar: l.rar, Tar: l.tar, Gzip: l.gzip, Bzip2: l.bzip2, XZ: l.xz, Cab: l.cab,
		RTF: l.rtf, FlatXML: l.flatXML, ActiveMIME: l.activeMIME, Sheets: l.sheets,
	}[k]; ok {
		return read(r)
	}
	read, ok := map[Kind]func(*seekable) error{Zip: l.zip, SevenZip: l.sevenZip, Image: l.image, TNEF: l.tnef, OLE: l.ole, OneNote: l.oneNote}[k]
	if !ok {
		return ErrUnreadable
	}
	file, err := l.seekable(r)
	if err != nil {
		return err
	}
	defer file.close()
	return read(file)
}

// result is what an error says: that the message cannot be read, that the
// inspection is over, or else something about the archive.
func (l *listing) result(err error) error {
	switch {
	case l.source.err != nil:
		return l.source.err
	case err == nil, errors.Is(err, ErrLimit), errors.Is(err, ErrHidden), errors.Is(err, ErrEncrypted), errors.Is(err, ErrKeeping):
		return err
	case errors.Is(err, budget.ErrSpent), errors.Is(l.Budget.Err(), budget.ErrSpent):
		return ErrLimit
	case l.Budget.Err() != nil:
		return l.Budget.Err()
	}
	return ErrUnreadable
}

// add takes the name of a file within the archive, whatever it ends with. The
// error is ErrLimit when there are too many.
func (l *listing) add(name string) error {
	if err := l.Budget.Charge(1 + len(name)); err != nil {
		return err
	}
	for _, name := range l.cleaned(name) {
		if err := l.addOne(name); err != nil {
			return err
		}
	}
	return nil
}

// cleaned are the readings of a name.
func (l *listing) cleaned(name string) []string {
	name = strings.TrimRight(name, `/\ .`)
	readings := []string{name}
	if before, _, ok := strings.Cut(name, "\x00"); ok {
		// Where some programs end it. Others leave the octet out.
		readings = []string{before, name}
	}
	// A stream of a file (NTFS) is written to the file, by those that unpack it.
	base := strings.LastIndexAny(name, `/\`) + 1
	if before, _, ok := strings.Cut(name[base:], ":"); ok && strings.Contains(before, ".") {
		readings = append(readings, name[:base]+before)
	}
	for i := range readings {
		var bidi bool
		if readings[i], bidi = l.Clean(readings[i]); bidi {
			l.Sign(Bidi)
		}
	}
	return readings
}

func (l *listing) addOne(name string) error {
	if _, ok := l.seen[name]; ok || name == "" || strings.HasSuffix(name, "/") {
		return nil
	}
	if l.Names--; l.Names < 0 {
		return ErrLimit
	}
	l.seen[name] = struct{}{}
	if macroName(name) {
		l.Sign(Macro)
	}
	return l.Name(l.archive, name)
}

// isFolder tells whether a name is that of a folder: what has content is none,
// whatever its name ends with.
func isFolder(name string, size uint64) bool {
	return size == 0 && strings.HasSuffix(strings.ReplaceAll(name, `\`, "/"), "/")
}

// macroName tells whether a part of an office document has macros.
func macroName(name string) bool {
	name = strings.ToLower(name)
	base := name[strings.LastIndexByte(name, '/')+1:]
	return base == "vbaproject.bin" || strings.HasPrefix(name, "xl/macrosheets/") || strings.HasPrefix(name, "xl/intlmacrosheets/") || openDocumentMacro(name, base)
}

// openDocumentMacro tells whether a part of a document of OpenDocument has macros, in
// Basic or in another language.
func openDocumentMacro(name, base string) bool {
	folder, rest, _ := strings.Cut(name, "/")
	switch folder {
	case "basic":
		return strings.HasSuffix(name, ".xml") && base != "script-lc.xml" && base != "script-lb.xml"
	case "scripts":
		language, _, ok := strings.Cut(rest, "/")
		return ok && (language == "python" || language == "beanshell" || language == "javascript" || language == "java")
	}
	return false
}
