package mail

import (
	"bufio"
	"encoding/json"
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
	DoubtfulIPs        []string `json:"received_ips_doubtful"`
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
