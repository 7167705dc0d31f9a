package attachment

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// documented is the rule against programs as operators copy it.
func documented(t *testing.T, page string) *regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", page))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`any\.module\.files\.symbol = '(.*)'`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no such rule", page)
	}
	return regexp.MustCompile(string(found[1]))
}

// A program in an archive in another: its name is seen, or the documented rule
// refuses for what is not seen.
func TestNested(t *testing.T) {
	rule := documented(t, "docs/policy.md")
	for _, outer := range archivetest.Containers(t) {
		for _, inner := range archivetest.Containers(t) {
			innerName := inner.Called("", "invoice.exe")
			name := outer.Called("", innerName)
			if !outer.Opened && strings.HasSuffix(innerName, ".docx") {
				continue // a document, whatever is in it
			}
			t.Run(name+"/"+innerName, func(t *testing.T) {
				content := outer.Of(innerName, inner.Of("invoice.exe", []byte("no program")))
				f := inspected(t, Settings{Archives: true}, name, "application/octet-stream", content)
				seen := slices.ContainsFunc(f.Names, func(s string) bool {
					return strings.HasSuffix(s, "invoice.exe") || strings.HasSuffix(s, "INVOICE.EXE")
				})
				if outer.Opened && !seen {
					t.Errorf("%q, %q", f.Names, f.Symbols)
				}
				if !outer.Opened && !slices.Contains(f.Symbols, SymbolArchiveNested) && !slices.Contains(f.Symbols, SymbolArchiveUnreadable) {
					t.Errorf("not opened: %q, %q", f.Names, f.Symbols)
				}
				if !slices.ContainsFunc(f.Symbols, rule.MatchString) {
					t.Errorf("passes: %q, %q", f.Names, f.Symbols)
				}
				innerName, name := inner.Called("", "invoice.txt"), ""
				name = outer.Called("", innerName)
				clean := outer.Of(innerName, inner.Of("invoice.txt", []byte("text")))
				f = inspected(t, Settings{Archives: true}, name, "application/octet-stream", clean)
				if outer.Opened && inner.Opened && slices.ContainsFunc(f.Symbols, rule.MatchString) {
					t.Errorf("a text is refused: %q, %q", f.Names, f.Symbols)
				}
			})
		}
	}
}

// Any archives within each other, to any depth.
func TestNest(t *testing.T) {
	const seed, rounds = 1, 300
	rule := documented(t, "docs/policy.md")
	random := rand.New(rand.NewPCG(seed, 0))
	seen := 0
	for n := range rounds {
		depth := 1 + random.IntN(6)
		name, content, opened := archivetest.Nest(t, random, depth, "invoice.exe", []byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00\xb8\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00"))
		f := inspected(t, Settings{Archives: true}, name, "application/octet-stream", content)
		if !slices.ContainsFunc(f.Symbols, rule.MatchString) {
			t.Errorf("round %d, %d deep: %s passes with %q, %q", n, depth, name, f.Symbols, f.Names)
		}
		if opened && depth <= maxDepth && !slices.ContainsFunc(f.Symbols, func(s string) bool {
			return s == SymbolArchiveExecutable || s == SymbolExecutable
		}) {
			t.Errorf("round %d, %d deep: the program in %s is not seen: %q, %q", n, depth, name, f.Symbols, f.Names)
		}
		if slices.Contains(f.Symbols, SymbolArchiveExecutable) {
			seen++
		}
	}
	if seen < rounds/4 {
		t.Errorf("%d of %d", seen, rounds)
	}
}

// The depth is the one that the documentation has.
func TestDepth(t *testing.T) {
	name, content := "a.txt", []byte("text")
	for depth := 1; depth <= maxDepth+2; depth++ {
		content = archivetest.ZipWith(t, name, content)
		name = fmt.Sprintf("a%d.zip", depth)
		f := inspected(t, Settings{Archives: true}, name, "application/zip", content)
		if deep := slices.Contains(f.Symbols, SymbolArchiveNested); deep != (depth > maxDepth) || slices.ContainsFunc(f.Names, func(s string) bool {
			return strings.HasSuffix(s, "/a.txt")
		}) == deep {
			t.Errorf("%d: %q, %q", depth, f.Symbols, f.Names)
		}
	}
}

// What is within an archive is unpacked within one budget for the message, however
// often it stands there.
func TestNestedBomb(t *testing.T) {
	inner := archivetest.ZipWith(t, "a.tar", make([]byte, 4<<20))
	content := archivetest.ZipWith(t, "a.tar", make([]byte, 4<<20))
	for name, content := range map[string][]byte{
		"bomb.zip": content, "bomb2.zip": archivetest.ZipWith(t, "inner.zip", inner), "bomb.tgz": archivetest.GzipOf(t, "", make([]byte, 4<<20)),
	} {
		if f := bounded(t, maxNames, 1<<20, name, content); !slices.Contains(f.Symbols, SymbolArchiveLimit) && !slices.Contains(f.Symbols, SymbolArchiveUnreadable) {
			t.Errorf("%s: %q, %q", name, f.Names, f.Symbols)
		}
	}
}

// An archive within an archive that is damaged is no reason to ask for the message
// again.
func TestNestedDamage(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	long := make([]byte, 800<<10)
	for i := range long {
		long[i] = "0123456789abcdef"[random.IntN(16)]
	}
	outer := archivetest.ZipWith(t, "inner.zip", append([]byte("PK\x03\x04"), long...))
	unreadable := 0
	for cut := 1; cut < 10; cut++ {
		damaged := bytes.Clone(outer)
		copy(damaged[len(damaged)*cut/10:], make([]byte, 100))
		f := inspected(t, Settings{Archives: true, Dir: settings.StateDir(t.TempDir())}, "outer.zip", "application/zip", damaged)
		if slices.Contains(f.Symbols, SymbolArchiveUnreadable) {
			unreadable++
		}
	}
	if unreadable < 5 {
		t.Errorf("%d of 9 are told", unreadable)
	}
}

// Thousands of files that want memory to be unpacked cost what the limit says.
func TestNestedMemory(t *testing.T) {
	var headers []zip.FileHeader
	for n := range 300 {
		headers = append(headers, zip.FileHeader{Name: fmt.Sprint(n), Method: 95})
	}
	packed := archivetest.XZOf(t, []byte("text"))
	content := archivetest.RawZip(t, "", packed, headers...)
	if f := bounded(t, maxNames, maxUnpacked, "a.zip", content); !slices.Contains(f.Symbols, SymbolArchiveLimit) {
		t.Errorf("%q", f.Symbols)
	}
}

// What is within cannot be kept: the message is asked for again.
func TestNestedNoRoom(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	long := make([]byte, 600<<10)
	_, _ = random.Read(long)
	tarball := archivetest.GzipOf(t, "inner.zip", append([]byte("PK\x03\x04"), long...))
	i := New(Settings{Archives: true, Dir: settings.StateDir(t.TempDir() + "/gone")})
	if f, err := i.inspect(context.Background(), strings.NewReader(attached("a.gz", "a/b", tarball))); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", f, err)
	}
}

// Whose names nobody can read is refused by the documented rule; a password alone
// is not.
func TestNamesHidden(t *testing.T) {
	rule := documented(t, "docs/policy.md")
	for name, tt := range map[string]struct {
		content []byte
		refused bool
	}{
		"masked.7z":    {archivetest.FromBase64(t, archivetest.Masked7z), true},
		"masked.rar":   {[]byte("Rar!\x1a\x07\x01\x00sums\x03\x04\x00\x00"), true},
		"locked.rar":   {archivetest.Rar5Of("a.txt*"), false},
		"sealed.p7m":   {archivetest.EnvelopedOf(), false},
		"secret.xlsx":  {archivetest.OLEOf("EncryptionInfo", "EncryptedPackage"), false},
		"masked.7z.gz": {archivetest.GzipOf(t, "", archivetest.FromBase64(t, archivetest.Masked7z)), true},
	} {
		f := inspected(t, Settings{Archives: true}, name, "application/octet-stream", tt.content)
		if slices.ContainsFunc(f.Symbols, rule.MatchString) != tt.refused || !slices.Contains(f.Symbols, SymbolArchiveEncrypted) ||
			slices.Contains(f.Symbols, SymbolNamesHidden) != tt.refused {
			t.Errorf("%s: %q", name, f.Symbols)
		}
	}
}

// A document in an archive is seen where other octets stand before it, too, as far as
// programs look for its beginning.
func TestDocumentsBehindOctets(t *testing.T) {
	for _, before := range []int{0, 500, 1000} {
		for symbol, document := range map[string]string{
			SymbolPDFScript:    strings.Repeat("x", before) + "%PDF-1.7\n1 0 obj<</S/JavaScript/JS(x)>>endobj\n",
			SymbolOfficeRemote: `<?xml version="1.0"?>` + strings.Repeat(" ", before) + `<?mso-application progid="Word.Document"?><w:wordDocument><w:attachedTemplate w:val="https://a.example/x.dot"/></w:wordDocument>`,
		} {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			file, err := w.Create("a.doc")
			if err == nil {
				_, err = file.Write([]byte(document))
			}
			if err != nil || w.Close() != nil {
				t.Fatal(err)
			}
			if f := inspected(t, Settings{Archives: true}, "a.zip", "application/zip", b.Bytes()); !slices.Contains(f.Symbols, symbol) {
				t.Errorf("%s behind %d octets: %q", symbol, before, f.Symbols)
			}
		}
	}
}
