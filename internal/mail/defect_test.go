package mail

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sound is a message without a defect, and each of the others has one.
const sound = "From: a@example.com\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\n"

func TestDefects(t *testing.T) {
	const mixed = sound + "Content-Type: multipart/mixed; boundary=b\n\n"
	for _, tt := range []struct{ name, message, want string }{
		{"nothing", mixed + "--b\nContent-Type: a/b; name=x\nContent-Transfer-Encoding: base64\n\neA==\n--b--\n", ""},
		{"no MIME", "From: a\nDate: b\n\ntext\n", ""},
		{"no From", "Date: b\n\ntext\n", "field_missing"},
		{"no Date", "From: b\n\ntext\n", "field_missing"},
		{"two From", "From: a\nFrom: b\nDate: b\n\ntext\n", "field_repeated"},
		{"two types", mixed + "--b\nContent-Type: a/b\nContent-Type: a/b\n\n--b--\n", "field_repeated"},
		{"no version", "From: a\nDate: b\nContent-Type: text/plain\n\n", "mime_version_missing"},
		{"no field", "From: a\nDate: b\nno field\n\n", "header_line"},
		{"octets", "From: a\xff\nDate: b\n\n", "header_octets"},
		{"UTF-8", "From: Анна\nDate: b\n\n", ""},
		{"NUL", sound + "\na\x00b\n", "nul"},
		{"CR", sound + "\na\rb\r\n", "bare_cr"},
		{"a long line", sound + "\n" + strings.Repeat("x", 999) + "\n", "long_line"},
		{"a line that is not", sound + "\r\n" + strings.Repeat("x", 998) + "\r\n", ""},
		{"a very long line", sound + "\n" + strings.Repeat("x", 100000) + "\n", "long_line"},
		{"no type", sound + "Content-Type: text\n\n", "type_syntax"},
		{"a bad parameter", sound + "Content-Type: text/plain; x=a b\n\n", "parameter_syntax"},
		{"quotes without end", sound + "Content-Type: text/plain; x=\"a b\n\n", "parameter_syntax"},
		{"a semicolon at the end", sound + "Content-Type: text/plain (c); x=a ;\n\n", ""},
		{"a comma", sound + "Content-Type: text/plain, x=a\n\n", "parameter_syntax"},
		{"a parameter twice", sound + "Content-Type: text/plain; x=a; X=b\n\n", "parameter_repeated"},
		{"two names", sound + "Content-Type: a/b; name=a\nContent-Disposition: attachment; filename=b\n\n", "names_differ"},
		{"no boundary", sound + "Content-Type: multipart/mixed\n\n", "boundary_missing end_missing"},
		{"two boundaries", sound + "Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--b\n\n--b--\n", "parameter_repeated boundaries_differ"},
		{"an empty boundary", sound + "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\n----\n", "boundary_syntax"},
		{"a long boundary", sound + "Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 71) + "\n\n--" + strings.Repeat("b", 71) + "--\n", "boundary_syntax"},
		{"no end", mixed + "--b\n\n", "end_missing"},
		{"an unknown encoding", sound + "Content-Transfer-Encoding: x-what\n\n", "encoding_unknown"},
		{"two encodings", sound + "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\neA==\n", "encodings_differ"},
		{"no encoding", mixed + "--b\nContent-Type: a/b\n\n" + strings.Repeat("eHh4", 15) + "\n--b--\n", "encoding_undeclared"},
		{"an encoded message", sound + "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTpiCgp4\n", "encoding_of_parts"},
	} {
		l, err := ListParts(nil, strings.NewReader(tt.message), "")
		if err != nil || strings.Join(l.Defects, " ") != tt.want {
			t.Errorf("%s: %q, want %s, %v", tt.name, l.Defects, tt.want, err)
		}
	}
}

// TestDefectNames holds documentation to the table.
func TestDefectNames(t *testing.T) {
	if len(Defects()) != int(defectCount) {
		t.Fatalf("%d rows for %d defects", len(Defects()), defectCount)
	}
	for _, doc := range []string{"policy.md", "man/policy.toml.5"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "docs", doc))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range Defects() {
			if !strings.Contains(string(b), d.Name) || doc == "policy.md" && !strings.Contains(string(b), "| `"+d.Name+"` | "+d.Text+" |") {
				t.Errorf("%s does not have %s", doc, d.Name)
			}
		}
	}
}

// TestCorpusDefects: what legitimate mail of the corpus is said to be. No
// message of it has a part that cannot be read.
func TestCorpusDefects(t *testing.T) {
	counts := make(map[string]int)
	corpus(t, func(t *testing.T, _ *truth, message []byte) {
		l, err := ListParts(nil, strings.NewReader(string(message)), "")
		if err != nil || slices.Contains(l.Defects, "part_unread") {
			t.Error(l.Defects, err)
		}
		for _, d := range l.Defects {
			counts[d]++
		}
	})
	t.Log(counts)
}
