package config

import "github.com/tollgate-mail/tollgate/internal/journal"

func (d *decoder) journal(n *node) { d.read(n, "[journal]", d.journalFields()) }

func (d *decoder) journalFields() []field {
	return []field{
		{key: "dir", read: d.path(&d.config.JournalDir)},
		{key: "trace", read: func(n *node) { d.read(n, "trace", d.traceFields()) }},
		{key: "syslog", read: d.syslog},
	}
}

func (d *decoder) traceFields() []field {
	return []field{
		{key: "protocol", read: d.boolean(&d.config.Trace.Protocol)},
		{key: "rules", read: d.boolean(&d.config.Trace.Rules)},
	}
}

func (d *decoder) syslog(n *node) {
	s, ok := d.readString(n)
	if ok && (s == "" || d.among(n, s, journal.Facilities())) {
		d.config.Syslog = s
	}
}
