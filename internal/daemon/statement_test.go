package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
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

// A damaged file is told, and costs no more than itself.
func TestBlockedDamaged(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Write(&journal.Entry{Kind: journal.Blocks, Time: at, Recipient: "a@example.org", Stage: "rcptto", Verdict: "reject", Reason: "quota"}), j.Close(),
		os.WriteFile(filepath.Join(dir, "blocks.jsonl.1.gz"), []byte("not packed"), 0o600)); err != nil {
		t.Fatal(err)
	}
	p := &Reporter{JournalDir: dir, Location: time.UTC, Now: func() time.Time { return at }, Book: new(price.Book)}
	a, err := p.Report(t.Context(), ReportRequest{By: "reason", From: "2026-11-01", To: "2026-11-30"})
	if err != nil || len(a.Rows) != 1 || a.Rows[0].Blocks != 1 || len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "blocks.jsonl.1.gz") {
		t.Errorf("%+v, %v", a, err)
	}
}

// A report of a store that cannot be used says that its sums may lack something.
func TestReportOfAFailingStore(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	p := &Reporter{JournalDir: t.TempDir(), Location: time.UTC, Now: func() time.Time { return at }, Book: new(price.Book), Failing: "read-only file system"}
	a, err := p.Report(t.Context(), ReportRequest{By: "reason"})
	if err != nil || len(a.Notes) == 0 || !strings.Contains(a.Notes[0], "may lack: read-only file system") {
		t.Errorf("%+v, %v", a, err)
	}
}

// What a record has of a message stands in the entry by which it was taken back.
func TestVoidEntries(t *testing.T) {
	entry := journal.Entry{Kind: journal.Blocks, Ref: "r", Verdict: "voided"}
	record := accounting.Record{Client: "sales", Recipient: "a@example.org", Sender: "b@example.com", ClientIP: "192.0.2.7", Direction: "inbound", Size: 900, MessageID: "<x@y>"}
	other := record
	other.Recipient, other.Client = "c@example.org", "office"
	all := voidEntries(entry, []accounting.Record{record, other})
	if len(all) != 2 || all[0].Recipient != "a@example.org" || all[0].Client != "sales" || all[1].Recipient != "c@example.org" || all[1].Client != "office" ||
		all[1].Sender != "b@example.com" || all[1].ClientIP != "192.0.2.7" || all[1].Size != 900 || all[1].Ref != "r" || all[1].Verdict != "voided" {
		t.Errorf("%+v", all)
	}
	if all := voidEntries(entry, nil); len(all) != 1 || all[0].Ref != "r" {
		t.Errorf("without a record: %+v", all)
	}
}
