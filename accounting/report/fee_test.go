package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/report"
)

// Fees stand in a report by client, whether counters or records were added up; a
// client that has a fee and no mail is in it. Other reports have none.
func TestFees(t *testing.T) {
	s := store(t)
	ledger := s.(accounting.Ledger)
	enter := func(kind, client, period string, at time.Time, amount string) {
		t.Helper()
		r := accounting.Record{
			ID: fmt.Sprintf("%s/%s/%s", kind, client, period), Kind: kind, Time: at, Gateway: "mx1", Client: client, Currency: "RUB", Amount: amount, Period: period,
		}
		if booked, err := ledger.Enter(t.Context(), r); err != nil || !booked {
			t.Fatal(booked, err)
		}
	}
	at := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	enter(accounting.Fee, "sales", "2026-11", at, "150000000")
	enter(accounting.Fee, "idle", "2026-11", at, "99")
	enter(accounting.Fee, "idle", "2026-12", time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC), "7")
	enter(accounting.Payment, "sales", "2026-11", at, "1000")
	for _, tt := range []struct{ by, from, to, want string }{
		{"client", "2026-11-01", "2026-11-30", "idle 99 RUB, it 0 , sales 150000000 RUB"},
		{"client", "2026-11-01", "2026-11-29", "idle 99 RUB, sales 150000000 RUB"},
		{"client", "2026-11-03", "2026-11-29", ""},
		{"client", "2026-11-01", "2026-12-31", "idle 106 RUB, it 0 , sales 150000000 RUB"},
		{"client", "2026-11-02", "2026-12-31", "idle 106 RUB, it 0 , sales 150000000 RUB"},
		{"client,day", "2026-11-01", "2026-11-30", "it 0 , sales 0 , sales 0 "},
	} {
		by, err := report.ParseBy(tt.by)
		if err != nil {
			t.Fatal(err)
		}
		date := func(text string) time.Time {
			d, err := time.Parse(time.DateOnly, text)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		rows, err := report.Run(t.Context(), s, report.Query{By: by, From: date(tt.from), To: date(tt.to), Location: moscow})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprintf("%s %d %s", r.Client, r.Fee, r.Currency))
		}
		if all := strings.Join(got, ", "); all != tt.want {
			t.Errorf("%s, %s to %s: %s, want %s", tt.by, tt.from, tt.to, all, tt.want)
		}
		if tt.by != "client" || len(rows) != 3 || tt.from != "2026-11-01" || tt.to != "2026-11-30" {
			continue
		}
		v := report.View{By: by}
		for form, want := range map[string]string{
			"table": "99  0.000099", "csv": "currency,balance,name,fee\r\nidle,0,0,0,0,0.00,RUB,-0.000106,,0.000099\r\n", "total": "total,2,210,210,0,0.00,RUB,,,150.000099\r\n",
			"json": `"balance":"-149.999","fee":"150.00"}`,
		} {
			var b bytes.Buffer
			switch form {
			case "table":
				want = "0.000099"
				err = report.WriteTable(&b, v, rows)
			case "json":
				err = report.WriteJSON(&b, v, rows)
			default:
				err = report.WriteCSV(&b, v, rows, report.RFC4180(), report.Totals(rows))
			}
			if err != nil || !strings.Contains(b.String(), want) {
				t.Errorf("%v, %q is missing in %s", err, want, b.String())
			}
		}
	}
}
