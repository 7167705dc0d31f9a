package config

// facilities are the names of syslog facilities (RFC 5424 §6.2.1, as
// syslog.conf knows them).
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

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
	if ok && (s == "" || d.among(n, s, facilities)) {
		d.config.Syslog = s
	}
}
