package history

import (
	"strings"
	"testing"
)

// Who asks for the policy before the only one is told in words.
func TestNoneBefore(t *testing.T) {
	_, err := Find([]Entry{{Number: 1}}, "previous")
	if err == nil || strings.Contains(err.Error(), "-1") || !strings.Contains(err.Error(), "before this one") {
		t.Error(err)
	}
}

// What a rollback took back is not "previous": given again, it goes one further, and
// never forth and back. By its number it is found as before.
func TestPreviousOfRollbacks(t *testing.T) {
	var all []Entry
	add := func(how, hash string) {
		all = append(all, Entry{Number: len(all) + 1, How: how, Hash: hash})
	}
	previous := func() string {
		e, err := Find(all, "previous")
		if err != nil {
			return err.Error()
		}
		return e.Hash
	}
	for _, hash := range []string{"aaaa", "bbbb", "cccc"} {
		add(Reload, hash)
	}
	for _, want := range []string{"bbbb", "aaaa"} {
		if got := previous(); got != want {
			t.Fatalf("previous is %s, want %s", got, want)
		}
		add(Rollback, want)
	}
	if got := previous(); !strings.Contains(got, "no policy") {
		t.Error(got)
	}
	if e, err := Find(all, "3"); err != nil || e.Hash != "cccc" {
		t.Error(e, err)
	}
	// One that is tried anew counts again; one further back than any that is kept ends none.
	add(Reload, "cccc")
	if got := previous(); got != "aaaa" {
		t.Error(got)
	}
	add(Rollback, "0000")
	if got := previous(); got != "cccc" {
		t.Error(got)
	}
}
