package redis

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// A client that somebody took out of the set of clients, or that was lost with it,
// keeps its account: everything that adds up has it, and it is told of, by a store that
// saw it before as by one that did not. What is no client's id holds up nobody.
func TestUnlisted(t *testing.T) {
	srv := startServer(t, "--save", "")
	admin := mustOpen(t, srv.options())
	put(t, admin, storetest.Usage(1, "sales", "a@example.org", storetest.Now, 10, 10), storetest.Usage(2, "other", "b@example.org", storetest.Now, 5, 5))
	paid := accounting.Record{ID: "p1", Kind: accounting.Payment, Time: storetest.Now, Gateway: "mx1", Client: "payer", Amount: "7", By: "root"}
	if _, err := admin.Enter(t.Context(), paid); err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, s *Store, want ...string) {
		t.Helper()
		ctx := t.Context()
		taken, err := s.Taken(ctx, "mx1")
		if err != nil || taken.Applied != 2 {
			t.Errorf("taken: %+v, %v", taken, err)
		}
		all, err := s.Clients(ctx)
		if err != nil || !slices.Equal(all, []string{"other", "payer", "sales"}) {
			t.Errorf("clients: %q, %v", all, err)
		}
		counters, err := s.Counters(ctx, "2026-11")
		if err != nil || len(counters) != 3 {
			t.Errorf("counters: %+v, %v", counters, err)
		}
		n := 0
		if err := s.Records(ctx, "", storetest.Now.AddDate(0, -1, 0), storetest.Now.AddDate(0, 1, 0), func(accounting.Record) error { n++; return nil }); err != nil || n != 3 {
			t.Errorf("%d records, %v", n, err)
		}
		if got := s.Unlisted(); !slices.Equal(got, want) {
			t.Errorf("unlisted: %q, want %q", got, want)
		}
		if told := strings.Join(s.Warnings(ctx), "\n"); strings.Contains(told, `"sales"`) != slices.Contains(want, "sales") {
			t.Errorf("warnings: %s", told)
		}
	}
	seen, late := mustOpen(t, srv.options()), mustOpen(t, srv.options())
	check(t, seen)
	if err := admin.db.SRem(t.Context(), "tg:clients", "sales", "payer").Err(); err != nil {
		t.Fatal(err)
	}
	check(t, seen, "payer", "sales")
	check(t, late, "payer", "sales")
	if err := admin.db.Del(t.Context(), "tg:clients").Err(); err != nil {
		t.Fatal(err)
	}
	check(t, seen, "other", "payer", "sales")
	if err := admin.db.SAdd(t.Context(), "tg:clients", "other", "payer", "sales", "Not An Id", "_gw:mx1").Err(); err != nil {
		t.Fatal(err)
	}
	check(t, seen)
	check(t, mustOpen(t, srv.options()))
	if told := strings.Join(seen.Warnings(t.Context()), "\n"); !strings.Contains(told, `"Not An Id"`) {
		t.Errorf("warnings: %s", told)
	}
	// An account that is gone is no account.
	if err := admin.db.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if all, err := seen.Clients(t.Context()); err != nil || len(all) != 0 || len(seen.Unlisted()) != 0 {
		t.Error(all, err)
	}
	// Who may not look for keys reads what it did, and is told.
	put(t, admin, storetest.Usage(3, "sales", "a@example.org", storetest.Now, 10, 10))
	if err := admin.db.Do(t.Context(), "ACL", "SETUSER", "default", "-scan").Err(); err != nil {
		t.Fatal(err)
	}
	o, now := srv.options(), storetest.Now
	o.Now = func() time.Time { return now }
	narrow := mustOpen(t, o)
	if all, err := narrow.Clients(t.Context()); err != nil || len(all) != 1 || !strings.Contains(strings.Join(narrow.Warnings(t.Context()), "\n"), "SCAN") {
		t.Error(all, err, narrow.Warnings(t.Context()))
	}
	// Once it may, it is told no longer.
	if err := admin.db.Do(t.Context(), "ACL", "SETUSER", "default", "+scan").Err(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(scanDenied)
	if all, err := narrow.Clients(t.Context()); err != nil || len(all) != 1 || strings.Contains(strings.Join(narrow.Warnings(t.Context()), "\n"), "SCAN") {
		t.Error(all, err, narrow.Warnings(t.Context()))
	}
}

// A client that is new since the set was read is none that was taken out of it.
func TestListedMeanwhile(t *testing.T) {
	srv := startServer(t, "--save", "")
	s := mustOpen(t, srv.options())
	put(t, s, storetest.Usage(1, "sales", "a@example.org", storetest.Now, 10, 10), storetest.Usage(2, "other", "b@example.org", storetest.Now, 5, 5))
	if err := s.db.SRem(t.Context(), "tg:clients", "other").Err(); err != nil {
		t.Fatal(err)
	}
	fresh, unlisted, err := s.lookFor(t.Context(), map[string]bool{}, scanAge) // as read before both
	if err != nil || !slices.Equal(fresh, []string{"sales"}) || !slices.Equal(unlisted, []string{"other"}) {
		t.Errorf("fresh %q, unlisted %q, %v", fresh, unlisted, err)
	}
}

// A server without SCAN counts and reports as it did.
func TestClientsWithoutScan(t *testing.T) {
	srv := startServer(t, "--save", "", "--rename-command", "SCAN", "HIDDEN", "--rename-command", "KEYS", "ASIDE") // in pairs
	s := mustOpen(t, srv.options())
	put(t, s, storetest.Usage(1, "sales", "a@example.org", storetest.Now, 10, 10))
	if all, err := s.Clients(t.Context()); err != nil || !slices.Equal(all, []string{"sales"}) || !strings.Contains(strings.Join(s.Warnings(t.Context()), "\n"), "SCAN") {
		t.Error(all, err, s.Warnings(t.Context()))
	}
}

// slowScan has looking for keys take so long, on a clock of its own.
type slowScan struct {
	long  time.Duration
	now   time.Time
	looks int
}

func (h *slowScan) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *slowScan) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "scan" {
			h.looks++
			h.now = h.now.Add(h.long)
		}
		return next(ctx, cmd)
	}
}

func (h *slowScan) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// All keys of a server, which others have, too, are looked at so seldom that it takes
// a hundredth of the time; who was seen before is known meanwhile.
func TestScanShare(t *testing.T) {
	srv := startServer(t, "--save", "")
	o, h := srv.options(), &slowScan{long: 5 * time.Second, now: storetest.Now}
	o.Now = func() time.Time { return h.now }
	s := mustOpen(t, o)
	s.db.AddHook(h)
	put(t, s, storetest.Usage(1, "sales", "a@example.org", storetest.Now, 10, 10))
	start := h.now
	for h.now.Sub(start) < time.Hour {
		if all, err := s.Clients(t.Context()); err != nil || !slices.Equal(all, []string{"sales"}) {
			t.Fatal(all, err)
		}
		if h.looks == 1 {
			if err := s.db.Del(t.Context(), s.clientsKey()).Err(); err != nil {
				t.Fatal(err)
			}
		}
		h.now = h.now.Add(15 * time.Second)
	}
	if h.looks < 6 || h.looks > 9 {
		t.Errorf("%d looks of 5 s in an hour", h.looks)
	}
	h.long = 0
	h.now = h.now.Add(time.Hour)
	for range 3 {
		if _, err := s.Clients(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.now = h.now.Add(scanAge)
	}
	if h.looks < 9 {
		t.Errorf("%d looks: a server that answers at once is asked each time", h.looks)
	}
}
