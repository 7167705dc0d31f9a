package mail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

// rows reads a table of shared/cases/content; its first line says what the
// columns are.
func rows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(casesDir(t), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]string
	for s := bufio.NewScanner(f); s.Scan(); {
		if !strings.HasPrefix(s.Text(), "#") {
			all = append(all, strings.Split(s.Text(), "\t"))
		}
	}
	return all
}

func casesDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(filepath.Dir(corpusDir(t)), "cases", "content")
	if !isDir(dir) {
		if os.Getenv("CI") != "" {
			t.Fatal("no cases beside the repository")
		}
		t.Skip("no cases beside the repository")
	}
	return dir
}

// TestCases reads the messages made after bug reports: the names of files. What lies in archives is the business of the module
// attachment.
func TestCases(t *testing.T) {
	for _, row := range rows(t, "expected.tsv") {
		if len(row) < 3 {
			continue
		}
		file, what, want := row[0], row[1], row[2]
		t.Run(file, func(t *testing.T) {
			message, err := os.ReadFile(filepath.Join(casesDir(t), file))
			if err != nil {
				t.Fatal(err)
			}
			switch what {
			case "subject":
				h, _ := SplitMessage(message)
				if got := h.Subjects("auto"); !slices.ContainsFunc(got, func(s string) bool { return regexp.MustCompile("(?i)" + want).MatchString(strings.TrimSpace(s)) }) {
					t.Errorf("%q, want %s", got, want)
				}
			case "tag once":
				h, _ := SplitMessage(message)
				raw, _ := h.Get("Subject")
				if value, changed := fieldtext.TagSubject(raw, []string{"[СПАМ]"}, h.Charset("auto")); changed {
					t.Errorf("%q", value)
				}
			case "attachment_name":
				wire := bytes.ReplaceAll(message, []byte("\n"), []byte("\r\n"))
				if inArchive.MatchString(file) {
					if !hasZip(t, wire) && strings.HasPrefix(file, "r13") {
						t.Error("the archive is not decoded")
					}
					return
				}
				l, err := ListParts(nil, bytes.NewReader(wire), "")
				if err != nil && !errors.Is(err, ErrComplex) {
					t.Fatal(err)
				}
				if !slices.ContainsFunc(l.Names, func(name string) bool { return strings.Contains(name, want) }) {
					t.Errorf("%q, want %q, %q", l.Names, want, l.Defects)
				}
			}
		})
	}
}

// inArchive are cases whose name is that of a file within another.
var inArchive = regexp.MustCompile(`^r1[3467]`)

func hasZip(t *testing.T, wire []byte) bool {
	found := false
	if err := ReadParts(nil, bytes.NewReader(wire), func(p *Part) error {
		b, err := io.ReadAll(p.Body)
		found = found || bytes.HasPrefix(b, []byte("PK"))
		return err
	}); err != nil {
		t.Error(err)
	}
	return found
}
