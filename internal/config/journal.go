package config

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
)

func (d *decoder) journal(n *node) { d.Read(n, "[journal]", d.journalFields()) }

func (d *decoder) journalFields() []field {
	return []field{
		{Key: "dir", Read: d.Place(&d.config.JournalDir)},
		{Key: "index", Read: d.Boolean(&d.config.JournalIndex)},
		{Key: "trace", Read: func(n *node) { d.Read(n, "trace", d.traceFields()) }},
		{Key: "syslog", Read: d.syslog},
	}
}

func (d *decoder) traceFields() []field {
	return []field{
		{Key: "protocol", Read: d.Boolean(&d.config.Trace.Protocol)},
		{Key: "rules", Read: d.Boolean(&d.config.Trace.Rules)},
	}
}

func (d *decoder) syslog(n *node) {
	s, ok := d.ReadString(n)
	switch {
	case !ok:
	case s == "" || slices.Contains(journal.Facilities(), s):
		d.config.Syslog = s
	default:
		meant := values.Hint(s, journal.Facilities())
		if meant == "" {
			meant = "; there are " + strings.Join(journal.Facilities(), ", ")
		}
		d.Errorf(n, "syslog cannot be %q%s", s, meant)
	}
}

func (d *decoder) metrics(n *node) { d.Read(n, "[metrics]", d.metricsFields()) }

func (d *decoder) metricsFields() []field {
	return []field{{Key: "listen", Read: d.metricsListen}}
}

// metricsListen reads where figures are shown. Whoever can connect reads them
// without a password, so they leave the host only by what an operator puts in
// front.
func (d *decoder) metricsListen(n *node) {
	s, ok := d.ReadString(n)
	if !ok || s == "" {
		return
	}
	a, err := netip.ParseAddrPort(s)
	switch {
	case err != nil || a.Port() == 0 || a.Addr().Zone() != "":
		d.Errorf(n, "listen %q: want a loopback address and a port, such as 127.0.0.1:9464 or [::1]:9464", s)
	case !a.Addr().Unmap().IsLoopback():
		d.Errorf(n, "listen %q: not a loopback address, and anybody could read the figures; use one such as 127.0.0.1:%d", s, a.Port())
	default:
		d.config.MetricsListen = netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
	}
}
