package config

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/directory"
)

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
		{Key: "outbound", Read: d.chargeSenders},
	}
}

// chargeSenders has outbound mail charged to who sends it.
func (d *decoder) chargeSenders(n *node) {
	d.outboundAt = n
	d.Boolean(&d.gate.ChargeSenders)(n)
}

// checkSenders tells of what is without effect between clients that send and the
// mail that may go anywhere.
func (d *decoder) checkSenders() {
	charged := d.gate.ChargeSenders
	if charged && len(d.gate.OutboundNetworks) == 0 && !d.gate.OutboundAuthenticated {
		d.Warnf(d.outboundAt, "outbound = true: nobody but sendmail(1) may send anywhere; [outbound] says who may")
	}
	for _, c := range d.clientList {
		for _, at := range slices.Concat(c.written[directory.Login], c.written[directory.Network]) {
			if !charged && (d.outboundAt == nil || d.outboundAt.Value == false) {
				d.Warnf(at, "client %s: %s are without effect unless [accounting] has outbound = true", c.ID, at.Key)
				return
			}
		}
		for i, at := range c.written[directory.Network] {
			if charged && !d.gate.OutboundAuthenticated && !overlap(c.Networks[i], d.gate.OutboundNetworks) {
				d.Warnf(at, "client %s: %s is no network of [outbound], so that mail from there is not outbound and costs its sender nothing", c.ID, c.Networks[i])
			}
		}
	}
}

func overlap(p netip.Prefix, with []netip.Prefix) bool {
	return slices.ContainsFunc(with, p.Overlaps)
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
		if _, err := os.Stat(d.config.FollowMaillog); !strings.Contains(text, "/") && errors.Is(err, fs.ErrNotExist) {
			d.Warnf(n, "follow_maillog: there is no file %s; \"journal\" has the lines of journalctl brought by tollgate maillog feed", d.config.FollowMaillog)
		}
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
