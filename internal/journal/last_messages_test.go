package journal_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// The newest messages come whole, whatever number of entries each has in whichever
// journals, and however the entries of several lie among each other.
func TestLastMessages(t *testing.T) {
	dir := t.TempDir()
	begin := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	of := map[string][]*journal.Entry{}
	add := func(kind, ref string, ms int) {
		of[kind] = append(of[kind], &journal.Entry{Time: begin.Add(time.Duration(ms) * time.Millisecond), Kind: kind, Ref: ref, Verdict: "reject", Sender: ref})
	}
	for n := range 2000 {
		ref := fmt.Sprintf("m%04d", n)
		add(journal.Antivirus, ref, n*100)
		for r := range n % 5 {
			add(journal.Blocks, ref, n*100+20+r)
		}
		add(journal.Messages, ref, n*100+700) // seven others have begun meanwhile
	}
	add(journal.Blocks, "m0003", 2000*100+900) // of an old one: released
	for kind, entries := range of {
		slices.SortStableFunc(entries, func(a, b *journal.Entry) int { return a.Time.Compare(b.Time) })
		file(t, dir+"/"+kind+".jsonl", entries...)
	}
	for _, n := range []int{1, 3, 10, 300, 5000} {
		found := map[string]int{}
		last := time.Time{}
		_, err := journal.LastMessages(t.Context(), dir, journal.Query{}, n, func(e journal.Entry) error {
			if e.Time.Before(last) {
				t.Errorf("%d: %s stands behind a newer one", n, e.Ref)
			}
			last = e.Time
			found[e.Ref]++
			return nil
		})
		if err != nil || len(found) != min(n, 2000) || found["m0003"] == 0 {
			t.Errorf("of %d: %d messages, %v", n, len(found), err)
		}
		for k := range min(n, 2000) - 1 {
			i := 1999 - k
			if ref := fmt.Sprintf("m%04d", i); i != 3 && found[ref] != 2+i%5 {
				t.Errorf("of %d: %s has %d entries, want %d", n, ref, found[ref], 2+i%5)
			}
		}
	}
}

// A threshold is searched by its name, in plain and in packed journals.
func TestSearchThreshold(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	entries := []*journal.Entry{
		{Time: at, Kind: journal.Messages, Ref: "r1", Verdict: "reject", Reason: "weight 6.5 above 6"},
		{Time: at, Kind: journal.Messages, Ref: "r2", Verdict: "reject", Reason: "weight 66.5 above 66"},
		{Time: at, Kind: journal.Messages, Ref: "r3", Verdict: "reject", Rule: "weight", Reason: "rule weight"},
		{Time: at, Kind: journal.Messages, Ref: "r5", Verdict: "accept", Thresholds: []string{"threshold above 3"}},
		{Time: at, Kind: journal.Messages, Ref: "r4", Verdict: "accept", Rules: []journal.RuleHit{{Name: "threshold above 6", Shadow: true}}},
	}
	file(t, dir+"/messages.jsonl", entries...)
	file(t, dir+"/messages.jsonl.1.gz", entries...)
	for rule, want := range map[string][]string{
		"threshold above 6": {"r1", "r4"}, "weight above 6": {"r1", "r4"}, "Threshold  above 66": {"r2"}, "threshold above 7": nil, "threshold above 3": {"r5"}, "weight": {"r3"},
	} {
		refs, _ := search(t, dir, journal.Query{Rule: rule})
		if got := slices.Compact(slices.Sorted(slices.Values(refs))); !slices.Equal(got, want) || len(refs) != 2*len(want) {
			t.Errorf("%s: %q, want %q", rule, refs, want)
		}
	}
}
