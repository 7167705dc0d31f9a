package document

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that changes while it is read is read again, to its end.
func TestSteady(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.txt")
	put(t, path, "a.example\n")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	text, reads := "", 0
	err = Steady(f, func() error {
		reads++
		b, err := os.ReadFile(path)
		text = string(b)
		if reads < 3 {
			put(t, path, text+"b.example\n")
		}
		return err
	})
	if err != nil || reads != 3 || strings.Count(text, "\n") != 3 {
		t.Errorf("%v after %d reads: %q", err, reads, text)
	}
	reads = 0
	err = Steady(f, func() error {
		reads++
		put(t, path, strings.Repeat("x", reads))
		return nil
	})
	if !errors.Is(err, errWritten) || reads != tries {
		t.Errorf("%v after %d reads", err, reads)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
