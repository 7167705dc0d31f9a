package accounting

import (
	"net/netip"
	"time"
)

// Client is one party that is billed: a department, a tenant, a person. It is
// immutable once made.
type Client struct {
	ID        string   // [a-z0-9._-]+, not starting with "_"; see CheckID
	Name      string   // for people
	Addresses []string // as written: user@domain, @domain, /regex/; see ParseAddress

	// Where outbound mail is charged to who sends it: as what its users
	// authenticate, as written, and where they send from.
	Logins   []string
	Networks []netip.Prefix

	Disabled bool
	// Dates: their year, month and day count, as they stand in the value's own
	// location, whatever that is. They begin at 00:00 in Location.
	ValidFrom time.Time      // zero: always; the first day with service
	Expires   time.Time      // zero: never; the first day without service
	Schedule  *Schedule      // nil: always
	Location  *time.Location // of dates and schedule; nil: UTC

	NoFilter bool // filter = false: never refused by rules, still scanned and billed

	// Tariff, and the version of it that holds; "" for none. Period and Zone are
	// those that the tariff cuts time by; nil and "": months of Location.
	Tariff, TariffVersion string
	Period                string
	Zone                  *time.Location

	Quota, QuotaDay int64 // charged bytes a period, a day; 0: no limit
	Mode            Mode
	// CreditLimit is how far the balance may go below zero, in millionths of
	// the currency unit; HasCredit tells it from none for a Postpaid client.
	CreditLimit int64
	HasCredit   bool
}

// Mode is how a client pays.
type Mode uint8

const (
	Postpaid  Mode = iota // refused beyond its credit limit, where it has one
	Prepaid               // refused when balance and credit limit are used up
	Unlimited             // its balance is not asked for
)

// Modes are the names of all, in their order.
func Modes() []string { return []string{"postpaid", "prepaid", "unlimited"} }

func (m Mode) String() string { return Modes()[m] }

// Limited tells whether how its account stands can refuse the client.
func (c *Client) Limited() bool {
	return c.Quota > 0 || c.QuotaDay > 0 || c.Mode == Prepaid || c.Mode == Postpaid && c.HasCredit
}

// PeriodAt is the period of its tariff that t belongs to, and DayAt the day.
func (c *Client) PeriodAt(t time.Time) string { return PeriodOf(c.Period, t, c.zone()) }

// DayAt is the day of Location that t belongs to.
func (c *Client) DayAt(t time.Time) string { return Day(t, c.location()) }

func (c *Client) location() *time.Location {
	if c.Location == nil {
		return time.UTC
	}
	return c.Location
}

// StandingBlocks are the reasons that follow from how the account stands. What
// was used in a period that is over says nothing of t.
func (c *Client) StandingBlocks(s Standing, t time.Time) Block {
	var b Block
	if c.Quota > 0 && s.Used >= c.Quota && s.Period != "" && s.Period == PeriodOf(KindOf(s.Period), t, c.zoneOf(&s)) {
		b |= OverQuota
	}
	if c.QuotaDay > 0 && s.UsedDay >= c.QuotaDay && s.Day == c.DayAt(t) {
		b |= OverQuota
	}
	// Neither passes CounterLimit, so that the sum cannot overflow.
	if (c.Mode == Prepaid || c.Mode == Postpaid && c.HasCredit) && s.Balance+c.CreditLimit <= 0 {
		b |= OutOfBalance
	}
	return b
}

// zoneOf is the zone that a standing's period was cut in. A tariff that was changed
// holds from the next period on: until then kind and zone are those of the one before.
func (c *Client) zoneOf(s *Standing) *time.Location {
	switch zone := c.zone(); s.Zone {
	case "", zone.String():
		return zone
	default:
		// The time zone database is asked for the few that are to change.
		if loc, err := time.LoadLocation(s.Zone); err == nil {
			return loc
		}
		return zone
	}
}

// zone is the one that the periods of its tariff are cut in.
func (c *Client) zone() *time.Location {
	if c.Zone == nil {
		return c.location()
	}
	return c.Zone
}

// Blocks are the reasons that hold at t.
func (c *Client) Blocks(t time.Time) Block {
	var b Block
	if c.Disabled {
		b |= Disabled
	}
	loc := c.location()
	// Days are compared as the wall calendar shows them: where clocks go
	// forward at midnight, a day has no 00:00 to compare with.
	t = t.In(loc)
	if !c.Expires.IsZero() && day(t) >= day(c.Expires) {
		b |= Expired
	}
	if !c.ValidFrom.IsZero() && day(t) < day(c.ValidFrom) {
		b |= NotYetValid
	}
	if c.Schedule != nil && !c.Schedule.Contains(t) {
		b |= OutOfSchedule
	}
	return b
}

// ValidIn tells whether its dates let the client have service at some time of
// [from, to).
func (c *Client) ValidIn(from, to time.Time) bool {
	loc := c.location()
	if !c.Expires.IsZero() && day(from.In(loc)) >= day(c.Expires) {
		return false
	}
	return c.ValidFrom.IsZero() || day(to.Add(-1).In(loc)) >= day(c.ValidFrom)
}

// day numbers calendar days in their order.
func day(t time.Time) int {
	y, m, d := t.Date()
	return (y*100+int(m))*100 + d
}
