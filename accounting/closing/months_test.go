package closing_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/archive"
	"github.com/tollgate-mail/tollgate/accounting/closing"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

var monthsClients = flag.Int("months.clients", 25, "clients in TestTwoMonths")

// bill is a client's month as it is worked out here, in fractions, from nothing
// but what happened.
type bill struct {
	deliveries, charged, included, copies int64
	cost                                  *big.Rat
	paid, adjusted, fee                   int64
	amounts                               map[string]*big.Rat // of each record, for its void
	inc                                   map[string][2]int64
}

// books are those of all clients, by "client month".
type books map[string]*bill

func (b books) of(client, month string) *bill {
	k := client + " " + month
	if b[k] == nil {
		b[k] = &bill{cost: new(big.Rat), amounts: map[string]*big.Rat{}, inc: map[string][2]int64{}}
	}
	return b[k]
}

// use prices a delivery in the order in which it came.
func (b *bill) use(r *accounting.Record, t *price.Tariff) {
	b.deliveries++
	b.charged += r.Charged
	if t == nil {
		return
	}
	priced := (r.Charged + t.Increment - 1) / t.Increment * t.Increment
	free := min(priced, max(0, t.Included-b.included))
	cost := big.NewRat((priced-free)*t.PerMiB, 1<<20)
	copies := int64(0)
	if b.copies < t.IncludedDeliveries {
		copies = 1
	} else {
		cost.Add(cost, big.NewRat(t.PerDelivery, 1))
	}
	if day := r.Time.Weekday(); len(t.Bands) > 0 && (day == time.Saturday || day == time.Sunday) {
		cost.Mul(cost, big.NewRat(t.Bands[0].Percent, 100))
	}
	b.included += free
	b.copies += copies
	b.cost.Add(b.cost, cost)
	b.amounts[r.ID], b.inc[r.ID] = cost, [2]int64{free, copies}
}

// void takes a delivery back.
func (b *bill) void(r *accounting.Record) {
	b.deliveries--
	b.charged -= r.Charged
	if cost := b.amounts[r.ID]; cost != nil {
		b.cost.Sub(b.cost, cost)
		b.included -= b.inc[r.ID][0]
		b.copies -= b.inc[r.ID][1]
	}
}

// whole is the cost in whole millionths, rounded down.
func (b *bill) whole() int64 { return new(big.Int).Div(b.cost.Num(), b.cost.Denom()).Int64() }

// Two months of generated traffic: report, statement, close, archive and
// verification agree with what is recomputed here and in Python.
func TestTwoMonths(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	list := []*price.Tariff{nil}
	for _, terms := range []price.Terms{
		{Name: "bytes", PerMiB: 1_234_567, Fee: 5_000_000},
		{Name: "copies", PerMiB: 1_500_001, PerDelivery: 20_000, Increment: 1024, Included: 3 << 20, IncludedDeliveries: 5,
			Bands: []price.Band{{When: "Sa-Su 00:00-24:00", Percent: 50}}},
	} {
		list = append(list, storetest.Tariff(t, terms))
	}
	book := price.NewBook(list[1:]...)
	dir := t.TempDir()
	s, err := embedded.Open(filepath.Join(dir, "account.db"), embedded.Options{Book: book, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := traffic(t, s, list, &now)
	now = time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	if err := s.Heartbeat(t.Context(), "mx1", 0); err != nil {
		t.Fatal(err)
	}
	for _, month := range []string{"2026-10", "2026-11"} {
		compare(t, s, b, book, month)
		q := query(month, now)
		if q.Archive = dir; month == "2026-11" {
			q.Archive = "" // closed, and archived later
		}
		if _, err := closing.Close(t.Context(), s, q); err != nil {
			t.Fatal(err)
		}
		q.Archive = dir
		if _, err := closing.Close(t.Context(), s, q); err != nil {
			t.Fatal(err)
		}
		compare(t, s, b, book, month)
	}
	python(t, s, b, book, dir)
}

// traffic makes two months of mail, payments and fees.
func traffic(t *testing.T, s *embedded.Store, tariffs []*price.Tariff, now *time.Time) books {
	t.Helper()
	random, b := rand.New(rand.NewPCG(11, 12)), books{}
	var batch, voidable []accounting.Record
	flush := func() {
		if err := s.Put(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		batch = batch[:0]
	}
	for i := range 60 * *monthsClients {
		*now = now.Add(time.Duration(random.Int64N(int64(2 * 60 * 24 * time.Hour / time.Duration(60**monthsClients)))))
		if !now.Before(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) {
			break
		}
		at := now.Truncate(time.Millisecond)
		var payers []accounting.Payer
		for k := range 1 + random.IntN(4) {
			n := random.IntN(*monthsClients)
			payers = append(payers, accounting.Payer{Recipient: fmt.Sprintf("u%d@d%d.example", k, n), Client: "c" + strconv.Itoa(n)})
		}
		base := accounting.Record{
			ID: fmt.Sprintf("mx1/Q%X/%d", i, at.UnixMilli()), Time: at, Gateway: "mx1", QueueID: fmt.Sprintf("Q%X", i),
			Direction: "inbound", Verdict: "accept", Weight: "0",
		}
		records := accounting.Charge(base, random.Int64N(1<<20), payers, accounting.Sharing{Split: i%2 == 0})
		for k := range records {
			n, _ := strconv.Atoi(records[k].Client[1:])
			if tariff := tariffs[n%3]; tariff != nil {
				records[k].Tariff, records[k].TariffVersion = tariff.Name, tariff.Version()
			}
			b.of(records[k].Client, at.Format("2006-01")).use(&records[k], tariffs[n%3])
		}
		batch = append(batch, records...)
		voidable = append(voidable, records[0])
		if random.IntN(20) == 0 {
			r := voidable[random.IntN(len(voidable))]
			voidable = slices.DeleteFunc(voidable, func(o accounting.Record) bool { return o.ID == r.ID })
			if r.Time.Month() == at.Month() {
				batch = append(batch, accounting.VoidOf(r, at))
				b.of(r.Client, r.Time.Format("2006-01")).void(&r)
			}
		}
		if random.IntN(30) == 0 {
			flush()
			enter(t, s, b, i, random, at)
		}
		if len(batch) > 400 {
			flush()
		}
	}
	flush()
	return b
}

// enter books a payment, an adjustment or a fee.
func enter(t *testing.T, s *embedded.Store, b books, i int, random *rand.Rand, at time.Time) {
	t.Helper()
	r := accounting.Record{
		ID: "e" + strconv.Itoa(i), Kind: []string{accounting.Payment, accounting.Adjust, accounting.Fee}[random.IntN(3)], Time: at, Gateway: "mx1",
		Client: "c" + strconv.Itoa(random.IntN(*monthsClients)), Currency: "RUB", By: "root", Note: "because",
	}
	n := 1 + random.Int64N(1e9)
	r.Amount = strconv.FormatInt(n, 10)
	if ok, err := s.Enter(t.Context(), r); err != nil || !ok {
		t.Fatal(ok, err)
	}
	switch m := b.of(r.Client, at.Format("2006-01")); r.Kind {
	case accounting.Payment:
		m.paid += n
	case accounting.Adjust:
		m.adjusted += n
	case accounting.Fee:
		m.fee += n
	}
}

// compare looks at a month through reports and statements.
func compare(t *testing.T, s *embedded.Store, b books, book *price.Book, month string) {
	t.Helper()
	over, err := archive.Over(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	first, last, err := report.ParseDays(month, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range [][]report.Column{{report.Client}, {report.Client, report.Day}, {report.Client, report.Domain}, {report.Client, report.Tariff}} {
		rows, err := report.Run(t.Context(), over, report.Query{By: by, From: first, To: last})
		if err != nil {
			t.Fatal(err)
		}
		sums := map[string]*report.Row{}
		for _, r := range rows {
			if sums[r.Client] == nil {
				sums[r.Client] = &report.Row{}
			}
			total := report.Totals([]report.Row{*sums[r.Client], r})
			sums[r.Client] = &total[0]
		}
		for i := range *monthsClients {
			client := "c" + strconv.Itoa(i)
			want := b.of(client, month)
			got := sums[client]
			if got == nil {
				got = &report.Row{}
			}
			if got.Deliveries != want.deliveries || got.Charged != want.charged || got.Included != want.included || got.Cost != want.whole() {
				t.Fatalf("%s by %v: %+v, want %+v, %d", month, by, got, want, want.whole())
			}
		}
	}
	for i := range *monthsClients {
		client := "c" + strconv.Itoa(i)
		want := b.of(client, month)
		st, err := report.StatementOf(t.Context(), over, book, client, month, last.AddDate(1, 0, 0))
		if err == nil {
			err = st.Sum()
		}
		if err != nil || st.Cost != want.whole() || st.Paid != want.paid || st.Adjusted != want.adjusted || st.Fee != want.fee {
			t.Fatalf("statement of %s, %s: %+v, %v; want %+v", client, month, st, err, want)
		}
		if month == "2026-11" {
			before := b.of(client, "2026-10")
			if opening := before.paid + before.adjusted - before.fee - before.whole(); st.Opening != opening {
				t.Fatalf("statement of %s, %s opens with %d, want %d", client, month, st.Opening, opening)
			}
		}
	}
	_, end := (&report.Query{From: first, To: last}).Span()
	v, err := report.Verify(t.Context(), over, "", first, end)
	if err != nil || len(v.Problems) > 0 {
		t.Fatalf("%+v, %v", v, err)
	}
}

// python has the archives verified.
func python(t *testing.T, s *embedded.Store, b books, book *price.Book, dir string) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	seals, err := s.Closes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	args := []string{"../../contrib/audit/verify.py", filepath.Join(dir, "closes.jsonl"), filepath.Join(dir, "tariffs")}
	for _, seal := range seals {
		line, err := json.Marshal(seal)
		if err != nil {
			t.Fatal(err)
		}
		text, args = append(append(text, line...), '\n'), append(args, seal.Archive)
	}
	for name, content := range map[string][]byte{"closes.jsonl": text, "tariffs": book.Encode()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("python3", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	for key, m := range b {
		rest := new(big.Rat).Sub(m.cost, new(big.Rat).SetInt64(m.whole()))
		parts := new(big.Int).Div(new(big.Int).Mul(rest.Num(), big.NewInt(price.Parts)), rest.Denom())
		want := fmt.Sprintf("%s %d %d %d %s %d %d %d", key, m.deliveries, m.included, m.whole(), parts, m.paid, m.adjusted, m.fee)
		if m.deliveries+m.paid+m.fee+m.adjusted+int64(len(m.amounts)) > 0 && !slices.Contains(lines, want) {
			t.Errorf("%q is not among what Python found", want)
		}
	}
}
