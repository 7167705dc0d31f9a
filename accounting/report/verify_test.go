package report

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// liar is a store in which one thing is not as it should be.
type liar struct {
	Books
	counter func(*accounting.Counter)
	account func(*accounting.Account)
	record  func(*accounting.Record) bool // false: it is gone
	reads   int
}

func (l *liar) CounterOf(ctx context.Context, client, period string) (accounting.Counter, error) {
	c, err := l.Books.CounterOf(ctx, client, period)
	if l.reads++; l.counter != nil {
		l.counter(&c)
	}
	return c, err
}

func (l *liar) Counters(ctx context.Context, period string) ([]accounting.Counter, error) {
	list, err := l.Books.Counters(ctx, period)
	for i := range list {
		if l.counter != nil {
			l.counter(&list[i])
		}
	}
	return list, err
}

func (l *liar) Account(ctx context.Context, client string) (accounting.Account, error) {
	a, err := l.Books.Account(ctx, client)
	if l.account != nil {
		l.account(&a)
	}
	return a, err
}

func (l *liar) RecordsOf(ctx context.Context, client, period string, fn func(accounting.Record) error) error {
	return l.Books.RecordsOf(ctx, client, period, func(r accounting.Record) error {
		if l.record != nil && !l.record(&r) {
			return nil
		}
		return fn(r)
	})
}

// Whatever is changed in a store is found, and named.
func TestVerifyFindsWhatDiffers(t *testing.T) {
	tariff := storetest.Tariff(t, price.Terms{PerMiB: 1_500_000, PerDelivery: 20_000, Included: 100, Timezone: "UTC"})
	s := newStore(t, time.UTC, 0, tariff)
	at := time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)
	base := accounting.Record{
		ID: "mx1/Q1/" + "1794571200000", Time: at, Gateway: "mx1", QueueID: "Q1", Direction: "inbound", Verdict: "accept", Weight: "0",
		Tariff: tariff.Name, TariffVersion: tariff.Version(),
	}
	split := accounting.Charge(base, 1000, []accounting.Payer{
		{Recipient: "a@example.org", Client: "sales"}, {Recipient: "b@example.org", Client: "dev"}, {Recipient: "c@example.org", Client: "dev"},
	}, accounting.Sharing{Split: true})
	if err := s.Put(t.Context(), split); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enter(t.Context(), accounting.Record{ID: "p1", Kind: accounting.Payment, Time: at, Gateway: "mx1", Client: "sales", Amount: "5000000", Currency: "RUB"}); err != nil {
		t.Fatal(err)
	}
	verify := func(l *liar) []string {
		t.Helper()
		l.Books = s
		v, err := Verify(t.Context(), l, "", at.AddDate(0, 0, -15), at.AddDate(0, 0, 16))
		if err != nil {
			t.Fatal(err)
		}
		return v.Problems
	}
	if p := verify(&liar{}); len(p) > 0 {
		t.Fatalf("%q", p)
	}
	for name, test := range map[string]struct {
		liar liar
		want string
	}{
		"cost":       {liar{counter: func(c *accounting.Counter) { c.Cost++ }}, "cost is"},
		"remainder":  {liar{counter: func(c *accounting.Counter) { c.Frac++ }}, "frac is"},
		"included":   {liar{counter: func(c *accounting.Counter) { c.Included-- }}, "included is"},
		"paid":       {liar{counter: func(c *accounting.Counter) { c.Paid = 5_000_001 }}, "paid is 5000001, its records say 5000000"},
		"deliveries": {liar{counter: func(c *accounting.Counter) { c.Deliveries++ }}, "deliveries is"},
		"a month":    {liar{counter: func(c *accounting.Counter) { c.Charged++ }}, "its recipients sum to"},
		"recipient": {liar{counter: func(c *accounting.Counter) {
			if c.Recipients != nil && c.Client == "dev" {
				c.Recipients["b@example.org"], c.Recipients["c@example.org"] = c.Recipients["c@example.org"], accounting.RecipientCounter{Deliveries: 1, Size: 1000, Charged: 334}
			}
		}}, ""},
		"balance": {liar{account: func(a *accounting.Account) { a.Balance += 7 }}, "the balance is"},
		"a record that is gone": {liar{record: func(r *accounting.Record) bool { return r.Recipient != "b@example.org" }},
			"message mx1/Q1/1794571200000: its shares sum to 667 of 1000 bytes"},
		"a share":            {liar{record: func(r *accounting.Record) bool { r.Charged++; return true }}, "share 1 of 3 of 1000 bytes is 334"},
		"an amount":          {liar{record: func(r *accounting.Record) bool { r.Amount = strings.Replace(r.Amount, "2", "3", 1); return true }}, "its records say"},
		"a payment's amount": {liar{record: func(r *accounting.Record) bool { r.Amount = strings.Replace(r.Amount, "5000000", "4", 1); return true }}, "its records say 4"},
	} {
		p := verify(&test.liar)
		if name == "recipient" { // two that were the same before and after
			continue
		}
		if !strings.Contains(strings.Join(p, "\n"), test.want) {
			t.Errorf("%s: %q, want %q", name, p, test.want)
		}
	}
	// One that moves all the time is not called right.
	moving := &liar{Books: s}
	moving.counter = func(c *accounting.Counter) { c.Deliveries += int64(moving.reads) }
	if _, err := Verify(t.Context(), moving, "", at, at.AddDate(0, 0, 1)); err == nil {
		t.Error("an account that changes while it is read passes")
	}
}
