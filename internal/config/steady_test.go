package config

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
	write(t, path, "a.example\n")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	text, reads := "", 0
	err = steady(f, func() error {
		reads++
		b, err := os.ReadFile(path)
		text = string(b)
		if reads < 3 {
			write(t, path, text+"b.example\n")
		}
		return err
	})
	if err != nil || reads != 3 || strings.Count(text, "\n") != 3 {
		t.Errorf("%v after %d reads: %q", err, reads, text)
	}
	reads = 0
	err = steady(f, func() error {
		reads++
		write(t, path, strings.Repeat("x", reads))
		return nil
	})
	if !errors.Is(err, errWritten) || reads != tries {
		t.Errorf("%v after %d reads", err, reads)
	}
}

// A reload says what there is less of.
func TestFewer(t *testing.T) {
	load := func(entries, rules string) *Config {
		c, problems, _ := loadText(t, minimal+"[lists]\npartners = ["+entries+"]\n"+rules, nil)
		if c == nil {
			t.Fatal(problems)
		}
		return c
	}
	rule := "[[rule]]\nname = \"a\"\nstage = \"headers\"\nmatch.subject = \"x\"\nweight = 1\n"
	before, after := load(`"a.example", "b.example"`, rule), load(`"a.example"`, "")
	got := strings.Join(after.Fewer(before), "; ")
	if want := "0 rules, 1 fewer; list partners: 1 entry, 1 fewer"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if more := before.Fewer(after); len(more) > 0 {
		t.Errorf("%q", more)
	}
}
