package config

import (
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
)

// maxRemembered bounds how long anything is remembered.
const maxRemembered = 3650 * values.Day

func (d *decoder) greylist(n *node) {
	d.Read(n, "[greylist]", d.greylistFields())
	d.greylistAt = n
}

func (d *decoder) greylistFields() []field {
	g := &d.config.Greylist
	return []field{
		{Key: "delay", Read: d.Duration(&g.Delay, time.Second, maxRemembered)},
		{Key: "window", Read: d.Duration(&g.Window, time.Second, maxRemembered)},
		{Key: "life", Read: d.Duration(&g.Life, time.Second, maxRemembered)},
		{Key: "ipv4_mask", Read: d.Whole(&g.IPv4Mask, 0, 32)},
		{Key: "ipv6_mask", Read: d.Whole(&g.IPv6Mask, 0, 128)},
		{Key: "auto_whitelist", Read: d.Whole(&g.AutoWhitelist, 0, 1000)},
	}
}

// finishGreylist checks what its keys say together.
func (d *decoder) finishGreylist() {
	if d.greylistAt == nil {
		return
	}
	if err := d.config.Greylist.Validate(); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			d.Errorf(d.greylistAt, "[greylist]: %s", line)
		}
	}
}

func (d *decoder) correspondents(n *node) {
	d.Read(n, "[correspondents]", d.correspondentsFields())
}

func (d *decoder) correspondentsFields() []field {
	return []field{{Key: "life", Read: d.Duration(&d.config.CorrespondentLife, time.Minute, maxRemembered)}}
}
