package main

import (
	"slices"
	"strings"
	"testing"
)

// A sum below nothing is an argument wherever it stands, and the value of a flag stays
// with its flag.
func TestAmounts(t *testing.T) {
	for args, want := range map[string]string{
		"clients adjust sales -12.50 --note x":                 "clients adjust sales --note x -- -12.50",
		"clients adjust -5 sales":                              "clients adjust sales -- -5",
		"--policy p.toml clients adjust sales -12.50":          "--policy p.toml clients adjust sales -- -12.50",
		"clients adjust sales --note -5 -7":                    "clients adjust sales --note -5 -- -7",
		"clients adjust sales --id=-5 7":                       "clients adjust sales --id=-5 7",
		"clients adjust sales --note x -- -12.50":              "clients adjust sales --note x -- -12.50",
		"clients pay sales -12.50 --json --id a":               "clients pay sales --json --id a -- -12.50",
		"clients adjust sales -x":                              "clients adjust sales -x",
		"journal -5":                                           "journal -5",
		"clients adjust sales -1.50 -- 3":                      "clients adjust sales -- -1.50 3",
		"clients adjust sales --reverses invoice-17 --note -1": "clients adjust sales --reverses invoice-17 --note -1",
	} {
		if got := amounts(tree(), strings.Fields(args)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %s", args, got, want)
		}
	}
	h := newHouse(t)
	// Read as a sum, it gets as far as the daemon, which does not run.
	if o := h.run("clients", "adjust", "sales", "-12.50", "--note", "delivery"); o.code != exitAway {
		t.Errorf("%d %s", o.code, o.err)
	}
	if o := h.run("clients", "pay", "sales", "-12.50"); o.code != exitUsage || !strings.Contains(o.err, "clients adjust") {
		t.Errorf("%d %s", o.code, o.err)
	}
}
