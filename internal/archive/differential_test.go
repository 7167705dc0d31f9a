package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/bodgit/sevenzip"
	"github.com/nwaples/rardecode/v2"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
)

// readers are those of others: the names that they list of an archive, as far as
// they come.
func readers() map[string]func([]byte) []string {
	return map[string]func([]byte) []string{
		"archive/zip": func(b []byte) (names []string) {
			r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
			if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
				return nil
			}
			for _, f := range r.File {
				if f.UncompressedSize64 > 0 || !strings.HasSuffix(f.Name, "/") {
					names = append(names, f.Name)
				}
			}
			return names
		},
		"rardecode": func(b []byte) (names []string) {
			if !bytes.Contains(b, []byte(sigRar+"\x00")) && !bytes.Contains(b, []byte(sigRar+"\x01\x00")) {
				return nil // it would look for one for ever
			}
			r, err := rardecode.NewReader(bytes.NewReader(b), rardecode.MaxDictionarySize(1<<20))
			for err == nil {
				var h *rardecode.FileHeader
				if h, err = r.Next(); err == nil && !h.IsDir {
					names = append(names, h.Name)
				}
			}
			return names
		},
		"sevenzip": func(b []byte) (names []string) {
			r, err := sevenzip.NewReader(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				return nil
			}
			for _, f := range r.File {
				if !f.FileInfo().IsDir() {
					names = append(names, f.Name)
				}
			}
			return names
		},
	}
}

// missing are names that a reader lists and we do not. One that we cannot read
// to its end is told by an error, and that suffices.
func missing(content []byte, names []string) []string {
	got := list(context.Background(), "a.zip", ZipArchive, content)
	if got.err != nil || got.signs[Damaged] {
		return nil
	}
	// The comparison is of what any of both makes of octets that are no UTF-8.
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r > '~' || r < ' ' || r == '\\' || r == '/' || r == '.' {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, ""))
	}
	var ours []string
	for _, name := range got.names {
		ours = append(ours, plain(name))
	}
	return slices.DeleteFunc(names, func(name string) bool {
		name = plain(strings.TrimRight(name, " ./"))
		return name == "" || slices.ContainsFunc(ours, func(s string) bool { return strings.Contains(s, name) || strings.Contains(s, strings.TrimSpace(name)) })
	})
}

// Whatever another reader lists of an archive with some odd field is listed
// here, or the archive is told to be unreadable.
func TestAsOthersRead(t *testing.T) {
	const seed = 2
	seeds := map[string][][]byte{}
	for _, d := range archivetest.Disguises(t, "invoice.exe") {
		if len(d.Content) < 4<<10 {
			seeds["of disguises"] = append(seeds["of disguises"], d.Content)
		}
	}
	seeds["7z"] = [][]byte{
		archivetest.FromBase64(t, archivetest.Packed7z), archivetest.FromBase64(t, archivetest.Plain7z), archivetest.SevenZipOf("a.txt", "b/c.exe"),
	}
	seeds["rar"] = [][]byte{archivetest.Rar5Of("a.txt", "d/", "d/b.exe"), archivetest.Rar4Of(0, "a.txt", "b.exe")}
	seeds["zip"] = [][]byte{archivetest.ZipOf(t, "a.txt", "d/", "d/b.exe"), archivetest.RawZip(t, "a comment", []byte("x"), zip.FileHeader{Name: "a\\b.exe"})}
	for _, name := range slices.Sorted(maps.Keys(readers())) {
		read := readers()[name]
		listed, random := 0, rand.New(rand.NewPCG(1, seed))
		for _, kind := range slices.Sorted(maps.Keys(seeds)) {
			for i, content := range seeds[kind] {
				for round := range 300 {
					if name == "sevenzip" && round > 0 {
						break // it gets memory for as many files as a header says
					}
					odd := content
					if round > 0 {
						odd = oddField(random, content)
					}
					names := guardedRead(read, odd)
					listed += len(names)
					if lost := missing(odd, names); len(lost) > 0 {
						t.Errorf("%s lists %q of %s %d, round %d: %x", name, lost, kind, i, round, odd)
						return
					}
				}
			}
		}
		t.Logf("%s listed %d names", name, listed)
		if listed < 300 && name != "sevenzip" || listed < 5 {
			t.Errorf("%s listed %d names", name, listed)
		}
	}
}

// guardedRead is what a reader lists; one that panics lists nothing.
func guardedRead(read func([]byte) []string, content []byte) (names []string) {
	defer func() {
		if recover() != nil {
			names = nil
		}
	}()
	return read(content)
}

// oddField is an archive of which one to three octets are others, or some are
// missing or there twice.
func oddField(r *rand.Rand, content []byte) []byte {
	b := bytes.Clone(content)
	switch at := r.IntN(len(b)); r.IntN(8) {
	case 0:
		return b[:at]
	case 1:
		return append(b[:at:at], b[min(len(b), at+1+r.IntN(8)):]...)
	case 2:
		return append(b[:at:at], content[max(0, at-1-r.IntN(8)):]...)
	default:
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] = []byte{0, 1, 0xff, '/', 'x', byte(r.Uint32())}[r.IntN(6)]
		}
	}
	return b
}

// The specimens of our own are archives for others, too.
func TestSpecimens(t *testing.T) {
	for reader, content := range map[string][]byte{
		"archive/zip": archivetest.ZipOf(t, "a.txt", "b.exe"),
		"rardecode":   archivetest.Rar5Of("a.txt", "b.exe"),
		"sevenzip":    archivetest.SevenZipOf("a.txt", "b.exe"),
	} {
		if names := readers()[reader](content); fmt.Sprint(names) != "[a.txt b.exe]" {
			t.Errorf("%s: %q", reader, names)
		}
	}
	if names := readers()["rardecode"](archivetest.Rar4Of(0, "a.txt", "b.exe")); fmt.Sprint(names) != "[a.txt b.exe]" {
		t.Errorf("of old: %q", names)
	}
}
