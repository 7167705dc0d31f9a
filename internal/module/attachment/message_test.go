package attachment

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// attached is a message with one attachment.
func attached(name, mediaType string, content []byte) string {
	return fmt.Sprintf("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nMZ text\r\n--b\r\nContent-Type: %s\r\nContent-Disposition: attachment; filename*=utf-8''%s\r\n"+
		"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n--b--\r\n", mediaType, escape(name), base64.StdEncoding.EncodeToString(content))
}

func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		fmt.Fprintf(&b, "%%%02X", name[i])
	}
	return b.String()
}

// inspected is what an inspector finds in an attachment.
func inspected(t *testing.T, c Settings, name, mediaType string, content []byte) module.Finding {
	t.Helper()
	f, err := New(c).inspect(context.Background(), strings.NewReader(attached(name, mediaType, content)))
	if err != nil {
		t.Error(err)
	}
	return f
}

func TestParts(t *testing.T) {
	program := append([]byte("MZ\x90\x00"), make([]byte, 60)...)
	zipped := archivetest.ZipOf(t, "a.txt")
	for _, tt := range []struct {
		name, mediaType string
		content         []byte
		symbols         []string
	}{
		{"a.txt", "text/plain", []byte("text"), nil},
		{"Счёт.pdf", "application/pdf", []byte("%PDF-1.4"), nil},
		{"a.exe", "application/octet-stream", []byte("x"), []string{SymbolExecutable}},
		{"A.EXE", "application/octet-stream", nil, []string{SymbolExecutable}},
		{"a.exe. .", "application/octet-stream", nil, []string{SymbolExecutable}},
		{"setup-1.2.exe", "application/octet-stream", nil, []string{SymbolExecutable}},
		{"счёт.pdf.exe", "application/pdf", nil, []string{SymbolDoubleExtension, SymbolExecutable}},
		{"invoice.pdf" + strings.Repeat(" ", 100) + ".exe", "application/pdf", nil, []string{SymbolDoubleExtension, SymbolExecutable}},
		{"invoice.pdf" + strings.Repeat("_", 600) + ".scr", "application/pdf", nil, []string{SymbolDoubleExtension, SymbolExecutable}},
		{"invoice.pdf...exe", "application/pdf", nil, []string{SymbolDoubleExtension, SymbolExecutable}},
		{"invoice.exe.pdf", "application/pdf", nil, nil},
		{".exe", "a/b", nil, []string{SymbolExecutable}},
		{"exe", "a/b", nil, nil},
		{"invoice\u202efdp.exe", "application/pdf", nil, []string{SymbolExecutable, SymbolRTLOName}},
		{"a.dat", "a/b", program, []string{SymbolExecutable}},
		{"a.jpg", "image/jpeg", program, []string{SymbolExecutable, SymbolTypeMismatch}},
		{"a.bin", "a/b", []byte("\x7fELF\x02\x01"), []string{SymbolExecutable}},
		{"a.pdf", "a/b", []byte("\xcf\xfa\xed\xfe"), []string{SymbolExecutable, SymbolTypeMismatch}},
		{"a", "a/b", []byte("#! /bin/sh\n"), []string{SymbolExecutable}},
		{"a", "a/b", []byte("#! no path\n"), nil},
		{"a", "a/b", []byte("L\x00\x00\x00\x01\x14\x02\x00"), []string{SymbolExecutable}},
		{"a", "a/b", []byte("MZ is a text of more than twenty-eight characters"), nil},
		{"a.pdf", "application/pdf", zipped, []string{SymbolTypeMismatch}},
		{"a.docx", "a/b", zipped, nil},
		{"a.xz", "a/b", []byte("\xfd7zXZ\x00"), []string{SymbolArchiveUnreadable}},
		{"a.zip", "a/b", []byte("no zip"), []string{SymbolArchiveUnreadable}},
		{"a.cab", "a/b", []byte("MSCF\x00\x00\x00\x00"), []string{SymbolArchiveUnreadable}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inspected(t, Settings{Archives: true}, tt.name, tt.mediaType, tt.content)
			if !slices.Equal(f.Symbols, tt.symbols) {
				t.Errorf("symbols %q, want %q", f.Symbols, tt.symbols)
			}
			types := []string{"multipart/mixed", "text/plain"}
			if !slices.Contains(types, tt.mediaType) {
				types = append(types, tt.mediaType)
			}
			if !slices.Equal(f.Types, types) {
				t.Errorf("types %q, want %q", f.Types, types)
			}
		})
	}
}

func TestNames(t *testing.T) {
	f := inspected(t, Settings{Archives: true}, "Договор № 1.pdf", "application/pdf", nil)
	if !slices.Equal(f.Names, []string{"Договор № 1.pdf"}) {
		t.Errorf("%q", f.Names)
	}
}

func TestComplex(t *testing.T) {
	message := "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b; name=x\n\n" + strings.Repeat("--b\n\n", 5000)
	f, err := New(Settings{Archives: true}).inspect(context.Background(), strings.NewReader(message))
	if err != nil || !slices.Contains(f.Symbols, SymbolComplex) || !slices.Contains(f.Names, "x") {
		t.Errorf("%v, %v", f, err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New(Settings{Archives: true}).inspect(ctx, strings.NewReader(attached("a.zip", "a/b", nil))); err == nil {
		t.Error("no error")
	}
}

// Content that cannot be kept is not content that is clean.
func TestNoRoom(t *testing.T) {
	content := bytes.Repeat([]byte("PK\x03\x04"), 256<<10)
	i := New(Settings{Archives: true, Dir: settings.StateDir(t.TempDir() + "/gone")})
	if f, err := i.inspect(context.Background(), strings.NewReader(attached("a.zip", "a/b", content))); err == nil {
		t.Errorf("%v", f)
	}
	i = New(Settings{Dir: settings.StateDir(t.TempDir() + "/gone")})
	if _, err := i.inspect(context.Background(), strings.NewReader(attached("a.zip", "a/b", content))); err != nil {
		t.Error(err)
	}
}

// Operators write rules on symbols: each stands in docs/policy.md.
func TestSymbolsAreDocumented(t *testing.T) {
	source, err := os.ReadFile("symbol.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	symbols := regexp.MustCompile(`= "([A-Z_]+)"`).FindAllSubmatch(source, -1)
	if len(symbols) < 11 {
		t.Errorf("%d symbols", len(symbols))
	}
	for _, s := range symbols {
		if !bytes.Contains(page, []byte("| `"+string(s[1])+"` |")) {
			t.Errorf("docs/policy.md does not name %s", s[1])
		}
	}
}

// The rule against programs that operators copy knows each symbol under which
// one may be in a message: a program in an archive in an archive is one.
func TestRuleAgainstPrograms(t *testing.T) {
	program := append([]byte("MZ\x90\x00"), make([]byte, 60)...)
	inner := archivetest.ZipOf(t, "invoice.exe")
	for _, page := range []string{"docs/policy.md", "contrib/policy.toml"} {
		rule := documented(t, page)
		for name, content := range map[string][]byte{
			"a.exe": program, "a.pdf.exe": program, "a.zip": inner, "cut.zip": inner[:40],
			"nested.zip": archivetest.RawZip(t, "", inner, zip.FileHeader{Name: "inner.zip"}),
		} {
			if f := inspected(t, Settings{Archives: true}, name, "application/octet-stream", content); !slices.ContainsFunc(f.Symbols, rule.MatchString) {
				t.Errorf("%s: %s passes with %q", page, name, f.Symbols)
			}
		}
		if f := inspected(t, Settings{Archives: true}, "a.zip", "application/zip", archivetest.ZipOf(t, "a.txt")); slices.ContainsFunc(f.Symbols, rule.MatchString) {
			t.Errorf("%s: texts are refused for %q", page, f.Symbols)
		}
	}
}

// Each symbol says which attachment it is about, inside archives and attached messages
// too; however many there are, what is said is bounded.
func TestAbout(t *testing.T) {
	program := append([]byte("MZ\x90\x00"), make([]byte, 60)...)
	letter := attached("a.exe", "a/b", program)
	for _, tt := range []struct {
		name    string
		content []byte
		symbol  string
		about   []string
	}{
		{"setup.exe", program, SymbolExecutable, []string{"setup.exe"}},
		{"holiday.jpg", program, SymbolExecutable, []string{"holiday.jpg"}},
		{"holiday.jpg", program, SymbolTypeMismatch, []string{"holiday.jpg"}},
		{"docs.zip", archivetest.ZipOf(t, "a/invoice.pdf.exe", "b.txt"), SymbolArchiveExecutable, []string{"docs.zip/a/invoice.pdf.exe"}},
		{"docs.zip", archivetest.ZipOf(t, "a/invoice.pdf.exe", "b.txt"), SymbolDoubleExtension, []string{"docs.zip/a/invoice.pdf.exe"}},
		{"docs.zip", archivetest.ZipOf(t, "1.exe", "2.exe", "3.exe", "4.exe", "5.exe"), SymbolArchiveExecutable, []string{"docs.zip/1.exe", "docs.zip/2.exe", "docs.zip/3.exe", "docs.zip/4.exe"}},
		{"docs.zip", archivetest.ZipOf(t, strings.Repeat("x", 300)+".exe"), SymbolArchiveExecutable, []string{"docs.zip/" + strings.Repeat("x", module.LongAbout-len("docs.zip/")) + "…"}},
		{"cut.zip", archivetest.ZipOf(t, "a.txt")[:60], SymbolArchiveUnreadable, []string{"cut.zip"}},
		{"letter.eml", []byte(letter), SymbolExecutable, []string{"letter.eml/a.exe"}},
	} {
		f := inspected(t, Settings{Archives: true}, tt.name, "application/octet-stream", tt.content)
		if got := f.Details[tt.symbol].About; !slices.Equal(got, tt.about) {
			t.Errorf("%s, %s: %q, want %q (all: %v)", tt.name, tt.symbol, got, tt.about, f.Details)
		}
	}
}
