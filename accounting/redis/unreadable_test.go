package redis

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// What cannot be read of one client costs no other anything: neither its standing,
// nor its balance, nor its mail; and it is said of whom.
func TestOneUnreadable(t *testing.T) {
	srv := startServer(t, "--save", "")
	tariff := storetest.Tariff(t, price.Terms{PerMiB: 1 << 20})
	o := srv.options()
	o.Book = price.NewBook(tariff)
	s := mustOpen(t, o)
	ctx := t.Context()
	usage := func(n int, client string) accounting.Record {
		r := storetest.Usage(n, client, "a@example.org", storetest.Now, 10, 10)
		r.Tariff, r.TariffVersion = tariff.Name, tariff.Version()
		return r
	}
	const acct, use = "tg:{c:bad}:acct", "tg:{c:bad}:use:2026-11"
	for name, tt := range map[string]struct {
		spoil             []any
		repair            [][]any
		standing, account bool // that cannot be read
	}{
		"plans":               {[]any{"HSET", acct, "plans", "0 0 office month Nowhere/Land RUB"}, [][]any{{"HDEL", acct, "plans"}}, false, true},
		"plans of another":    {[]any{"HSET", acct, "plans", "yes"}, [][]any{{"HDEL", acct, "plans"}}, false, true},
		"balance":             {[]any{"HSET", acct, "balance", "12,50"}, [][]any{{"HSET", acct, "balance", "-10"}}, true, true},
		"account is a list":   {[]any{"RPUSH", acct, "x"}, [][]any{{"DEL", acct}, {"HSET", acct, "balance", "-10"}}, true, true},
		"counter":             {[]any{"HSET", use, "charged", "many"}, [][]any{{"HSET", use, "charged", "10"}}, true, false},
		"counter is a string": {[]any{"SET", use, "x"}, [][]any{{"DEL", use}, {"HSET", use, "deliveries", "1", "size", "10", "charged", "10", "priced", "10", "cost", "10", "frac", "0", "currency", "RUB"}}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := s.db.FlushAll(ctx).Err(); err != nil {
				t.Fatal(err)
			}
			clear(s.planned)
			do := func(args []any) {
				t.Helper()
				if err := s.db.Do(ctx, args...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			put(t, s, usage(1, "bad"), usage(2, "good"), usage(3, "zero"))
			if tt.spoil[0] != "HSET" {
				do([]any{"DEL", tt.spoil[1]})
			}
			do(tt.spoil)
			ask := []accounting.Standing{{Client: "bad", Period: "2026-11", Day: "2026-11-23"}, {Client: "good", Period: "2026-11", Day: "2026-11-23"}, {Client: "zero", Period: "2026-11", Day: "2026-11-23"}}
			list, err := s.Standings(ctx, ask)
			if err != nil || len(list) != 3 {
				t.Fatal(list, err)
			}
			if (list[0].Err != nil) != tt.standing || list[1].Err != nil || list[1].Used != 10 || list[1].Balance != -10 || list[2].Used != 10 {
				t.Errorf("%+v", list)
			}
			if !tt.standing && (list[0].Used != 10 || list[0].Balance != -10) {
				t.Errorf("in the period that was asked for: %+v", list[0])
			}
			accounts, err := s.Accounts(ctx, []string{"good", "bad", "zero"})
			if err != nil || len(accounts) != 3 || (accounts[1].Err != nil) != tt.account || accounts[0].Err != nil || accounts[0].Balance != -10 || accounts[2].Tariff != "office" {
				t.Errorf("%+v %v", accounts, err)
			}
			// Mail of others is counted, that of the client waits.
			clear(s.planned)
			put(t, s, usage(4, "zero"), usage(5, "bad"), usage(6, "good"), accounting.VoidOf(usage(7, "bad"), storetest.Now))
			if c, err := s.CounterOf(ctx, "good", "2026-11"); err != nil || c.Deliveries != 2 || c.Cost != 20 {
				t.Errorf("%+v %v", c, err)
			}
			if err := s.Parked(ctx, func(r accounting.Record, why string) error {
				t.Log(why)
				if r.Client != "bad" {
					t.Errorf("%s is parked: %s", r.ID, why)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
			for _, args := range tt.repair {
				do(args)
			}
			clear(s.planned)
			if n, _ := s.ParkedCount(ctx); n > 0 {
				if err := s.ApplyParked(ctx, usage(5, "bad").ID); err != nil {
					t.Error(err)
				}
			}
			if c, err := s.CounterOf(ctx, "bad", "2026-11"); err != nil || c.Deliveries != 2 || c.Charged != 20 || c.Cost != 20 {
				t.Errorf("%+v %v", c, err)
			}
			if a, err := s.Account(ctx, "bad"); err != nil || a.Balance != -20 {
				t.Errorf("%+v %v", a, err)
			}
		})
	}
}

// Terms that somebody edited in the store park the records that need them, and no
// other; put right, they are applied.
func TestEditedTerms(t *testing.T) {
	srv := startServer(t, "--save", "")
	tariff := storetest.Tariff(t, price.Terms{PerMiB: 1 << 20})
	o := srv.options()
	o.Book = price.NewBook(tariff)
	first := mustOpen(t, o)
	priced := func(n int, client string) accounting.Record {
		r := storetest.Usage(n, client, "a@example.org", storetest.Now, 1<<20, 1<<20)
		r.Tariff, r.TariffVersion = tariff.Name, tariff.Version()
		return r
	}
	a := priced(1, "a")
	put(t, first, a)
	right := string(tariff.Canonical())
	for name, wrong := range map[string]string{"others": strings.Replace(right, `"per_mib":1048576`, `"per_mib":1`, 1), "none": "{", "empty": ""} {
		if err := first.db.HSet(t.Context(), "tg:tariffs", tariff.Version(), wrong).Err(); err != nil {
			t.Fatal(err)
		}
		stranger := mustOpen(t, srv.options()) // it has no such tariff
		list := []accounting.Record{priced(len(name), name), accounting.VoidOf(a, storetest.Now), storetest.Usage(9, "free", "b@example.org", storetest.Now, 5, 5)}
		put(t, stranger, list...)
		var parked []string
		if err := stranger.Parked(t.Context(), func(r accounting.Record, why string) error {
			if parked = append(parked, r.ID); !strings.Contains(why, "tg:tariffs: version "+tariff.Version()) || strings.Contains(why, "%!") {
				t.Errorf("%s: %s", r.ID, why)
			}
			return nil
		}); err != nil || len(parked) != 2 {
			t.Fatalf("%s: parked %q, %v", name, parked, err)
		}
		if c, err := stranger.CounterOf(t.Context(), "free", "2026-11"); err != nil || c.Deliveries != 1 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		if err := first.db.HSet(t.Context(), "tg:tariffs", tariff.Version(), right).Err(); err != nil {
			t.Fatal(err)
		}
		for _, id := range parked {
			if err := stranger.ApplyParked(t.Context(), id); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if c, err := stranger.CounterOf(t.Context(), name, "2026-11"); err != nil || c.Cost != 1<<20 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		a = priced(100+len(name), "a")
		put(t, first, a)
	}
}
