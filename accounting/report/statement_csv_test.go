package report

import (
	"encoding/csv"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// The amounts of a statement in CSV sum to its closing balance, exactly, in a band and
// outside of it, under two versions; what people wrote is no formula.
func TestStatementCSV(t *testing.T) {
	terms := price.Terms{PerMiB: 1_500_001, PerDelivery: 20_000, Increment: 1000, Bands: []price.Band{{When: "Sa-Su 00:00-24:00", Percent: 33}}}
	old := storetest.Tariff(t, terms)
	terms.PerMiB++
	tariff := storetest.Tariff(t, terms)
	s := newStore(t, time.UTC, 0, old, tariff)
	at := time.Date(2026, 11, 13, 12, 0, 0, 0, time.UTC) // a Friday
	for i, one := range []*price.Tariff{old, old, tariff, tariff} {
		r := storetest.Usage(i, "sales", "a@example.org", at.Add(time.Duration(i)*13*time.Hour), 1234567, 1234567)
		r.Tariff, r.TariffVersion = one.Name, one.Version()
		if err := s.Put(t.Context(), []accounting.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []accounting.Record{
		{ID: "p1", Kind: accounting.Payment, Amount: "5000001", Note: "=1+1"}, {ID: "-a", Kind: accounting.Adjust, Amount: "-30", Note: "one, \"two\""},
		{ID: "fee/sales/2026-11", Kind: accounting.Fee, Amount: "700000"},
	} {
		e.Time, e.Gateway, e.Client, e.Currency, e.By = at, "mx1", "sales", "RUB", "root"
		if _, err := s.Enter(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	st, err := StatementOf(t.Context(), s, price.NewBook(old, tariff), "sales", "2026-11", storetest.Now)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := st.WriteCSV(&b, RFC4180(), time.UTC); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int {
		for i, head := range rows[0] {
			if head == name {
				return i
			}
		}
		t.Fatalf("no column %q in %q", name, rows[0])
		return 0
	}
	sum := new(big.Rat)
	amount := func(row []string) *big.Rat {
		n, ok := new(big.Rat).SetString(row[column("amount")])
		if !ok {
			t.Fatalf("%q", row)
		}
		return n
	}
	lines := map[string]int{}
	for _, row := range rows[1 : len(rows)-1] {
		sum.Add(sum, amount(row))
		lines[row[column("line")]+" "+row[column("band")]]++
	}
	if closing := rows[len(rows)-1]; closing[column("line")] != "closing" || amount(closing).Cmp(sum) != 0 {
		t.Errorf("the rows sum to %s:\n%s", sum.FloatString(20), &b)
	}
	if lines["usage "] != 1 || lines["usage Sa-Su 00:00-24:00 33%"] != 2 || lines["opening "] != 1 || lines["remainder "] != 1 || lines["fee "] != 1 {
		t.Errorf("%v\n%s", lines, &b)
	}
	if !strings.Contains(b.String(), "'=1+1") || !strings.Contains(b.String(), "'-a") {
		t.Errorf("%s", &b)
	}
	b.Reset()
	if err := st.WriteCSV(&b, Excel(), time.UTC); err != nil || !strings.Contains(b.String(), ";5,000001;RUB;root;") {
		t.Errorf("%v\n%s", err, &b)
	}
}
