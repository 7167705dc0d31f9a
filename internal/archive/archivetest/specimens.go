// Package archivetest makes archives for tests: what archivers write, and what
// they would never write.
package archivetest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

// ZipOf is a zip of files, or folders where a name ends with a slash.
func ZipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil && !strings.HasSuffix(name, "/") {
			_, err = io.WriteString(f, "content of "+name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// RawZip is a zip of stored files whose names are octets.
func RawZip(t testing.TB, comment string, content []byte, headers ...zip.FileHeader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, h := range headers {
		h.CompressedSize64, h.UncompressedSize64 = uint64(len(content)), uint64(len(content))
		f, err := w.CreateRaw(&h)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetComment(comment); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TarOf is a tar of files of one octet.
func TarOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: 1, Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// GzipOf is a gzip that stores a name.
func GzipOf(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name = name
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Rar5Of is an archive of RAR 5; an encrypted file's name ends with "*".
func Rar5Of(names ...string) []byte { return Rar5With([]byte("abcde"), 0, names...) }

// Rar5With is an archive of RAR 5 of files that all have one content, packed by
// some method, 0 for none.
func Rar5With(content []byte, method byte, names ...string) []byte {
	block := func(b []byte, fields ...byte) []byte {
		fields = append(binary.AppendUvarint(nil, uint64(len(fields))), fields...)
		b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(fields))
		return append(b, fields...)
	}
	b := block([]byte("Rar!\x1a\x07\x01\x00"), 1, 0, 0)
	for _, name := range names {
		name, encrypted := strings.CutSuffix(name, "*")
		name, folder := strings.CutSuffix(name, "/")
		var flags, extra byte
		if encrypted {
			extra = 3
		}
		if folder {
			flags = 1
		}
		size := binary.AppendUvarint(nil, uint64(len(content)))
		fields := append(append(append([]byte{2, 3, extra}, size...), flags), size...)
		fields = append(append(fields, 0), binary.AppendUvarint(nil, uint64(method)<<7)...)
		fields = append(fields, 0)
		fields = append(binary.AppendUvarint(fields, uint64(len(name))), name...)
		if encrypted {
			fields = append(fields, 2, 1, 0)
		}
		b = append(block(b, fields...), content...)
	}
	return block(b, 5, 0)
}

// Rar4Of is an archive of RAR before 5, with names as octets.
func Rar4Of(flags uint16, names ...string) []byte {
	return Rar4With([]byte("abcde"), flags, names...)
}

// Rar4With is an archive of RAR before 5 of files that all have one content.
func Rar4With(content []byte, flags uint16, names ...string) []byte {
	block := func(b []byte, kind byte, flags uint16, rest []byte) []byte {
		h := binary.LittleEndian.AppendUint16([]byte{kind}, flags)
		h = binary.LittleEndian.AppendUint16(h, uint16(7+len(rest)))
		h = append(h, rest...)
		b = binary.LittleEndian.AppendUint16(b, uint16(crc32.ChecksumIEEE(h)))
		return append(b, h...)
	}
	b := block([]byte("Rar!\x1a\x07\x00"), 0x73, 0, make([]byte, 6))
	for _, name := range names {
		h := make([]byte, 25)
		binary.LittleEndian.PutUint32(h, uint32(len(content)))
		binary.LittleEndian.PutUint32(h[4:], uint32(len(content)))
		h[17], h[18] = 29, 0x30 // version, stored
		binary.LittleEndian.PutUint16(h[19:], uint16(len(name)))
		b = append(block(b, 0x74, 0x8000|flags, append(h, name...)), content...)
	}
	return block(b, 0x7b, 0x4000, nil)
}

// FromBase64 decodes a specimen.
func FromBase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// CP866 is a name in the charset of archivers of Russian systems.
func CP866(t testing.TB, name string) string {
	t.Helper()
	s, err := charmap.CodePage866.NewEncoder().String(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Archives made by 7-Zip of the same four files and folders.
const (
	Packed7z = `N3q8ryccAAQGJZ0eqwAAAAAAAAAiAAAAAAAAALCP3VgBAAdoZWxsbwp4CgAAAIEzB64PzpwGxQkqrtOqhSYoExi7AyVn4P+Z3iLM` +
		`8GUdrs6kBTNLXbr2oZHFBSW72ExnWB66MgqNGacH93gu8d+GlNevNXZi22AASEEMMmZwZFf9KtAAmRcZ1abLjm4f06S5ngqNskG/` +
		`w9IyhCEIgkVUT/75zmneJs0Ey5090ZBj17tPxmMk+BQHVaaWigsk3VZJIl67WAfDUqTAAAAXBgwBCYCfAAcLAQABIwMBAQVdABAA` +
		`AAyBFgoBKFtEigAA`
	Plain7z = `N3q8ryccAAQFl19iDAAAAAAAAAAWAQAAAAAAAChbRIoBAAdoZWxsbwp4CgABBAYAAQkMAAcLAQABISEBAAwIAAgNAgkGCgEgMDo2` +
		`HwjqRgAABQYOAfAPARAZDQAAAAAAAAAAAAAAAAARgIEAZAAAAGQALwBlAG0AcAB0AHkAZABpAHIAAABkAC8AcwB1AGIAAABkAC8A` +
		`ZQBtAHAAdAB5AC4AdAB4AHQAAABkAC8AaQBuAHYAbwBpAGMAZQAuAHAAZABmAC4AZQB4AGUAAABkAC8AcwB1AGIALwBBBEcEUQRC` +
		`BC4AdAB4AHQAAAAZAgAAFDIBALqDB8vFe90BuoMHy8V73QGregfLxXvdAat6B8vFe90Bq3oHy8V73QGregfLxXvdARUaAQAQgO1B` +
		`EIDtQRCA7UEggKSBIICkgSCApIEAAA==`
	Encrypted7z = `N3q8ryccAAQoJiwbyAAAAAAAAAAiAAAAAAAAAGF+AJhnfkV5Pox5DtMyYVs6Otd6AACBMweuD87ysgwHsMPa919FiphISvfhOssU` +
		`FlmpfcY+wDDVYyzQ2UWlFDUioWGFKCMlzuRSTIXQOhSRq10XK0Y/hfsNKQq1oE8zim6bpIp/puIkkakgkCus5ihaf8p1v5EDmtJ2` +
		`DbAeBpQnKaTtKDcpn7CVPdRwdCJVn2US/9ppels8iqbKKu7qsnx93VFIbGFHxn0tnE3EuezOgTeXfwX5DlX/WEH0qIGXwRcGmN2i` +
		`epD5MeAAABcGEAEJgLgABwsBAAEjAwEBBV0AEAAADIEmCgGpyl3jAAA=`
	Masked7z = `N3q8ryccAATLrSJL0AAAAAAAAAA+AAAAAAAAACj45IgYcn0ZXlgztgbsFulW+fEzMZmLku885epHq1b0mVlEmFhYeH52hlRbmiVu` +
		`jB3F2lk/IhhAfWLvmCRdCHDAwsCHnLqlQubzyG/U8oEHMI/eth5r9D2ysWZgYq/1avn78jBVny0sr9Yn5qpbS9oLvgXpEeaobaIs` +
		`1R40RphD6+tqIlyfH0svfiIDLmSCOcqFYJWhS7SlVpApBXcvUNjB3nEmVo/aRjUTPL/zKF9+YtDeY+Ky/1ejyEV2ZBTFBCePI3HB` +
		`lDnYBPQ/+98a44tE8E2UFwYQAQmAwAAHCwEAAiQG8QcBElMPCQirj0Dq2yoiL2JxFgtclyMDAQEFXQAQAAABAAyAuYEmCgFisclO` +
		`AAA=`
)
