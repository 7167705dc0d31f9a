package config

import (
	"strings"
	"time"
)

// maxRemembered bounds how long anything is remembered.
const maxRemembered = 3650 * day

func (d *decoder) greylist(n *node) {
	d.read(n, "[greylist]", d.greylistFields())
	d.greylistAt = n
}

func (d *decoder) greylistFields() []field {
	g := &d.config.Greylist
	return []field{
		{key: "delay", read: d.duration(&g.Delay, time.Second, maxRemembered)},
		{key: "window", read: d.duration(&g.Window, time.Second, maxRemembered)},
		{key: "life", read: d.duration(&g.Life, time.Second, maxRemembered)},
		{key: "ipv4_mask", read: d.whole(&g.IPv4Mask, 0, 32)},
		{key: "ipv6_mask", read: d.whole(&g.IPv6Mask, 0, 128)},
		{key: "auto_whitelist", read: d.whole(&g.AutoWhitelist, 0, 1000)},
	}
}

// finishGreylist checks what its keys say together.
func (d *decoder) finishGreylist() {
	if d.greylistAt == nil {
		return
	}
	if err := d.config.Greylist.Validate(); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			d.errorf(d.greylistAt, "[greylist]: %s", line)
		}
	}
}

func (d *decoder) correspondents(n *node) {
	d.read(n, "[correspondents]", d.correspondentsFields())
}

func (d *decoder) correspondentsFields() []field {
	return []field{{key: "life", read: d.duration(&d.config.CorrespondentLife, time.Minute, maxRemembered)}}
}
