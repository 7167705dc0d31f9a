package accounting

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var ended = time.Date(2026, 11, 23, 10, 0, 0, 123456789, time.FixedZone("", 3*3600))

func message() Record {
	return Record{
		ID: "mx1/4abc/1795417200123", Time: ended, Gateway: "mx1", QueueID: "4abc", MessageID: "<1@example.net>", Ref: "r1",
		Sender: "a@example.net", ClientIP: "192.0.2.7", Direction: "inbound", Verdict: "accept", Weight: "1.5", Rules: []string{"one"},
	}
}

func TestCharge(t *testing.T) {
	three := []Payer{{"c@example.org", "c"}, {"a@example.org", "a"}, {"b@example.org", ""}}
	tests := map[string]struct {
		size    int64
		payers  []Payer
		sharing Sharing
		want    []string
	}{
		"full: each the whole":             {10, three, Sharing{}, []string{"a 1/2 10 a@example.org", "c 2/2 10 c@example.org"}},
		"full over all bills the same":     {10, three, Sharing{OverAll: true}, []string{"a 1/2 10 a@example.org", "c 2/2 10 c@example.org"}},
		"full: one client twice pays both": {10, []Payer{{"a@x", "a"}, {"b@x", "a"}}, Sharing{}, []string{"a 1/2 10 a@x", "a 2/2 10 b@x"}},
		"split over the billed":            {11, three, Sharing{Split: true}, []string{"a 1/2 6 a@example.org", "c 2/2 5 c@example.org"}},
		"split over all": {11, three, Sharing{Split: true, OverAll: true},
			[]string{"a 1/3 4 a@example.org", "_unbilled 2/3 4 b@example.org", "c 3/3 3 c@example.org"}},
		"split of less than there are": {1, three, Sharing{Split: true, OverAll: true},
			[]string{"a 1/3 1 a@example.org", "_unbilled 2/3 0 b@example.org", "c 3/3 0 c@example.org"}},
		"nothing":                    {0, three, Sharing{Split: true}, []string{"a 1/2 0 a@example.org", "c 2/2 0 c@example.org"}},
		"less than nothing":          {-5, three, Sharing{Split: true}, []string{"a 1/2 0 a@example.org", "c 2/2 0 c@example.org"}},
		"nobody billed":              {10, []Payer{{"a@x", ""}}, Sharing{Split: true}, nil},
		"nobody billed, over all":    {10, []Payer{{"a@x", ""}}, Sharing{Split: true, OverAll: true}, []string{"_unbilled 1/1 10 a@x"}},
		"nobody at all":              {10, nil, Sharing{Split: true, OverAll: true}, nil},
		"twice is once":              {9, []Payer{{"a@x", "a"}, {"a@x", "a"}, {"b@x", "a"}}, Sharing{Split: true}, []string{"a 1/2 5 a@x", "a 2/2 4 b@x"}},
		"twice, once of them billed": {9, []Payer{{"a@x", ""}, {"a@x", "a"}}, Sharing{Split: true, OverAll: true}, []string{"a 1/1 9 a@x"}},
		"what JSON makes one is one": {9, []Payer{{"\xff@x", "a"}, {"\xfe@x", "a"}}, Sharing{Split: true}, []string{"a 1/1 9 \uFFFD@x"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range Charge(message(), tt.size, tt.payers, tt.sharing) {
				if err := r.Check(); err != nil {
					t.Error(err)
				}
				got = append(got, fmt.Sprintf("%s %d/%d %d %s", r.Client, r.ShareIndex, r.ShareCount, r.Charged, r.Recipient))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestChargeKeepsWhatIsCommon(t *testing.T) {
	got := Charge(message(), 7, []Payer{{"a@example.org", "sales"}}, Sharing{Split: true})
	want := message()
	want.ID = "mx1/4abc/1795417200123/a@example.org"
	want.Kind = Usage
	want.Time = time.Date(2026, 11, 23, 7, 0, 0, 123e6, time.UTC)
	want.Client, want.Recipient = "sales", "a@example.org"
	want.Size, want.Charged, want.Share, want.ShareIndex, want.ShareCount = 7, 7, ShareSplit, 1, 1
	if d := cmp.Diff([]Record{want}, got); d != "" {
		t.Error(d)
	}
}

func TestChargeLeavesItsInputAlone(t *testing.T) {
	payers := []Payer{{"b@x", "b"}, {"a@x", ""}, {"a@x", "a"}}
	before := slices.Clone(payers)
	Charge(message(), 7, payers, Sharing{Split: true, OverAll: true})
	if d := cmp.Diff(before, payers); d != "" {
		t.Error(d)
	}
}

func TestChargeOfManyRecipients(t *testing.T) {
	var payers []Payer
	for i := range 10000 {
		payers = append(payers, Payer{fmt.Sprintf("u%05d@example.org", i), "c"})
	}
	records := Charge(message(), 25003, payers, Sharing{Split: true})
	var sum int64
	for i, r := range records {
		sum += r.Charged
		want := int64(2)
		if i < 5003 {
			want = 3
		}
		if r.Charged != want {
			t.Fatalf("share %d is %d, want %d", i, r.Charged, want)
		}
	}
	if len(records) != 10000 || sum != 25003 {
		t.Errorf("%d records, sum %d", len(records), sum)
	}
}

func payersOf(t *rapid.T) []Payer {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Payer {
		return Payer{
			Recipient: rapid.StringMatching(`[a-c]{1,3}@[xy]`).Draw(t, "recipient"),
			Client:    rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "client"),
		}
	}), 0, 40).Draw(t, "payers")
}

// A split gives out every byte once, nobody more than a byte above another.
func TestSplitSumsToSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64().Draw(t, "size")
		s := Sharing{Split: true, OverAll: rapid.Bool().Draw(t, "over all")}
		records := Charge(message(), size, payersOf(t), s)
		if len(records) == 0 {
			return
		}
		var sum int64
		least, most := records[0].Charged, records[0].Charged
		ids := make(map[string]bool)
		for i, r := range records {
			sum += r.Charged
			least, most = min(least, r.Charged), max(most, r.Charged)
			ids[r.ID] = true
			if err := r.Check(); err != nil {
				t.Fatal(err)
			}
			if r.ShareIndex != i+1 || r.ShareCount != len(records) {
				t.Fatalf("share %d/%d at %d of %d", r.ShareIndex, r.ShareCount, i, len(records))
			}
		}
		if sum != max(size, 0) {
			t.Fatalf("shares sum to %d of %d", sum, size)
		}
		if most-least > 1 {
			t.Fatalf("shares from %d to %d", least, most)
		}
		if len(ids) != len(records) {
			t.Fatalf("%d ids for %d records", len(ids), len(records))
		}
	})
}

func TestChargeIsIndependentOfOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 1<<40).Draw(t, "size")
		s := Sharing{Split: rapid.Bool().Draw(t, "split"), OverAll: rapid.Bool().Draw(t, "over all")}
		payers := payersOf(t)
		want := Charge(message(), size, payers, s)
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(payers), func(i, j int) { payers[i], payers[j] = payers[j], payers[i] })
		if d := cmp.Diff(want, Charge(message(), size, payers, s)); d != "" {
			t.Fatal(d)
		}
	})
}

// Full charges each billed recipient the whole, and only those.
func TestFullChargesTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 1<<40).Draw(t, "size")
		payers := payersOf(t)
		billed := make(map[string]bool)
		for _, p := range payers {
			if p.Client != "" {
				billed[p.Recipient] = true
			}
		}
		records := Charge(message(), size, payers, Sharing{})
		if len(records) != len(billed) {
			t.Fatalf("%d records for %d billed recipients", len(records), len(billed))
		}
		for _, r := range records {
			if !billed[r.Recipient] || r.Charged != size || r.Client == Unbilled {
				t.Fatalf("charged %+v", r)
			}
		}
	})
}

func BenchmarkCharge(b *testing.B) {
	base, payers := message(), []Payer{{"a@example.org", "a"}, {"b@example.org", "b"}}
	b.ReportAllocs()
	for b.Loop() {
		Charge(base, 9000, payers, Sharing{Split: true})
	}
}
