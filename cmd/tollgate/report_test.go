package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// account puts one delivery for each client into the embedded store.
func (h *house) account(at time.Time, clients ...string) {
	h.t.Helper()
	if err := os.MkdirAll(h.path("state"), 0o750); err != nil {
		h.t.Fatal(err)
	}
	s, err := embedded.Open(h.path("state/"+"account.db"), embedded.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	var batch []accounting.Record
	for i, c := range clients {
		base := accounting.Record{
			ID: fmt.Sprintf("mx1.example.org/Q%d/%d", i, at.UnixMilli()), Kind: accounting.Usage, Time: at, Gateway: "mx1.example.org",
			QueueID: fmt.Sprintf("Q%d", i), Direction: "inbound", Verdict: "accept", Weight: "0",
		}
		batch = append(batch, accounting.Charge(base, 1000, []accounting.Payer{{Recipient: c + "@example.org", Client: c}}, accounting.Sharing{})...)
	}
	if err := s.Put(h.t.Context(), batch); err != nil {
		h.t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// The daemon and the command without one say the same.
func TestReport(t *testing.T) {
	at := time.Now().UTC().Truncate(time.Millisecond)
	h := newHouse(t)
	h.account(at, "sales", "sales", "it")
	day := at.Format(time.DateOnly)
	span := []string{"--from", day, "--to", day}
	tests := []struct {
		args string
		want string
	}{
		{"--csv", "client,deliveries,size,charged,included,cost,currency,balance,name,fee\r\nit,1,1000,1000,0,0.00,,0.00,,0.00\r\nsales,2,2000,2000,0,0.00,,0.00,,0.00\r\n"},
		{"--csv --by recipient,day --client it", "recipient,day,deliveries,size,charged,included,cost,currency\r\nit@example.org," + day + ",1,1000,1000,0,0.00,\r\n"},
		{"--csv --top 1 --by tariff,client", "tariff,client,deliveries,size,charged,included,cost,currency\r\n,sales,2,2000,2000,0,0.00,\r\n_other,,1,1000,1000,0,0.00,\r\n"},
		{"--csv=excel --total --by client --client it", "\ufeffclient;deliveries;size;charged;included;cost;currency;balance;name;fee\r\nit;1;1000;1000;0;0,00;;0,00;;0,00\r\ntotal;1;1000;1000;0;0,00;;;;0,00\r\n"},
		{"--csv --client nobody", "client,deliveries,size,charged,included,cost,currency,balance,name,fee\r\n"},
		{"--csv --by reason", "reason,blocks\r\n"},
		{"--verify", "3 records in 2 periods of 2 clients computed anew: all agrees\n"},
	}
	check := func() {
		t.Helper()
		for _, tt := range tests {
			if out := h.mustRun(append(append([]string{"report"}, strings.Fields(tt.args)...), span...)...); out != tt.want {
				t.Errorf("%s: %q, want %q", tt.args, out, tt.want)
			}
		}
		for args, want := range map[string]string{"report": "sales", "report --json": `"client":"sales"`, "report --by day,gateway": "mx1.example.org",
			"report --client salez": `there is no client "salez"; did you mean "sales"?`, "report --utc": ", UTC"} {
			if out := h.mustRun(append(strings.Fields(args), span...)...); !strings.Contains(out, want) {
				t.Errorf("%s: %s", args, out)
			}
		}
	}
	check()
	d := h.serve()
	check()
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestReportSpan(t *testing.T) {
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 30, 22, 0, 0, 0, time.UTC) // the 1st of December there
	tests := []struct{ from, to, first, last string }{
		{"", "", "2026-12-01", "2026-12-01"},
		{"2026-11-05", "", "2026-11-05", "2026-12-01"},
		{"", "2026-11-20", "2026-11-01", "2026-11-20"},
		{"2026-10-01", "2026-10-31", "2026-10-01", "2026-10-31"},
		{"2026-12-01", "", "2026-12-01", "2026-12-01"}, // not yet in UTC
		{"2026-10", "", "2026-10-01", "2026-10-31"},
		{"last month", "", "2026-11-01", "2026-11-30"},
		{"yesterday", "", "2026-11-30", "2026-12-01"},
		{"2026-02", "2026-10", "2026-02-01", "2026-10-31"},
		{"05.11.2026", "today", "2026-11-05", "2026-12-01"},
	}
	for _, tt := range tests {
		q, err := daemon.ReportRequest{By: "client", From: tt.from, To: tt.to}.Query(moscow, now)
		if err != nil || q.From.Format(time.DateOnly) != tt.first || q.To.Format(time.DateOnly) != tt.last || q.Location != moscow || len(q.By) != 1 || q.By[0] != report.Client {
			t.Errorf("%s to %s: %+v, %v", tt.from, tt.to, q, err)
		}
	}
}
