package accounting

import "time"

// Client is one party that is billed: a department, a tenant, a person. It is
// immutable once made.
type Client struct {
	ID        string   // [a-z0-9._-]+, not starting with "_"; see CheckID
	Name      string   // for people
	Addresses []string // as written: user@domain, @domain, /regex/; see ParseAddress

	Disabled bool
	// Dates: their year, month and day count, as they stand in the value's own
	// location, whatever that is. They begin at 00:00 in Location.
	ValidFrom time.Time      // zero: always; the first day with service
	Expires   time.Time      // zero: never; the first day without service
	Schedule  *Schedule      // nil: always
	Location  *time.Location // of dates and schedule; nil: UTC

	NoFilter bool // filter = false: never refused by rules, still scanned and billed
}

// Blocks are the reasons that hold at t.
func (c *Client) Blocks(t time.Time) Block {
	var b Block
	if c.Disabled {
		b |= Disabled
	}
	loc := c.Location
	if loc == nil {
		loc = time.UTC
	}
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

// day numbers calendar days in their order.
func day(t time.Time) int {
	y, m, d := t.Date()
	return (y*100+int(m))*100 + d
}
