package config

import "github.com/tollgate-mail/tollgate/internal/journal"

func (d *decoder) journal(n *node) { d.Read(n, "[journal]", d.journalFields()) }

func (d *decoder) journalFields() []field {
	return []field{
		{Key: "dir", Read: d.Path(&d.config.JournalDir)},
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
	if ok && (s == "" || d.Among(n, s, journal.Facilities())) {
		d.config.Syslog = s
	}
}
