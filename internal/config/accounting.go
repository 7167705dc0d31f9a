package config

import (
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/internal/diag"
)

func (d *decoder) accounting(n *node) {
	d.read(n, "[accounting]", d.accountingFields())
	share := n.child("share")
	full := share == nil || share.value == "full"
	if over := n.child("split_over"); over != nil && full {
		d.warnf(over, `split_over is without effect unless share is "split"`)
	}
}

func (d *decoder) accountingFields() []field {
	return []field{
		{key: "share", read: d.choice(&d.gate.Sharing.Split, "full", "split")},
		{key: "split_over", read: d.choice(&d.gate.Sharing.OverAll, "billed", "all")},
		{key: "timezone", read: d.timezone},
	}
}

// timezone reads a name of the time zone database.
func (d *decoder) timezone(n *node) {
	s, ok := d.readString(n)
	if !ok {
		return
	}
	// "Local" and "" mean something to Go, but not the same on each gateway.
	loc, err := time.LoadLocation(s)
	if err != nil || s == "" || s == "Local" {
		near := ""
		if s == "MSK" || s == "MSD" {
			near = "; Moscow's is Europe/Moscow"
		} else if z := diag.Nearest(s, zoneNames()); z != "" {
			near = fmt.Sprintf("; did you mean %s?", z)
		}
		d.errorf(n, "timezone: %q is not in the time zone database%s", s, near)
		return
	}
	d.zone = loc
}
