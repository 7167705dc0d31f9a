package directory

import (
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

func TestLive(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	quota := &accounting.Client{ID: "quota", Addresses: []string{"q@example.org"}, Quota: 100, QuotaDay: 50}
	prepaid := &accounting.Client{ID: "prepaid", Addresses: []string{"p@example.org"}, Mode: accounting.Prepaid, CreditLimit: 10}
	credit := &accounting.Client{ID: "credit", Addresses: []string{"c@example.org"}, CreditLimit: 10, HasCredit: true}
	free := &accounting.Client{ID: "free", Addresses: []string{"f@example.org"}, Mode: accounting.Unlimited}
	l := NewLive()
	if l.Snapshot() != nil || l.Blocks(quota, now) != 0 || len(l.Unread(now).List) != 0 {
		t.Error("something is known of no clients")
	}
	d, clashes := New(Config{}, []*accounting.Client{quota, prepaid, credit, free})
	if len(clashes) > 0 {
		t.Fatal(clashes)
	}
	l.Replace(d)
	if list := l.Unread(now).List; len(list) != 3 || list[2] != (accounting.Standing{Client: "quota", Period: "2026-11", Day: "2026-11-28"}) {
		t.Errorf("%+v", list)
	}
	stand := func(client string, balance, used, day int64, change uint64) accounting.Standing {
		return accounting.Standing{Client: client, Balance: balance, Period: "2026-11", Used: used, Day: "2026-11-28", UsedDay: day, Change: [2]uint64{1, change}}
	}
	for _, step := range []struct {
		s    accounting.Standing
		c    *accounting.Client
		at   time.Time
		want accounting.Block
	}{
		{stand("quota", 0, 99, 49, 1), quota, now, 0},
		{stand("quota", -1000, 99, 50, 3), quota, now, accounting.OverQuota},
		{stand("quota", 0, 99, 49, 2), quota, now, accounting.OverQuota}, // it came late
		{stand("quota", 0, 100, 50, 3), quota, now.AddDate(0, 0, 1), accounting.OverQuota},
		{stand("quota", 0, 100, 50, 4), quota, now.AddDate(0, 0, 3), 0}, // December
		{stand("quota", 0, 99, 0, 5), quota, now, 0},
		{stand("prepaid", -9, 0, 0, 1), prepaid, now, 0},
		{stand("prepaid", -10, 0, 0, 2), prepaid, now, accounting.OutOfBalance},
		{stand("credit", -10, 0, 0, 1), credit, now, accounting.OutOfBalance},
		{stand("free", -1<<62, 0, 0, 1), free, now, 0},
	} {
		l.Tell([]accounting.Standing{step.s})
		if got := l.Blocks(step.c, step.at); got != step.want {
			t.Errorf("%+v: %s, want %s", step.s, got, step.want)
		}
	}
	// A store that was set back is believed.
	l.Read(l.Unread(now), []accounting.Standing{stand("prepaid", 5, 0, 0, 1)})
	if got := l.Blocks(prepaid, now); got != 0 {
		t.Error(got)
	}
	// The client as it is now, not as it was captured.
	changed := *prepaid
	changed.Disabled = true
	d, _ = New(Config{}, []*accounting.Client{&changed})
	l.Replace(d)
	if got := l.Blocks(prepaid, now); got != accounting.Disabled {
		t.Error(got)
	}
	l.Read(l.Unread(now), nil)
	if got := l.Blocks(credit, now); got != 0 {
		t.Errorf("a client that is gone: %s", got)
	}
}

// What was told while the store was being read is not lost, and only what is in
// doubt is read.
func TestReadWhileTold(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	l := NewLive()
	client := func(id string) *accounting.Client { return &accounting.Client{ID: id, Mode: accounting.Prepaid} }
	replace := func(ids ...string) {
		var list []*accounting.Client
		for _, id := range ids {
			list = append(list, client(id))
		}
		d, clashes := New(Config{}, list)
		if clashes != nil {
			t.Fatal(clashes)
		}
		l.Replace(d)
	}
	stand := func(id string, balance int64, change uint64) accounting.Standing {
		return accounting.Standing{Client: id, Balance: balance, Change: [2]uint64{1, change}}
	}
	blocked := func(id string, want bool) {
		t.Helper()
		if got := l.Blocks(client(id), now) == accounting.OutOfBalance; got != want {
			t.Errorf("%s blocked: %v", id, got)
		}
	}
	replace("a", "b")
	l.Restore([]accounting.Standing{stand("a", 0, 9), stand("b", 5, 9)})
	blocked("a", true) // as before the restart
	asked := l.Unread(now)
	if len(asked.List) != 2 {
		t.Errorf("%+v", asked)
	}
	l.Tell([]accounting.Standing{stand("a", -1, 12)})
	l.Read(asked, []accounting.Standing{stand("a", 5, 11), stand("b", 0, 3)}) // b: a store that was set back
	blocked("a", true)
	blocked("b", true)
	replace("a", "b", "c")
	if asked = l.Unread(now); len(asked.List) != 1 || asked.List[0].Client != "c" {
		t.Errorf("%+v", asked)
	}
	l.Read(asked, []accounting.Standing{stand("c", 1, 0)})
	if asked = l.Unread(now); len(asked.List) != 0 {
		t.Errorf("%+v", asked)
	}
	l.Doubt()
	l.Tell([]accounting.Standing{stand("a", 7, 13)})
	if asked = l.Unread(now); len(asked.List) != 3 {
		t.Errorf("%+v", asked)
	}
	replace("a")
	l.Read(l.Unread(now), []accounting.Standing{stand("a", 7, 13)})
	if n := len(l.Standings()); n != 1 {
		t.Errorf("%d standings of one client", n)
	}
}

func TestIncomplete(t *testing.T) {
	d, _ := New(Config{}, nil)
	if d.Incomplete() {
		t.Error("nobody said so")
	}
	if d, _ = New(Config{Incomplete: true}, nil); !d.Incomplete() {
		t.Error("it has forgotten")
	}
}

// A record of a period or a day that is over, which comes late, lifts nothing; nor does
// one of a tariff that is over by now set anything.
func TestLateRecordLiftsNothing(t *testing.T) {
	now := time.Date(2026, 12, 1, 0, 0, 5, 0, time.UTC)
	c := &accounting.Client{ID: "sales", Quota: 100, QuotaDay: 50}
	l := NewLive()
	have := func(c *accounting.Client) {
		d, clashes := New(Config{}, []*accounting.Client{c})
		if clashes != nil {
			t.Fatal(clashes)
		}
		l.Replace(d)
	}
	have(c)
	change := uint64(0)
	tell := func(period string, used int64, day string, usedDay int64) {
		change++
		l.Tell([]accounting.Standing{{Client: "sales", Period: period, Used: used, Day: day, UsedDay: usedDay, Change: [2]uint64{1, change}}})
	}
	want := func(at time.Time, want accounting.Block) {
		t.Helper()
		if got := l.Blocks(c, at); got != want {
			t.Errorf("%s: %s, want %s; %+v", at, got, want, l.Standings())
		}
	}
	tell("2026-12", 100, "2026-12-01", 10)
	want(now, accounting.OverQuota)
	tell("2026-11", 40, "2026-11-30", 5)
	want(now, accounting.OverQuota)
	tell("2026-12", 99, "2026-12-01", 9) // a void
	want(now, 0)
	tell("2026-12", 99, "2026-12-01", 50)
	tell("2026-11", 41, "2026-11-30", 6)
	want(now, accounting.OverQuota)
	for i := range 9 {
		tell("2026-11", 41, time.Date(2026, 11, i+1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), 6)
	}
	tell("2026-12", 99, "2026-12-01", 49)
	want(now, 0)
	want(now.AddDate(0, 1, 0), 0)
	// Days are what it is under from now on.
	c = &accounting.Client{ID: "sales", Quota: 100, Period: accounting.ByDay}
	have(c)
	tell("2026-12-01", 3, "2026-12-01", 49)
	want(now, 0)
	tell("2026-12", 250, "2026-12-01", 49)
	want(now, 0)
	tell("2026-12-01", 100, "2026-12-01", 49)
	tell("2026-12", 260, "2026-12-01", 49)
	want(now, accounting.OverQuota)
	want(now.AddDate(0, 0, 1), 0)
}
