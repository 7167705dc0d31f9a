package attachment

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shared is a folder beside the repository.
func shared(t *testing.T, path ...string) string {
	t.Helper()
	for _, up := range []string{"../../../../..", "../../../.."} {
		dir := filepath.Join(append([]string{up, "shared"}, path...)...)
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s lies beside the repository in CI", filepath.Join(path...))
	}
	t.Skip("not beside the repository")
	return ""
}

// Of the cases made after public reports, those about archives; what names the
// parts of a message have is a question to package mail.
func TestReportedCases(t *testing.T) {
	dir := shared(t, "cases", "content")
	table, err := os.ReadFile(filepath.Join(dir, "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for line := range strings.Lines(string(table)) {
		row := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(row) < 3 || row[2] == "" || row[1] != "attachment_name" && row[1] != "module symbol" {
			continue
		}
		if row[0] < "r14" || row[0] >= "r18" {
			continue
		}
		asked++
		content, err := os.ReadFile(filepath.Join(dir, row[0]))
		if err != nil {
			t.Fatal(err)
		}
		f, err := New(Settings{Archives: true}).inspect(context.Background(), bytes.NewReader(bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n"))))
		if err != nil {
			t.Errorf("%s: %v", row[0], err)
		}
		found := slices.Contains(f.Symbols, row[2])
		if row[1] == "attachment_name" {
			found = slices.ContainsFunc(f.Names, func(name string) bool {
				return strings.HasSuffix(strings.ToLower(name), strings.ToLower(row[2]))
			})
		}
		if !found {
			t.Errorf("%s: %s %q is not there: %q, %q (%s)", row[0], row[1], row[2], f.Names, f.Symbols, strings.Join(row[3:], " "))
		}
	}
	if asked < 18 {
		t.Errorf("%d cases", asked)
	}
}
