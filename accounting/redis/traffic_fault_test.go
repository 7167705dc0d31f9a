package redis

import (
	"context"
	"strconv"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// Whatever the server refuses in the midst of batches (the keys of some clients, all
// memory, a value of another type), once it is put right sums are those of the model.
func TestTrafficRefused(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	tr := storetest.NewTraffic(t, 3000, 20261129)
	o := srv.options()
	o.Book = tr.Book
	s := mustOpen(t, o)
	do := func(args ...any) {
		t.Helper()
		if err := s.db.Do(context.Background(), args...).Err(); err != nil {
			t.Fatal(args, err)
		}
	}
	faults := []struct {
		spoil, repair []any
		taken         bool // the batch is, but for what is parked
	}{
		{[]any{"ACL", "SETUSER", "default", "resetkeys", "~tg:{c:client-1*", "~tg:{c:_gw*", "~tg:cl*", "~tg:t*", "~tg:p*"}, []any{"ACL", "SETUSER", "default", "allkeys"}, false},
		{[]any{"ACL", "SETUSER", "default", "-evalsha"}, []any{"ACL", "SETUSER", "default", "+evalsha"}, false},
		{[]any{"CONFIG", "SET", "maxmemory", "1"}, []any{"CONFIG", "SET", "maxmemory", "0"}, false},
		{[]any{"HSET", "tg:{c:client-5}:acct", "balance", "12,5", "was", "1"}, nil, true},
	}
	seen := make([]bool, len(faults))
	at := 0
	for batch := 0; at < len(tr.Mail); batch++ {
		se, err := s.Session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if text := se.Marks()[0].Text; text != "" {
			if at, err = strconv.Atoi(text); err != nil {
				t.Fatal(err)
			}
		}
		end := min(at+300, len(tr.Mail))
		fault := batch / 2 % len(faults)
		if batch%2 == 1 || at == end {
			if err := se.Put(t.Context(), tr.Mail[at:end], strconv.Itoa(end)); err != nil {
				t.Fatal(err)
			}
			at = end
			_ = se.Close()
			continue
		}
		f, balance := faults[fault], ""
		if f.repair == nil {
			balance, _ = s.db.HGet(t.Context(), "tg:{c:client-5}:acct", "balance").Result()
		}
		do(f.spoil...)
		err = se.Put(t.Context(), tr.Mail[at:end], strconv.Itoa(end))
		if seen[fault] = true; (err == nil) != f.taken {
			t.Fatalf("%v: %v", f.spoil, err)
		}
		_ = se.Close()
		if f.repair != nil {
			do(f.repair...)
			continue
		}
		if do("HDEL", "tg:{c:client-5}:acct", "was", "balance"); balance != "" {
			do("HSET", "tg:{c:client-5}:acct", "balance", balance)
		}
		var ids []string
		if err := s.Parked(t.Context(), func(r accounting.Record, _ string) error {
			if ids = append(ids, r.ID); r.Client != "client-5" {
				t.Errorf("%s is parked", r.ID)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			if err := s.ApplyParked(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, is := range seen {
		if !is {
			t.Errorf("%v was never tried", faults[i].spoil)
		}
	}
	tr.Check(t, s)
}
