package config

import "time"

func (d *decoder) accounting(n *node) {
	d.read(n, "[accounting]", d.accountingFields())
	share := n.Child("share")
	full := share == nil || share.Value == "full"
	if over := n.Child("split_over"); over != nil && full {
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
	name, ok := d.zoneName(n)
	if !ok {
		return
	}
	if loc, err := time.LoadLocation(name); err == nil {
		d.zone = loc
	}
}
