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
	if l.Snapshot() != nil || l.Blocks(quota, now) != 0 || len(l.Limits(now)) != 0 {
		t.Error("something is known of no clients")
	}
	d, clashes := New(Config{}, []*accounting.Client{quota, prepaid, credit, free})
	if len(clashes) > 0 {
		t.Fatal(clashes)
	}
	l.Replace(d)
	if list := l.Limits(now); len(list) != 3 || list[2] != (accounting.Standing{Client: "quota", Period: "2026-11", Day: "2026-11-28"}) {
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
	l.Read([]accounting.Standing{stand("prepaid", 5, 0, 0, 1)})
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
	if got := l.Blocks(credit, now); got != 0 {
		t.Errorf("a client that is gone: %s", got)
	}
}
