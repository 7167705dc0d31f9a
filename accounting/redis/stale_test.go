package redis

import (
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// A void that is moved out of a closed period is compared with the currency that the
// client has now, whichever gateway has changed it, before or in the midst.
func TestVoidOfStalePlans(t *testing.T) {
	rub := storetest.Tariff(t, price.Terms{Name: "rub", PerMiB: 1 << 20})
	eur := storetest.Tariff(t, price.Terms{Name: "eur", PerMiB: 1 << 20, Currency: "EUR"})
	srv := startServer(t, "--save", "")
	now := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	o := srv.options()
	o.Book, o.Now = price.NewBook(rub, eur), func() time.Time { return now }
	a, b := mustOpen(t, o), mustOpen(t, o)
	under := func(r accounting.Record, t *price.Tariff) accounting.Record {
		r.Tariff, r.TariffVersion, r.Currency = t.Name, t.Version(), t.Currency
		return r
	}
	was := under(storetest.Usage(1, "sales", "x@example.org", now, 1<<20, 1<<20), rub)
	put(t, a, was)
	now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	plans, err := b.Plans(t.Context(), "sales")
	if err != nil {
		t.Fatal(err)
	}
	list, err := price.ParsePlans(plans)
	if err != nil {
		t.Fatal(err)
	}
	since := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	if ok, err := b.SetPlans(t.Context(), "sales", plans, list.Now(eur.Plan(), since).String()); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := b.ClosePeriod(t.Context(), "sales", "2026-10"); err != nil {
		t.Fatal(err)
	}
	put(t, b, under(storetest.Usage(2, "sales", "x@example.org", now, 1<<20, 1<<20), eur))
	if a.plansOf("sales").text == "" {
		t.Fatal("the gateway knows no plans that could be old")
	}
	put(t, a, accounting.VoidOf(was, now))
	n := 0
	if err := a.Parked(t.Context(), func(r accounting.Record, why string) error {
		if n++; r.Kind != accounting.Void || !strings.Contains(why, accounting.ErrCurrency.Error()) {
			t.Errorf("parked: %s: %s", r.ID, why)
		}
		return nil
	}); err != nil || n != 1 {
		t.Errorf("%d parked, %v", n, err)
	}
	if c, err := a.CounterOf(t.Context(), "sales", "2026-11"); err != nil || c.Deliveries != 1 || c.Cost != 1<<20 || c.Currency != "EUR" {
		t.Errorf("%+v, %v", c, err)
	}
}

// Before Redis 7 a script asks whether it may publish by doing so: of that nobody reads
// all accounts anew, in this release or in one before.
func TestAskedToPublish(t *testing.T) {
	srv := startServer(t, "--save", "")
	o := srv.options()
	o.Standing = func([]accounting.Standing) {}
	s := mustOpen(t, o)
	(&lacking{t: t, old: true}).forget(s)
	sub := s.db.Subscribe(t.Context(), s.standingChannel())
	defer sub.Close()
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, s, storetest.Usage(1, "sales", "x@example.org", storetest.Now, 10, 10))
	var clients []string
	for len(clients) < 2 {
		m, err := sub.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		st, ok := parseStanding(m.Payload)
		if !ok {
			t.Fatalf("%q is no standing to gateways of before", m.Payload)
		}
		clients = append(clients, st.Client)
	}
	if clients[0] != "_may" || clients[1] != "sales" {
		t.Error(clients)
	}
}
