package accounting

import (
	"testing"
	"time"
)

// Until its next period a client is under the tariff in force: a period of that is
// compared in its zone, not in that of the tariff to come.
func TestStandingBlocksInTheZoneInForce(t *testing.T) {
	zone := func(name string) *time.Location {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return loc
	}
	for _, tt := range []struct {
		period, inForce, toCome, at string
		want                        Block
	}{
		{"2026-11", "UTC", "Asia/Tokyo", "2026-11-30T16:00:00Z", OverQuota}, // in Tokyo it is December
		{"2026-11", "UTC", "Asia/Tokyo", "2026-12-01T00:00:00Z", 0},
		{"2026-11", "Asia/Tokyo", "UTC", "2026-11-30T16:00:00Z", 0},
		{"2026-11", "Asia/Tokyo", "UTC", "2026-10-31T16:00:00Z", OverQuota},
		{"2026-11-28", "America/Havana", "Asia/Tokyo", "2026-11-29T04:59:00Z", OverQuota},
		{"2026-11-28", "America/Havana", "Asia/Tokyo", "2026-11-29T05:00:00Z", 0},
		{"2026-W48", "Europe/Moscow", "America/Havana", "2026-11-29T20:59:00Z", OverQuota},
		{"2026-11", "", "Asia/Tokyo", "2026-11-30T16:00:00Z", 0}, // known before there were zones
		{"2026-11", "Nowhere/Land", "Asia/Tokyo", "2026-11-30T14:00:00Z", OverQuota},
	} {
		c := &Client{ID: "sales", Quota: 10, Zone: zone(tt.toCome)}
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.StandingBlocks(Standing{Client: "sales", Period: tt.period, Zone: tt.inForce, Used: 10}, at); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
