package config

import "time"

func (d *decoder) accounting(n *node) {
	d.Read(n, "[accounting]", d.accountingFields())
	share := n.Child("share")
	full := share == nil || share.Value == "full"
	if over := n.Child("split_over"); over != nil && full {
		d.Warnf(over, `split_over is without effect unless share is "split"`)
	}
}

func (d *decoder) accountingFields() []field {
	return []field{
		{Key: "share", Read: d.Choice(&d.gate.Sharing.Split, "full", "split")},
		{Key: "split_over", Read: d.Choice(&d.gate.Sharing.OverAll, "billed", "all")},
		{Key: "timezone", Read: d.timezone},
		{Key: "follow_maillog", Read: d.followMaillog},
	}
}

// followMaillog reads "journal" or the path of a log.
func (d *decoder) followMaillog(n *node) {
	text := ""
	d.Text(&text)(n)
	switch {
	case text == "" || text == FollowJournal:
		d.config.FollowMaillog = text
	default:
		d.Path(&d.config.FollowMaillog)(n)
	}
}

// timezone reads a name of the time zone database.
func (d *decoder) timezone(n *node) {
	name, ok := d.ZoneName(n)
	if !ok {
		return
	}
	if loc, err := time.LoadLocation(name); err == nil {
		d.zone = loc
	}
}
