package redis

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// Where replicas are asked for, an entry that none of them has is not said to be booked:
// it is at risk, also when it is asked for again, until they have it.
func TestEntryWithoutReplicas(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	o := srv.options()
	o.Now, o.Replicas, o.Timeout = fixedNow, 1, time.Second
	s := mustOpen(t, o)
	r := accounting.Record{ID: "rep1", Kind: accounting.Payment, Time: storetest.Now, Gateway: "mx1", Client: "day", Amount: "1000000", Currency: "EUR", By: "root"}
	for range 2 {
		if ok, err := s.Enter(t.Context(), r); ok || !errors.Is(err, accounting.ErrAtRisk) || !strings.Contains(err.Error(), "0 of 1 replicas") {
			t.Fatal(ok, err)
		}
	}
	if a, err := s.Account(t.Context(), "day"); err != nil || a.Balance != 1000000 {
		t.Errorf("it counts once: %+v %v", a, err)
	}
	other := r
	other.Amount = "2"
	if _, err := s.Enter(t.Context(), other); !errors.Is(err, accounting.ErrConflict) {
		t.Error(err)
	}
	replica := startServer(t, "--save", "", "--appendonly", "no")
	host, port, _ := strings.Cut(srv.addr, ":")
	if err := mustOpen(t, replica.options()).db.Do(t.Context(), "REPLICAOF", host, port).Err(); err != nil {
		t.Fatal(err)
	}
	for {
		ok, err := s.Enter(t.Context(), r)
		if err == nil && !ok {
			break // booked before
		}
		if !errors.Is(err, accounting.ErrAtRisk) {
			t.Fatal(ok, err)
		}
	}
}
