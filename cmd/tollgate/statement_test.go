package main

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/report"
)

func account() *report.Statement {
	at := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	return &report.Statement{
		Client: "sales", Name: "Sales department", Period: "2026-11", Currency: "RUB", Opening: -1_744_760, Paid: 500_000_000, Adjusted: -12_504_999, Fee: 100_000_000,
		Cost: 567_916, Remainder: "0.412353515625", Closing: 385_182_325,
		Entries: []report.Entry{
			{ID: "fee/2026-11", Kind: "fee", Time: at, Amount: 100_000_000},
			{ID: "payment/20261128T102355Z/36b4ac2767090ea4", Kind: "payment", Time: at, Amount: 500_000_000, By: "root"},
			{ID: "invoice-17", Kind: "adjustment", Time: at, Amount: -12_504_999, By: "root", Note: "delivery of 23 November that came twice because of a cable, as the provider writes in his letter"},
		},
		Usage: []report.UsageLine{
			{Tariff: "office", Version: "35be25f5f9d4fc2b", Band: 1, Deliveries: 26, Charged: 33_496, Priced: 33_496, Amount: "567916.412353515625"},
			{Deliveries: 1, Charged: 245, Amount: "0"},
		},
	}
}

// What a client is given is readable, and adds up as it stands there; what was computed
// is to be had as well.
func TestStatementText(t *testing.T) {
	var short, exact strings.Builder
	if err := printStatement(&short, account(), time.UTC); err != nil {
		t.Fatal(err)
	}
	if err := exactStatement(&exact, account(), time.UTC); err != nil {
		t.Fatal(err)
	}
	golden(t, "statement.golden", short.String()+"\n"+exact.String())
}

// Whatever the sums are: the lines add up to the closing balance, to the last unit that
// is shown, and none is more than one unit off.
func TestStatementAddsUp(t *testing.T) {
	for _, currency := range []string{"RUB", "JPY", "KWD", ""} {
		for seed := range int64(200) {
			s := &report.Statement{Currency: currency, Opening: seed*seed*7919%3_000_017 - 1_500_000, Closing: 0}
			s.Closing = s.Opening
			for n := range seed % 7 {
				e := report.Entry{Kind: "payment", ID: "x", Amount: (seed+n)*104_729%2_000_003 - 900_000}
				s.Entries, s.Closing = append(s.Entries, e), s.Closing+e.Amount
			}
			for n := range seed % 3 {
				cost := (seed + n) * 15_485_863 % 700_001
				s.Usage, s.Closing = append(s.Usage, report.UsageLine{Tariff: "t", Amount: price6(cost) + ".25"}), s.Closing-cost
			}
			var b strings.Builder
			if err := printStatement(&b, s, time.UTC); err != nil {
				t.Fatal(err)
			}
			var sums []int64
			for line := range strings.Lines(b.String()) {
				fields := strings.Fields(line)
				if n, ok := smallest(fields[len(fields)-1]); ok {
					sums = append(sums, n)
				}
			}
			sum := int64(0)
			for _, n := range sums[:len(sums)-1] {
				sum += n
			}
			scale := int64(1)
			for range 6 - decimals(currency) {
				scale *= 10
			}
			if last := sums[len(sums)-1]; sum != last || last*scale-s.Closing > scale/2 || s.Closing-last*scale > scale/2 {
				t.Fatalf("%s %d: the lines come to %d, %d is shown, %d it is\n%s", currency, seed, sum, last, s.Closing, b.String())
			}
		}
	}
}

func price6(n int64) string { return strconv.FormatInt(n, 10) }

// smallest reads a sum in its last decimal.
func smallest(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.Replace(text, ".", "", 1), 10, 64)
	return n, err == nil
}

// Who pays reads when a band holds, and which version of a tariff a line is of where
// its price was changed.
func TestStatementNamesBandAndVersion(t *testing.T) {
	s := &report.Statement{Client: "sales", Period: "2026-11", Currency: "RUB", Usage: []report.UsageLine{
		{Tariff: "office", Version: "35be25f5f9d4fc2b", Band: 1, When: "Sa-Su 00:00-24:00", Percent: 50, Deliveries: 1},
		{Tariff: "office", Version: "77be25f5f9d4fc2b", Deliveries: 1}, {Tariff: "daily", Version: "11be25f5f9d4fc2b", Deliveries: 1},
	}}
	var b strings.Builder
	if err := printStatement(&b, s, time.UTC); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tariff office, version 35be25f5, Sa-Su 00:00-24:00 at 50 %: 1", "tariff office, version 77be25f5: 1", "tariff daily: 1"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}
