package daemon

import (
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// What was refused is counted by why; what was done to held mail is no block.
func TestBlocked(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	entry := func(recipient, stage, verdict, reason string, at time.Time) *journal.Entry {
		return &journal.Entry{Kind: journal.Blocks, Time: at, Gateway: "mx1", Recipient: recipient, Stage: stage, Verdict: verdict, Reason: reason}
	}
	if err := j.Write(
		entry("a@example.org", "rcptto", "tempfail", "quota (ref 1)", at), entry("<A@EXAMPLE.org>", "rcptto", "tempfail", "quota", at.Add(time.Hour)),
		entry("b@example.org", "complete", "reject", "weight 7.5 above 5", at), entry("c@example.org", "complete", "reject", "weight 12 above 5", at),
		entry("c@example.org", "complete", "reject", "virus Eicar-Test", at), entry("c@example.org", "complete", "tempfail", "accounting: no space left on device", at),
		entry("c@example.org", "rcptto", "reject", "", at), entry("c@example.org", "hold", "deleted", "", at),
		entry("c@example.org", "rcptto", "reject", "quota", at.AddDate(0, 0, 40)),
	); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	day, last, err := report.ParseDays("2026-11", at)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := report.Run(t.Context(), nil, report.Query{By: []report.Column{report.Reason}, From: day, To: last, Blocks: &blocked{dir: dir}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, r := range rows {
		got[r.Reason] = r.Blocks
	}
	for reason, n := range map[string]int64{"quota": 2, "weight above 5": 2, "virus": 1, "accounting": 1, "reject": 1} {
		if got[reason] != n {
			t.Errorf("%s: %d, want %d", reason, got[reason], n)
		}
	}
	rows, err = report.Run(t.Context(), nil, report.Query{By: []report.Column{report.Recipient, report.Reason}, From: day, To: last, Blocks: &blocked{dir: dir}})
	if err != nil || len(rows) != 6 || rows[0].Recipient != "a@example.org" || rows[0].Blocks != 2 {
		t.Errorf("%+v, %v", rows, err)
	}
	if _, err := report.Run(t.Context(), nil, report.Query{By: []report.Column{report.Reason}, From: day, To: last, Blocks: &blocked{dir: dir + "/none"}}); err != nil {
		t.Error("nothing was ever journalled: ", err)
	}
}
