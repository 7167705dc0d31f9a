package doctor

import "strings"

// System is what the machine runs, by how its services are called and where its
// files are. The zero value is Debian, whose words repairs are written in.
type System string

// The systems.
const (
	Debian   System = ""
	FreeBSD  System = "freebsd"
	OPNsense System = "opnsense" // FreeBSD, and a configuration that it writes itself
)

// sayings are those of Debian, and what stands for them on FreeBSD and OPNsense: the
// longer ones first, for each octet is replaced once.
func sayings(s System) []string {
	service := func(debian, freebsd, opnsense string) []string {
		var all []string
		for _, verb := range []string{"start", "restart", "reload"} {
			is := "service " + freebsd + " " + verb
			if s == OPNsense {
				is = "configctl " + opnsense + " " + strings.ReplaceAll(verb, "reload", "restart")
			}
			all = append(all, "systemctl "+verb+" "+debian, is)
		}
		return all
	}
	var all []string
	for _, one := range [][3]string{
		{"redis-server", "redis", "redis"}, {"clamav-daemon", "clamav_clamd", "clamav"}, {"rspamd", "rspamd", "rspamd"},
		{"postfix", "postfix", "postfix"}, {"tollgate", "tollgate", "tollgate"},
	} {
		all = append(all, service(one[0], one[1], one[2])...)
	}
	fresh := "sysrc clamav_freshclam_enable=YES && service clamav_freshclam start"
	ntp := "sysrc ntpd_enable=YES && service ntpd start"
	if s == OPNsense {
		fresh, ntp = "configctl clamav freshclam", "configctl ntpd restart"
	}
	return append(all,
		"systemctl enable --now clamav-freshclam", fresh,
		"journalctl -u clamav-freshclam", "tail /var/log/clamav/freshclam.log",
		"journalctl -u redis-server", "tail /var/log/redis/redis.log",
		"timedatectl set-ntp true", ntp,
		"apt install redis-server", "pkg install redis",
		"apt install clamav-daemon", "pkg install clamav",
		"apt install ", "pkg install ",
		"install contrib/systemd/logrotate.conf as /etc/logrotate.d/tollgate", "install contrib/freebsd's newsyslog entry as /usr/local/etc/newsyslog.conf.d/tollgate.conf",
		"logrotate -f /etc/logrotate.d/tollgate", "newsyslog -F",
		"/etc/rspamd/", "/usr/local/etc/rspamd/",
		"/etc/postfix", "/usr/local/etc/postfix",
		"/etc/tollgate", "/usr/local/etc/tollgate",
		"/var/lib/redis", "/var/db/redis",
		"/var/lib/tollgate", "/var/db/tollgate",
		"redis.conf", "/usr/local/etc/redis.conf",
	)
}

// repair is what mends it on this system.
func (s System) repair(debian string) string {
	if s == Debian {
		return debian
	}
	text := strings.NewReplacer(sayings(s)...).Replace(debian)
	// What the policy itself names is a path of this system already.
	text = strings.ReplaceAll(text, "/usr/local/usr/local/", "/usr/local/")
	if s != OPNsense {
		return text
	}
	if strings.Contains(text, "tollgate attach") {
		text = strings.ReplaceAll(text, "tollgate attach", "Services, Tollgate, Attach to Postfix")
	}
	if strings.Contains(text, "postconf ") {
		text += " (and under Services, Postfix, or its next save takes it back)"
	}
	return text
}
