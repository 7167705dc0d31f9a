package storetest

import (
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Who was not known when a period was closed opens no account in it: what comes
// late counts in the open one, and its void takes it back there.
func testLateStranger(t *testing.T, o Open) {
	s := open(t, o, defaults())
	l := s.(accounting.Ledger)
	october := time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC)
	if err := l.SetClose(t.Context(), accounting.Close{Number: 1, Period: "2026-10", Hash: "x", Time: "2026-11-02T00:00:00Z", By: "root"}); err != nil {
		t.Fatal(err)
	}
	late := Usage(1, "stranger", "a@example.org", october, 50, 50)
	early := Usage(2, "other", "b@example.org", october, 60, 60) // its void comes first
	put(t, s, late, accounting.VoidOf(early, Now), early)
	for _, client := range []string{"stranger", "other"} {
		if err := l.RecordsOf(t.Context(), client, "2026-10", func(r accounting.Record) error {
			t.Errorf("%s got a line in a closed period: %+v", client, r)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if c := counter(t, s, "stranger", "2026-11"); c.Deliveries != 1 || c.Charged != 50 {
		t.Errorf("the open period: %+v", c)
	}
	if c := counter(t, s, "stranger", "2026-10"); c.Deliveries != 0 {
		t.Errorf("the closed period: %+v", c)
	}
	effect := ""
	if err := l.RecordsOf(t.Context(), "stranger", "2026-11", func(r accounting.Record) error {
		effect = r.Effect
		return nil
	}); err != nil || effect != accounting.Adjustment {
		t.Errorf("effect %q, %v", effect, err)
	}
	put(t, s, accounting.VoidOf(late, Now), late)
	if c := counter(t, s, "stranger", "2026-11"); c.Deliveries != 0 || c.Charged != 0 {
		t.Errorf("after its void: %+v", c)
	}
}
