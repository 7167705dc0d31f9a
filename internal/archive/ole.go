package archive

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/tollgate-mail/tollgate/internal/biff"
)

// ole looks what is kept in a compound file ([MS-CFB]): storages of macros, sheets of
// macros, an encrypted document, the files that an Outlook message has attached and
// those that an office document has embedded.
func (l *listing) ole(f *seekable) error {
	has, err := l.oleSigns(io.NewSectionReader(f, 0, f.size))
	if err != nil {
		return err
	}
	if !has.files && strings.HasSuffix(strings.ToLower(l.archive), ".msg") {
		return ErrUnreadable // what it is called says that there are properties
	}
	if !has.files && !has.sheets {
		return nil
	}
	c, err := l.openCompound(f)
	if err == nil {
		err = l.oleFiles(c)
	}
	if !has.files && errors.Is(err, ErrUnreadable) {
		return nil // sheets without order: they have been looked for where they stand
	}
	return err
}

// oleHas is what the entries of a directory tell.
type oleHas struct{ files, sheets bool }

// oleSigns looks at all that may be an entry of the directory, wherever it stands:
// that finds them whatever the chain of sectors says. So are sheets of macros, which
// their stream has, too, where they stand in pieces.
func (l *listing) oleSigns(r io.Reader) (has oleHas, err error) {
	var sector [4 * oleEntry]byte
	macros := biff.InStream()
	for {
		n, err := io.ReadFull(r, sector[:])
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return has, err
		}
		_, _ = macros.Write(sector[:n]) // it never fails
		if n < oleEntry {
			if has.sheets && macros.Found() {
				l.Sign(Macro)
			}
			return has, nil
		}
		if err := l.Budget.Charge(1); err != nil {
			return has, err
		}
		for b := sector[:n]; len(b) >= oleEntry; b = b[oleEntry:] {
			e, ok := entryOf(b)
			if !ok {
				continue
			}
			switch e.name {
			case "VBA", "_VBA_PROJECT", "_VBA_PROJECT_CUR", "Macros":
				l.Sign(Macro)
			case "EncryptedPackage":
				l.Sign(Encrypted)
			case olePackage:
				has.files = true
			}
			has.sheets = has.sheets || isWorkbook(e.name)
			has.files = has.files || strings.HasPrefix(e.name, msgProperty) || strings.HasPrefix(e.name, msgAttachment)
		}
	}
}

const (
	oleEntry = 128
	// olePackage is the stream of a file that is embedded as it is ([MS-OLEDS]
	// §2.3.6).
	olePackage = "\x01Ole10Native"
	// msgAttachment begins the name of an attachment's storage, msgProperty that of
	// a property's stream ([MS-OXMSG] §2.1.3, §2.2.2).
	msgAttachment = "__attach_version1.0_"
	msgProperty   = "__substg1.0_"
)

// oleObject is an entry of a directory.
type oleObject struct {
	name               string
	stream             bool
	left, right, child uint32
	start              uint32
	size               int64
}

// entryOf reads an entry ([MS-CFB] §2.6.1); ok is false of what is none.
func entryOf(b []byte) (e oleObject, ok bool) {
	const length, kind, left, start, size = 64, 66, 68, 116, 120
	n := int(binary.LittleEndian.Uint16(b[length:]))
	if n < 4 || n > length || n%2 != 0 || b[kind] != 1 && b[kind] != 2 && b[kind] != 5 {
		return oleObject{}, false
	}
	units := make([]uint16, 0, length/2)
	for i := 0; i+2 < n; i += 2 { // without the NUL at its end
		units = append(units, binary.LittleEndian.Uint16(b[i:]))
	}
	e = oleObject{name: string(utf16.Decode(units)), stream: b[kind] == 2, start: binary.LittleEndian.Uint32(b[start:]), size: int64(binary.LittleEndian.Uint32(b[size:]))}
	for i, link := range []*uint32{&e.left, &e.right, &e.child} {
		*link = binary.LittleEndian.Uint32(b[left+4*i:])
	}
	return e, true
}

// oleFiles lists the files in a compound file: by storage, for what a file is
// called stands beside its content.
func (l *listing) oleFiles(c *compound) error {
	for _, storage := range c.storages {
		var names []string
		var content []oleObject
		attached := strings.HasPrefix(storage.name, msgAttachment)
		for _, e := range storage.streams {
			if err := l.Budget.Charge(1); err != nil {
				return err
			}
			if e.name == olePackage {
				if err := c.spoiled(l.packaged(c.open(e))); err != nil {
					return err
				}
				continue
			}
			if isWorkbook(e.name) && e.stream {
				if err := c.spoiled(l.macroSheets(c.open(e), biff.InStream())); err != nil {
					return err
				}
				continue
			}
			property, ok := strings.CutPrefix(e.name, msgProperty)
			if !ok || len(property) < 8 {
				continue
			}
			const longName, shortName, display, data = "3707", "3704", "3001", "3701"
			switch id, kind := property[:4], strings.ToUpper(property[4:8]); {
			case id == longName, id == shortName, id == display && attached:
				name, err := readName(c.open(e), kind == "001F")
				if err = c.spoiled(err); err == nil {
					err = l.add(name)
				}
				if err != nil {
					return err
				}
				names = append(names, name)
			case id == data && kind == "0102":
				content = append(content, e)
			}
		}
		if len(content) == 0 && len(names) > 0 {
			if err := l.content(nil, names...); err != nil {
				return err
			}
		}
		for _, e := range content {
			if err := l.content(l.metered(c.open(e)), names...); err != nil {
				return err
			}
		}
	}
	if c.damaged {
		return ErrUnreadable
	}
	return nil
}

// readName reads a name, and not what is too long for one.
func readName(r io.Reader, wide bool) (string, error) {
	const most = 64 << 10
	b, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return "", err
	}
	if wide {
		return utf16LE(b), nil
	}
	name, _, _ := strings.Cut(string(b), "\x00")
	return toUTF8(name), nil
}

// packaged lists a file that is embedded as it is: its label, its name, where it
// was put, and its content.
func (l *listing) packaged(r io.Reader) error {
	const most = 4 << 10
	b, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return err
	}
	const head = 6 // the length of all, and flags
	if len(b) < head {
		return ErrUnreadable
	}
	rest := b[head:]
	text := func() string {
		before, after, _ := strings.Cut(string(rest), "\x00")
		rest = []byte(after)
		return before
	}
	names := []string{text(), text()}
	const flags, length = 4, 4
	if len(rest) >= flags+length {
		rest = rest[flags+length:]
		names = append(names, text())
	}
	for i, name := range names { // they are paths of the one who embedded it
		names[i] = toUTF8(name[strings.LastIndexAny(name, `/\`)+1:])
		if err := l.add(names[i]); err != nil {
			return err
		}
	}
	if len(rest) < length {
		return l.content(nil, names...)
	}
	return l.content(l.metered(io.MultiReader(strings.NewReader(string(rest[length:])), r)), names...)
}

// isWorkbook tells whether a stream has the sheets of Excel ([MS-XLS] §2.1.2; those of
// version 5 are in "Book"). Names of streams are the same in capitals ([MS-CFB] §2.6.4).
func isWorkbook(name string) bool {
	return strings.EqualFold(name, "Workbook") || strings.EqualFold(name, "Book")
}

// sheets looks for macros in sheets of Excel that stand in no compound file.
func (l *listing) sheets(r io.Reader) error { return l.macroSheets(r, biff.InFile()) }

func (l *listing) macroSheets(r io.Reader, in *biff.Macros) error {
	_, err := io.Copy(in, r)
	if in.Found() {
		l.Sign(Macro)
	}
	return err
}
