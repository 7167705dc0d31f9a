package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
)

var moscow = time.FixedZone("Moscow", 3*60*60)

// store holds one month of mail of two clients, its borders included, and a
// void.
func store(t *testing.T) accounting.Store {
	t.Helper()
	now := time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{
		Location: moscow, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	mail := func(at time.Time, queue, client, recipient string, size int64) accounting.Record {
		base := accounting.Record{
			ID: fmt.Sprintf("mx1/%s/%d", queue, at.UnixMilli()), Time: at, Gateway: "mx1", QueueID: queue,
			Ref: "r", ClientIP: "192.0.2.7", Direction: "inbound", Verdict: "accept", Weight: "0",
		}
		return accounting.Charge(base, size, []accounting.Payer{{Recipient: recipient, Client: client}}, accounting.Sharing{})[0]
	}
	first := time.Date(2026, 10, 31, 21, 0, 0, 0, time.UTC)    // 1 November 00:00 in Moscow
	last := time.Date(2026, 11, 30, 20, 59, 59, 9e8, time.UTC) // 30 November 23:59:59.9
	after := time.Date(2026, 11, 30, 21, 0, 0, 0, time.UTC)    // 1 December
	before := time.Date(2026, 10, 31, 20, 59, 59, 0, time.UTC) // 31 October
	wrong := mail(last.Add(-time.Hour), "E", "sales", "a@example.org", 1000)
	batch := []accounting.Record{
		mail(before, "A", "sales", "a@example.org", 1), mail(first, "B", "sales", "a@example.org", 10),
		mail(last, "C", "sales", "=b@example.org", 200), mail(last, "D", "it", "c@example.net", 3000),
		wrong, accounting.VoidOf(wrong, last), mail(after, "F", "it", "c@example.net", 50000),
	}
	for range 2 { // a batch that comes twice counts once
		if err := s.Put(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func day(s string) time.Time {
	d, _, err := report.ParseDays(s, time.Now())
	if err != nil {
		panic(err)
	}
	return d
}

func november(by ...report.Column) report.Query {
	return report.Query{By: by, From: day("2026-11-01"), To: day("2026-11-30"), Location: moscow}
}

func TestRun(t *testing.T) {
	s := store(t)
	first := november(report.Client)
	first.To = day("2026-11-01")
	client := november(report.Recipient)
	client.Client = "sales"
	top := november(report.Recipient)
	top.Top = 1
	tests := []struct {
		name string
		q    report.Query
		want []report.Row
	}{
		{"client", november(report.Client), []report.Row{
			{Client: "it", Deliveries: 1, Size: 3000, Charged: 3000}, {Client: "sales", Deliveries: 2, Size: 210, Charged: 210},
		}},
		{"domain", november(report.Domain), []report.Row{
			{Domain: "example.net", Deliveries: 1, Size: 3000, Charged: 3000}, {Domain: "example.org", Deliveries: 2, Size: 210, Charged: 210},
		}},
		{"day", november(report.Day), []report.Row{
			{Day: "2026-11-01", Deliveries: 1, Size: 10, Charged: 10}, {Day: "2026-11-30", Deliveries: 2, Size: 3200, Charged: 3200},
		}},
		{"gateway", november(report.Gateway), []report.Row{{Gateway: "mx1", Deliveries: 3, Size: 3210, Charged: 3210}}},
		{"one day, from the records", first, []report.Row{{Client: "sales", Deliveries: 1, Size: 10, Charged: 10}}},
		{"of one client", client, []report.Row{
			{Recipient: "=b@example.org", Deliveries: 1, Size: 200, Charged: 200}, {Recipient: "a@example.org", Deliveries: 1, Size: 10, Charged: 10},
		}},
		{"the most", top, []report.Row{
			{Recipient: "c@example.net", Deliveries: 1, Size: 3000, Charged: 3000}, {Recipient: accounting.Other, Deliveries: 2, Size: 210, Charged: 210},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := report.Run(context.Background(), s, tt.q)
			if err != nil {
				t.Fatal(err)
			}
			var rows []report.Row // a client whose mail was all voided stands there with nothing
			for _, r := range got {
				r.Balance = nil
				if r.Deliveries != 0 || r.Size != 0 || r.Charged != 0 {
					rows = append(rows, r)
				}
			}
			if d := cmp.Diff(tt.want, rows); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A whole month comes from the counters where it can; the same days one by
// one come from the records.
func TestCountersAndRecordsAgree(t *testing.T) {
	s := store(t)
	sum := func(q report.Query) (total [3]int64) {
		rows, err := report.Run(context.Background(), s, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			total[0] += r.Deliveries
			total[1] += r.Size
			total[2] += r.Charged
		}
		return total
	}
	month := sum(november(report.Client))
	var days [3]int64
	for d := day("2026-11-01"); !d.After(day("2026-11-30")); d = d.AddDate(0, 0, 1) {
		q := november(report.Client)
		q.From, q.To = d, d
		for i, n := range sum(q) {
			days[i] += n
		}
	}
	if month != days || month != sum(november(report.Recipient)) {
		t.Errorf("the month has %v, its days %v, its recipients %v", month, days, sum(november(report.Recipient)))
	}
}

func TestBadQueries(t *testing.T) {
	s := store(t)
	backwards := november(report.Client)
	backwards.From, backwards.To = backwards.To, backwards.From
	for name, q := range map[string]report.Query{
		"by nothing": november(), "by a reason that nobody tells": november("reason"), "by rule": november("rule"), "by twice": november(report.Day, report.Day), "backwards": backwards,
	} {
		if _, err := report.Run(context.Background(), s, q); !errors.Is(err, report.ErrQuery) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrite(t *testing.T) {
	by := report.View{By: []report.Column{report.Recipient}}
	rows := []report.Row{{Recipient: "=cmd|'/c calc'!A1@example.org", Deliveries: 1234567, Size: 5, Charged: 4}, {Recipient: "a,\"b\"@example.org", Deliveries: 2}}
	var b bytes.Buffer
	if err := report.WriteCSV(&b, by, rows, report.RFC4180(), nil); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 3 || lines[2][0] != rows[1].Recipient || lines[1][1] != "1234567" {
		t.Errorf("CSV %q", lines)
	}
	if strings.ContainsAny(lines[1][0][:1], "=+-@\t\r") || !strings.HasSuffix(lines[1][0], rows[0].Recipient) {
		t.Errorf("a spreadsheet would calculate %q", lines[1][0])
	}
	if !strings.Contains(b.String(), "\r\n") {
		t.Error("RFC 4180 §2 ends lines in CRLF")
	}

	b.Reset()
	if err := report.WriteJSON(&b, by, rows); err != nil {
		t.Fatal(err)
	}
	var texts []struct {
		report.Row
		Cost string `json:"cost"`
	}
	if err := json.Unmarshal(b.Bytes(), &texts); err != nil {
		t.Fatal(err)
	}
	var back []report.Row
	for _, r := range texts {
		var err error
		if r.Row.Cost, err = price.ParseMoney(r.Cost); err != nil {
			t.Error(err)
		}
		back = append(back, r.Row)
	}
	if d := cmp.Diff(rows, back); d != "" {
		t.Errorf("JSON (-want +got):\n%s", d)
	}

	b.Reset()
	if err := report.WriteTable(&b, by, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"recipient", "deliveries", "1 234 567", "total", "1 234 569"} {
		if !strings.Contains(strings.ReplaceAll(b.String(), "\u00a0", " "), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
}

func TestWeeks(t *testing.T) {
	first, last, err := report.ParseDays("2026-W48", time.Now())
	if err != nil || first.Format(time.DateOnly) != "2026-11-23" || last.Format(time.DateOnly) != "2026-11-29" {
		t.Error(first, last, err)
	}
	if _, _, err := report.ParseDays("2026-W54", time.Now()); err == nil {
		t.Error("a year of 54 weeks")
	}
}
