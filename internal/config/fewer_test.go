package config

import (
	"strings"
	"testing"
)

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
	if want := "0 rules, which is 1 fewer than before; list partners: 1 entry, which is 1 fewer than before"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if more := before.Fewer(after); len(more) > 0 {
		t.Errorf("%q", more)
	}
}
