package redis

import (
	"context"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// Another gateway hears of what this one spent, and of a payment; when the line
// broke it is told that it may have missed something.
func TestFollow(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	tariff := storetest.Tariff(t, price.Terms{PerMiB: 1 << 20})
	o := srv.options()
	o.Book = price.NewBook(tariff)
	o.Standing = func([]accounting.Standing) {}
	o.Limited = func(client string) bool { return client == "sales" }
	one := mustOpen(t, o)
	o.Gateway = "mx2"
	two := mustOpen(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	fresh, told, ended := make(chan struct{}, 10), make(chan accounting.Standing, 10), make(chan error, 1)
	go func() {
		ended <- two.Follow(ctx, func() { fresh <- struct{}{} }, func(list []accounting.Standing) { told <- list[0] })
	}()
	<-fresh
	quiet := storetest.Usage(1, "other", "o@example.org", storetest.Now, 10, 10)
	r := storetest.Usage(2, "sales", "a@example.org", storetest.Now, 10, 10)
	r.Tariff, r.TariffVersion = tariff.Name, tariff.Version()
	put(t, one, quiet, r)
	got := <-told
	if got.Client != "sales" || got.Balance != -10 || got.Used != 10 || got.UsedDay != 10 || got.Period != "2026-11" || got.Day != "2026-11-23" {
		t.Errorf("%+v", got)
	}
	if _, err := one.Enter(t.Context(), accounting.Record{
		ID: "p", Kind: accounting.Payment, Time: storetest.Now, Gateway: "mx1", Client: "sales", Amount: "100", Currency: "RUB",
	}); err != nil {
		t.Fatal(err)
	}
	if paid := <-told; paid.Balance != 90 || !got.Before(paid) {
		t.Errorf("%+v", paid)
	}
	if err := one.db.Publish(t.Context(), "tg:standing", "sales x 2026-11 1 2026-11-23 1 1-1").Err(); err != nil {
		t.Fatal(err)
	}
	srv.kill()
	if err := <-ended; err == nil || ctx.Err() != nil {
		t.Errorf("the line broke: %v", err)
	}
	cancel()
	if len(told) > 0 {
		t.Errorf("rubbish is told: %+v", <-told)
	}
}

// Who reads accounts from outside finds the tariff's name beside the balance.
func TestTariffOfAccount(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	office := storetest.Tariff(t, price.Terms{PerMiB: 1 << 20})
	o := srv.options()
	o.Book = price.NewBook(office)
	s := mustOpen(t, o)
	for n, tt := range []struct {
		tariff *price.Tariff
		want   string
	}{{nil, ""}, {office, "office"}, {office, "office"}} {
		r := storetest.Usage(n, "sales", "a@example.org", storetest.Now, 10, 10)
		if tt.tariff != nil {
			r.Tariff, r.TariffVersion = tt.tariff.Name, tt.tariff.Version()
		}
		put(t, s, r)
		if got, _ := s.db.HGet(t.Context(), "tg:{c:sales}:acct", "tariff").Result(); got != tt.want {
			t.Errorf("record %d: %q, want %q", n, got, tt.want)
		}
	}
}

// A tariff that holds at once is heard of by all, with what was used in the period that
// counts from now on, whoever applied a record last.
func TestFollowSwitch(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	office := storetest.Tariff(t, price.Terms{PerMiB: 1 << 20})
	daily := storetest.Tariff(t, price.Terms{Name: "daily", PerMiB: 1 << 20, Period: accounting.ByDay})
	o := srv.options()
	o.Book, o.Now = price.NewBook(office, daily), fixedNow
	o.Standing = func([]accounting.Standing) {}
	one := mustOpen(t, o)
	o.Gateway = "mx2"
	two := mustOpen(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fresh, told := make(chan struct{}, 10), make(chan accounting.Standing, 10)
	go func() {
		_ = two.Follow(ctx, func() { fresh <- struct{}{} }, func(list []accounting.Standing) { told <- list[0] })
	}()
	<-fresh
	r := storetest.Usage(2, "sales", "a@example.org", storetest.Now, 10, 10)
	r.Tariff, r.TariffVersion = office.Name, office.Version()
	put(t, one, r)
	before := <-told
	for _, want := range []struct {
		to     price.Plan
		period string
		used   int64
	}{{daily.Plan(), "2026-11-23", 0}, {office.Plan(), "2026-11", 10}} {
		was, err := one.Plans(t.Context(), "sales")
		if err != nil {
			t.Fatal(err)
		}
		plans, err := price.ParsePlans(was)
		if err != nil {
			t.Fatal(err)
		}
		if done, err := one.SetPlans(t.Context(), "sales", was, plans.Now(want.to, storetest.Now).String()); err != nil || !done {
			t.Fatal(done, err)
		}
		got := <-told
		if got.Client != "sales" || got.Period != want.period || got.Used != want.used || got.Balance != -10 || got.UsedDay != 10 || got.Before(before) {
			t.Errorf("%+v after %+v", got, before)
		}
		before = got
	}
}
