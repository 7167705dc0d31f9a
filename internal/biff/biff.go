// Package biff finds sheets of macros of Excel 4 in the binary format of Excel
// ([MS-XLS]), of any version: all of them are opened.
package biff

import "bytes"

// Where the record that begins a sheet, or a workbook, says what follows ([MS-XLS]
// §2.4.21): its type, its length, the version, what it is. It stays as it is where
// others are encrypted.
const (
	is      = 6
	headLen = is + 2
	macro   = 0x40 // of Excel 4
)

// Versions of the format by the second octet of the type.
const (
	version2 = 0
	version3 = 2
	version4 = 4
	version5 = 8 // and those after it
)

// beginning tells what begins here, in which version; ok is false where nothing does.
func beginning(b []byte) (what int, version byte, ok bool) {
	if len(b) < headLen || b[0] != 9 || b[3] != 0 {
		return 0, 0, false
	}
	switch length := b[2]; b[1] {
	case version2:
		ok = length == 4
	case version3, version4:
		ok = length == 6
	case version5:
		ok = length >= 8 && length <= 16 && b[4] == 0 && b[5] >= 5 && b[5] <= 8
	}
	return int(b[is]) | int(b[is+1])<<8, b[1], ok
}

// Is tells whether content is sheets that stand in no compound file, by what it begins
// with.
func Is(head []byte) bool {
	what, _, ok := beginning(head)
	// A workbook of version 5, cells, a chart, macros, a workbook of version 4.
	return ok && (what == 5 || what == 0x10 || what == 0x20 || what == macro || what == 0x100)
}

// Macros looks for sheets of macros in what is written to it, wherever they stand: a
// sheet is found by a number, whatever stands before it. No write fails.
type Macros struct {
	version byte
	begun   bool // what a file begins with has been seen
	found   bool
	last    []byte // of what was written, where one may begin
}

// InStream looks into the stream of a compound file, which is of version 5 or later.
func InStream() *Macros { return &Macros{version: version5, begun: true} }

// InFile looks into sheets that stand in no compound file.
func InFile() *Macros { return &Macros{} }

// Found tells whether there was one.
func (m *Macros) Found() bool { return m.found }

func (m *Macros) Write(p []byte) (int, error) {
	const most = headLen - 1
	if m.found {
		return len(p), nil
	}
	seam := append(m.last, p[:min(len(p), most)]...)
	if !m.begun && len(m.last)+len(p) >= headLen {
		m.begin(append(m.last, p...))
	}
	if m.begun {
		m.found = m.found || m.in(seam) || m.in(p)
	}
	if len(p) >= most {
		m.last = append(m.last[:0], p[len(p)-most:]...)
	} else {
		m.last = append(m.last[:0], seam[max(len(seam)-most, 0):]...)
	}
	return len(p), nil
}

// begin reads what a file begins with.
func (m *Macros) begin(head []byte) {
	what, version, ok := beginning(head)
	m.begun, m.found, m.version = true, ok && what == macro, version
	if !ok {
		m.version = version5
	}
}

func (m *Macros) in(b []byte) bool {
	begins := []byte{9, m.version}
	for m.version >= version4 { // those before have one sheet a file
		i := bytes.Index(b, begins)
		if i < 0 {
			return false
		}
		b = b[i:]
		if what, _, ok := beginning(b); ok && what == macro {
			return true
		}
		b = b[1:]
	}
	return false
}
