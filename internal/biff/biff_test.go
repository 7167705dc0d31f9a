package biff

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// record is one ([MS-XLS] §2.1.4).
func record(kind uint16, data ...byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, kind)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(data))), data...)
}

// begins is the record that begins a sheet, of a version from 2 to 8.
func begins(version, what byte) []byte {
	switch version {
	case 2:
		return record(9, 7, 0, what, 0)
	case 3, 4:
		return record(uint16(version-2)*0x200+9, 0, 0, what, 0, 0, 0)
	case 5, 7:
		return record(0x809, 0, 5, what, 0, 0xbb, 0x0d, 0xcc, 0x07)
	}
	return record(0x809, 0, 6, what, 0, 0xbb, 0x0d, 0xcc, 0x07, 0, 0, 0, 0, 6, 0, 0, 0)
}

// Sheets of macros are found wherever they stand, in workbooks of any version and size,
// however they are cut in pieces; none is found where there is none.
func TestMacros(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.SampledFrom([]byte{5, 7, 8}).Draw(t, "version")
		kinds := rapid.SliceOfN(rapid.SampledFrom([]byte{0x10, 0x10, 0x20}), 1, 5).Draw(t, "sheets")
		// A cell of row 9, column 4 with the 64th text; octets of no record.
		between := bytes.Repeat(append(record(0xfd, 9, 0, 4, 0, 15, 0, 0x40, 0, 0, 0), record(0x3c, 9, 8, 16, 0, 0, 6, 0x10, 0, 9, 9)...), rapid.IntRange(0, 400).Draw(t, "cells"))
		between = append(between, rapid.SliceOfN(rapid.SampledFrom([]byte{0, 9, 8, 16}), 0, 9).Draw(t, "more")...)
		between = append(between, 1)
		want := rapid.Bool().Draw(t, "macros")
		if want {
			kinds = rapid.Permutation(append(kinds, macro)).Draw(t, "order")
		}
		content := append(begins(version, 5), between...)
		for _, what := range kinds {
			content = append(append(append(content, begins(version, what)...), between...), record(0x0a)...)
		}
		if !Is(content) {
			t.Fatal("is none")
		}
		for _, m := range []*Macros{InStream(), InFile()} {
			for rest := content; len(rest) > 0; {
				n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
				if wrote, err := m.Write(rest[:n]); wrote != n || err != nil {
					t.Fatal(wrote, err)
				}
				rest = rest[n:]
			}
			if m.Found() != want {
				t.Fatalf("found %v, want %v", m.Found(), want)
			}
		}
	})
}

func TestOldSheets(t *testing.T) {
	for name, tt := range map[string]struct {
		content        []byte
		sheets, macros bool
	}{
		"macros 2":              {append(begins(2, macro), record(0x0a)...), true, true},
		"macros 3":              {append(begins(3, macro), record(0x0a)...), true, true},
		"macros 4":              {append(begins(4, macro), record(0x0a)...), true, true},
		"macros in a workbook":  {append(record(0x409, 0, 0, 0, 1, 0, 0), begins(4, macro)...), true, true},
		"cells in a workbook":   {append(record(0x409, 0, 0, 0, 1, 0, 0), begins(4, 0x10)...), true, false},
		"cells 2":               {append(begins(2, 0x10), record(4, 9, 0, 4, 0, 0, 0, 0x40, 0)...), true, false},
		"cells 8":               {begins(8, 0x10), true, false},
		"macros that are alone": {begins(8, macro), true, true},
		"a tab and a text":      {[]byte("\t\x08text and more of it"), false, false},
		"tabs":                  {[]byte("\t\t\t\t\t\t\t\t\t\t\t\t"), false, false},
		"another record":        {record(0x809, 0, 6, 0x77, 0x77, 0, 0, 0, 0), false, false},
		"nothing":               {nil, false, false},
	} {
		for size := 1; size < 12; size++ {
			m := InFile()
			for at := 0; at < len(tt.content); at += size {
				if _, err := m.Write(tt.content[at:min(at+size, len(tt.content))]); err != nil {
					t.Fatal(err)
				}
			}
			if Is(tt.content) != tt.sheets || m.Found() != tt.macros {
				t.Errorf("%s in pieces of %d: %v %v", name, size, Is(tt.content), m.Found())
			}
		}
	}
}
