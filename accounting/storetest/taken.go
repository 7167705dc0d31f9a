package storetest

import (
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
)

// What was taken of each gateway's records is counted once, whatever becomes of
// them and however often they come.
func testTaken(t *testing.T, o Open) {
	s := open(t, o, defaults())
	c, ok := s.(accounting.Conserver)
	if !ok {
		t.Skip("it does not count")
	}
	taken := func(gateway string, want accounting.Taken) {
		t.Helper()
		if got, err := c.Taken(t.Context(), gateway); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", gateway, got, err, want)
		}
	}
	taken("mx1", accounting.Taken{})
	one, two := Usage(1, "sales", "a@example.org", Now, 10, 10), Usage(2, "shop", "b@example.org", Now, 10, 10)
	other := Usage(3, "sales", "a@example.org", Now, 10, 10)
	other.Gateway = "mx2"
	put(t, s, one, two, other, one)
	put(t, s, two, one)
	taken("mx1", accounting.Taken{Applied: 2})
	taken("mx2", accounting.Taken{Applied: 1})
	// A void, and one that comes before its record, with that.
	early := Usage(4, "sales", "a@example.org", Now, 10, 10)
	put(t, s, accounting.VoidOf(one, Now), accounting.VoidOf(early, Now), early, early)
	taken("mx1", accounting.Taken{Applied: 5})
	// What nobody can apply.
	old, older := Usage(5, "sales", "a@example.org", Now.AddDate(0, 0, -100), 1, 1), Usage(6, "sales", "a@example.org", Now.AddDate(0, 0, -101), 1, 1)
	put(t, s, old, older, old)
	taken("mx1", accounting.Taken{Applied: 5, Parked: 2})
	if err := s.ApplyParked(t.Context(), old.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.DropParked(t.Context(), older.ID); err != nil {
		t.Fatal(err)
	}
	put(t, s, old, older)
	taken("mx1", accounting.Taken{Applied: 6, Dropped: 1})
	if was, err := c.WasDropped(t.Context(), older); err != nil || !was {
		t.Error(was, err)
	}
	if was, err := c.WasDropped(t.Context(), one); err != nil || was {
		t.Error(was, err)
	}
	taken("mx2", accounting.Taken{Applied: 1})
}
