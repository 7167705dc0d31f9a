package mail

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// truth is what is known of a corpus message.
type truth struct {
	ID                 string
	HeaderCountPostfix int      `json:"header_count_postfix"`
	SizeCRLF           int64    `json:"size_crlf"`
	Subject            *string  `json:"subject"`
	SubjectAlt         []string `json:"subject_alt"`
	ReceivedIPs        []string `json:"received_ips"`
	DebatableFields    []string `json:"debatable_fields"`
}

func (tr *truth) debatable(field string) bool { return slices.Contains(tr.DebatableFields, field) }

// corpus calls fn with every message of the corpus beside the repository.
func corpus(t *testing.T, fn func(t *testing.T, tr *truth, message []byte)) {
	t.Helper()
	dir := corpusDir(t)
	f, err := os.Open(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		tr := new(truth)
		if err := json.Unmarshal(s.Bytes(), tr); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, tr.ID+".eml"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(tr.ID, func(t *testing.T) { fn(t, tr, b) })
	}
	if n == 0 {
		t.Fatal("the corpus is empty")
	}
}

func corpusDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		if c := filepath.Join(parent, "shared", "corpus"); isDir(c) {
			return c
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no corpus beside the repository")
	}
	t.Skip("no corpus beside the repository")
	return ""
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestCorpusHeaders(t *testing.T) {
	corpus(t, func(t *testing.T, tr *truth, message []byte) {
		h, _ := SplitMessage(message)
		if len(h) != tr.HeaderCountPostfix {
			t.Errorf("%d fields, want %d", len(h), tr.HeaderCountPostfix)
		}
		if tr.debatable("subject") {
			return
		}
		subject, ok := h.Subject()
		switch {
		case tr.Subject == nil:
			if ok {
				t.Errorf("Subject %q, want none", subject)
			}
		case collapse(subject) != collapse(*tr.Subject) && !slices.ContainsFunc(tr.SubjectAlt, func(a string) bool { return collapse(a) == collapse(subject) }):
			t.Errorf("Subject\n%q, want\n%q", collapse(subject), collapse(*tr.Subject))
		}
	})
}

func TestCorpusTrace(t *testing.T) {
	corpus(t, func(t *testing.T, tr *truth, message []byte) {
		if tr.debatable("received_ips") {
			return
		}
		h, _ := SplitMessage(message)
		h = slices.DeleteFunc(h, func(f Field) bool { return strings.EqualFold(f.Name, "X-Originating-IP") })
		var want []netip.Addr
		for _, s := range tr.ReceivedIPs {
			want = append(want, netip.MustParseAddr(s))
		}
		if got := h.TraceIPs(); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
