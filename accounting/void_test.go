package accounting

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestVoidOf(t *testing.T) {
	r := Charge(message(), 7, []Payer{{"a/b@example.org", "sales"}}, Sharing{})[0]
	later := time.Date(2026, 12, 1, 2, 3, 4, 5678901, time.FixedZone("", -3600))
	got := VoidOf(r, later)
	want := r
	want.Kind, want.Voids, want.ID = Void, r.ID, r.ID+"/void"
	want.Time = time.Date(2026, 12, 1, 3, 3, 4, 5e6, time.UTC)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
	if !got.Origin().Equal(r.Time) {
		t.Errorf("origin %v, want that of the voided record, %v", got.Origin(), r.Time)
	}
	if !r.Origin().Equal(r.Time) {
		t.Errorf("origin %v of a usage record, want its time", r.Origin())
	}
	if d := cmp.Diff(got, VoidOf(got, later.Add(time.Hour))); d != "" {
		t.Error("a void was voided:", d)
	}
	if again := VoidOf(r, later.Add(time.Hour)); again.ID != got.ID || !again.Origin().Equal(got.Origin()) {
		t.Errorf("voided again as %q of %v, want %q of %v", again.ID, again.Origin(), got.ID, got.Origin())
	}
}

func TestOriginOfOtherIDs(t *testing.T) {
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for _, id := range []string{"", "x", "a/b/c", "gw/q/noon/r@x", "gw/q/99999999999999999999/r@x"} {
		r := Record{Kind: Void, Voids: id, Time: now}
		if !r.Origin().Equal(now) {
			t.Errorf("%q: origin %v, want the void's own time", id, r.Origin())
		}
	}
}

func TestVoidsCancel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Sharing{Split: rapid.Bool().Draw(t, "split"), OverAll: rapid.Bool().Draw(t, "over all")}
		var n, size, charged int64
		for _, r := range Charge(message(), rapid.Int64Range(0, 1<<40).Draw(t, "size"), payersOf(t), s) {
			v := VoidOf(r, ended)
			for _, r := range []Record{r, v} {
				dn, ds, dc := r.Delta()
				n, size, charged = n+dn, size+ds, charged+dc
			}
			if dn, ds, dc := r.Delta(); dn != 1 || ds != r.Size || dc != r.Charged {
				t.Fatalf("delta %d %d %d of %+v", dn, ds, dc, r)
			}
		}
		if n != 0 || size != 0 || charged != 0 {
			t.Fatalf("%d deliveries, %d bytes, %d charged remain", n, size, charged)
		}
	})
}

func TestDeltaOfUnknownKind(t *testing.T) {
	r := Record{Kind: "gift", Size: 5, Charged: 5}
	if n, size, charged := r.Delta(); n != 0 || size != 0 || charged != 0 {
		t.Errorf("counts %d %d %d", n, size, charged)
	}
}
