package doctor

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/results"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// healthy is a gateway that has everything, and nothing wrong with it.
func healthy() Facts {
	us := netip.MustParseAddr("192.0.2.10")
	synced := true
	milter := []Milter{{Address: "unix:rspamd.sock"}, {Address: "unix:tollgate/milter.sock", Ours: true, Options: map[string]string{
		"default_action": "tempfail", "connect_timeout": "10s", "command_timeout": "30s", "content_timeout": "300s",
	}}}
	milter = milter[1:]
	return Facts{
		Now: now,
		Policy: Policy{
			File: "/etc/tollgate/policy.toml", Changed: now.Add(-2 * time.Hour), Gateway: "mx1.example.org", StateDir: "/var/lib/tollgate",
			Domains: []string{"example.org", ".example.org"}, Outbound: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
			Greylist: true, Lists: []string{"dnsbl.example.net"}, AnyOfOurs: true,
		},
		Daemon: Daemon{Running: true, Version: "1.0.0", Binary: "1.0.0", Loaded: now.Add(-time.Hour)},
		Postfix: []Postfix{{
			Config: "/etc/postfix", Running: true, SMTP: milter, Local: milter,
			Settings: map[string]string{
				"mail_version": "3.7.11", "mynetworks": "127.0.0.0/8 [::1]/128 10.0.0.0/8", "relay_domains": "example.org", "mydestination": "localhost",
				"inet_interfaces": "all", "myhostname": "mx1.example.org", "milter_protocol": "6", "milter_default_action": "tempfail",
				"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination", "smtpd_recipient_restrictions": "reject_unverified_recipient",
				"local_recipient_maps": "proxy:unix:passwd.byname", "message_size_limit": "10240000", "header_size_limit": "102400",
				"smtpd_tls_security_level": "may", "smtpd_delay_reject": "yes", "smtpd_forbid_bare_newline": "normalize",
				"smtpd_forbid_unauth_pipelining": "yes", "enable_long_queue_ids": "yes", "soft_bounce": "no",
			},
			Services: []Service{
				{Name: "smtp/inet", Command: "smtpd", Chroot: true},
				{Name: "submission/inet", Command: "smtpd", Options: map[string]string{"smtpd_sasl_auth_enable": "yes"}},
				{Name: "cleanup/unix", Command: "cleanup"},
			},
			Cert: &Certificate{File: "/etc/ssl/mx1.pem", Key: "/etc/ssl/mx1.key", Names: []string{"*.example.org"}, From: now.Add(-24 * time.Hour), Until: now.Add(60 * 24 * time.Hour), KeyMode: 0o600},
		}},
		Clamd: &Clamd{
			Address: "unix:/run/clamav/clamd.ctl", Version: "1.0.9", Signatures: now.Add(-20 * time.Hour), Count: 27800, File: "/etc/clamav/clamd.conf",
			MaxSize: 50 << 20, AtOnce: 8,
			Settings: map[string]string{"AlertExceedsMax": "yes", "StreamMaxLength": "100M", "MaxScanSize": "400M", "MaxFileSize": "100M", "MaxThreads": "12", "ScanOLE2": "true"},
		},
		Rspamd: &Rspamd{Address: "127.0.0.1:11333", Version: "3.4", MaxSize: 10 << 20, Limit: 50 << 20},
		Redis: &Redis{
			Address: "127.0.0.1:6379", Loopback: true, Replicas: 1,
			Info:   map[string]string{"redis_version": "7.0.15", "role": "master", "connected_slaves": "1", "used_memory": "1000000", "maxmemory": "0", "rdb_last_bgsave_status": "ok", "aof_last_write_status": "ok"},
			Config: map[string]string{"maxmemory": "0", "maxmemory-policy": "noeviction", "save": "3600 1", "appendonly": "yes", "appendfsync": "everysec", "bind": "127.0.0.1"},
		},
		DNS: &DNS{
			Servers: []string{"127.0.0.1:53"}, Addresses: []netip.Addr{us}, Slowest: 80 * time.Millisecond,
			Gateway: Answer{Values: []string{"192.0.2.10"}}, Helo: Answer{Values: []string{"192.0.2.10"}},
			PTR:     map[netip.Addr]Answer{us: {Values: []string{"mx1.example.org."}}},
			MX:      map[string]Answer{"example.org": {Values: []string{"mx1.example.org."}}},
			MXHosts: map[string]Answer{"mx1.example.org.": {Values: []string{"192.0.2.10"}}},
			SPF:     map[string]Answer{"example.org": {Values: []string{"v=spf1 mx -all", "some-other=text"}}}, SPFResult: map[string]results.Auth{"example.org": "pass"},
			Listed: map[string][]string{}, Lists: map[string]ListState{"dnsbl.example.net": {}},
		},
		Machine: Machine{ClockSynced: &synced, Rotation: true, JournalSize: 3 << 30},
		Files: []File{
			{Path: "/etc/tollgate/policy.toml", Mode: 0o640, Owner: "root", Readable: true},
			{Path: "/etc/tollgate/redis.password", Secret: true, Mode: 0o640, Owner: "root", Readable: true},
		},
		Disks: []Disk{
			{Path: "/var/lib/tollgate", Use: "state", Free: 10 << 30, Size: 50 << 30, FreeInodes: 900000, Nodes: 1000000, Type: "ext4"},
			{Path: "/var/log/tollgate", Use: "journals", Free: 10 << 30, Size: 50 << 30, FreeInodes: 900000, Nodes: 1000000, Type: "ext4"},
			{Path: "/var/spool/postfix", Use: "queue", Free: 10 << 30, Size: 50 << 30, Type: "btrfs"}, // has no count of inodes
		},
	}
}

func TestHealthy(t *testing.T) {
	for _, f := range Examine(healthy()) {
		t.Errorf("%+v", f)
	}
	// A machine of which next to nothing is known.
	bare := Facts{Now: now, Daemon: Daemon{Running: true}}
	if all := Examine(bare); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}

// Each fault alone is found, by its name, and nothing else is said.
func TestPlantedFaults(t *testing.T) {
	set := func(name, value string) func(*Facts) { return func(f *Facts) { f.Postfix[0].Settings[name] = value } }
	option := func(service int, name, value string) func(*Facts) {
		return func(f *Facts) {
			s := &f.Postfix[0].Services[service]
			if s.Options == nil {
				s.Options = map[string]string{}
			}
			s.Options[name] = value
		}
	}
	milter := func(name, value string) func(*Facts) {
		return func(f *Facts) {
			m := slices.Clone(f.Postfix[0].SMTP)
			m[0].Options = map[string]string{name: value}
			f.Postfix[0].SMTP = m
		}
	}
	clam := func(name, value string) func(*Facts) { return func(f *Facts) { f.Clamd.Settings[name] = value } }
	info := func(name, value string) func(*Facts) { return func(f *Facts) { f.Redis.Info[name] = value } }
	redis := func(name, value string) func(*Facts) { return func(f *Facts) { f.Redis.Config[name] = value } }
	cert := func(do func(*Certificate)) func(*Facts) { return func(f *Facts) { do(f.Postfix[0].Cert) } }
	mx := func(values ...string) func(*Facts) {
		return func(f *Facts) { f.DNS.MX["example.org"] = Answer{Values: values} }
	}
	list := func(s ListState) func(*Facts) { return func(f *Facts) { f.DNS.Lists["dnsbl.example.net"] = s } }
	us := netip.MustParseAddr("192.0.2.10")
	filter := func(back Service) func(*Facts) {
		return func(f *Facts) {
			f.Postfix[0].Settings["content_filter"] = "smtp:127.0.0.1:10025"
			f.Postfix[0].Services = append(f.Postfix[0].Services, back)
		}
	}

	for _, tt := range []struct {
		name  string
		plant func(*Facts)
		also  []string // what follows from it
	}{
		{"policy-bad", func(f *Facts) { f.Policy.Errors = 3 }, nil},
		{"policy-not-loaded", func(f *Facts) { f.Policy.Changed = now.Add(-20 * time.Minute) }, nil},
		{"daemon-down", func(f *Facts) { f.Daemon = Daemon{} }, nil},
		{"daemon-old", func(f *Facts) { f.Daemon.Version = "0.9.0" }, nil},
		{"daemon-degraded", func(f *Facts) { f.Daemon.Degraded = []string{"antivirus: breaker open"} }, nil},
		{"daemon-unconfined", func(f *Facts) { f.Daemon.Unconfined = true }, nil},
		{"records-wait", func(f *Facts) { f.Daemon.Waiting, f.Daemon.Oldest = 7, now.Add(-time.Hour) }, nil},
		{"records-parked", func(f *Facts) { f.Daemon.Parked = 1 }, nil},

		{"postfix-missing", func(f *Facts) { f.Postfix[0] = Postfix{Config: "/etc/postfix", Missing: "not found"}; f.DNS = nil }, nil},
		{"postfix-down", func(f *Facts) { f.Postfix[0].Running = false }, nil},
		{"postfix-old", set("mail_version", "3.4.23"), nil},
		{"postfix-not-attached", func(f *Facts) { f.Postfix[0].SMTP = nil }, nil},
		{"postfix-not-last", func(f *Facts) {
			f.Postfix[0].SMTP = append(slices.Clone(f.Postfix[0].SMTP), Milter{Address: "inet:127.0.0.1:8891"})
		}, nil},
		{"postfix-twice", func(f *Facts) { f.Postfix[0].SMTP = append(slices.Clone(f.Postfix[0].SMTP), f.Postfix[0].SMTP...) }, nil},
		{"postfix-local-unjudged", func(f *Facts) { f.Postfix[0].Local = nil }, nil},
		{"postfix-fails-open", milter("default_action", "accept"), nil},
		{"postfix-fails-open", func(f *Facts) { milter("", "")(f); set("milter_default_action", "accept")(f) }, nil},
		{"postfix-fails-hard", milter("default_action", "reject"), nil},
		{"postfix-fails-hold", milter("default_action", "quarantine"), nil},
		{"postfix-connect-timeout", milter("connect_timeout", "1s"), nil},
		{"postfix-command-timeout", milter("command_timeout", "5s"), nil},
		{"postfix-content-timeout", milter("content_timeout", "1m"), nil},
		{"postfix-protocol", set("milter_protocol", "2"), nil},
		{"postfix-no-reach", func(f *Facts) { f.Postfix[0].Socket = "smtp/inet runs in a chroot" }, nil},
		{"postfix-no-milters", option(1, "receive_override_options", "no_milters"), nil},
		{"postfix-no-milters", set("receive_override_options", "no_milters,no_address_mappings"), []string{"postfix-no-milters"}},
		{"postfix-way-past", func(f *Facts) { f.Postfix[0].Services[1].Milters = []Milter{} }, nil},
		{"postfix-way-past-others", func(f *Facts) { f.Postfix[0].Services[1].Milters = []Milter{{Address: "inet:127.0.0.1:8891"}} }, nil},
		{"postfix-judged-again", filter(Service{Name: "127.0.0.1:10026/inet", Command: "smtpd"}), nil},
		{"postfix-proxy-filter", option(0, "smtpd_proxy_filter", "127.0.0.1:10025"), nil},
		{"postfix-postscreen-alone", func(f *Facts) { f.Postfix[0].Services[0].Command = "postscreen" }, nil},
		{"postfix-open-relay-networks", set("mynetworks", "127.0.0.0/8 10.0.0.0/8 0.0.0.0/0"), nil},
		{"postfix-open-relay", func(f *Facts) {
			set("smtpd_relay_restrictions", "permit")(f)
			set("smtpd_recipient_restrictions", "reject_unverified_recipient")(f)
		}, nil},
		{"postfix-loopback", set("inet_interfaces", "loopback-only"), nil},
		{"networks-not-outbound", set("mynetworks", "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12"), nil},
		{"outbound-not-networks", set("mynetworks", "127.0.0.0/8"), nil},
		{"domain-not-in-postfix", func(f *Facts) { f.Policy.Domains = append(f.Policy.Domains, "example.com") }, nil},
		{"domain-not-in-policy", set("relay_domains", "example.org example.net"), nil},
		{"domain-one-form", func(f *Facts) {
			f.Policy.Domains = append(f.Policy.Domains, "xn--e1afmkfd.example")
			set("relay_domains", "example.org xn--e1afmkfd.example")(f)
		}, nil},
		{"postfix-backscatter", set("smtpd_recipient_restrictions", ""), nil},
		{"postfix-backscatter-local", set("local_recipient_maps", ""), nil},
		{"postfix-always-bcc", set("always_bcc", "archive@example.org"), nil},
		{"postfix-soft-bounce", set("soft_bounce", "yes"), nil},
		{"postfix-early-refusals", set("smtpd_delay_reject", "no"), nil},
		{"postfix-smuggling", set("smtpd_forbid_bare_newline", "no"), nil},
		{"postfix-pipelining", set("smtpd_forbid_unauth_pipelining", "no"), nil},
		{"postfix-short-ids", set("enable_long_queue_ids", "no"), nil},
		{"postfix-helo-name", func(f *Facts) { set("myhostname", "mx1")(f); f.Postfix[0].Cert.Names = nil }, nil},
		{"postfix-no-size-limit", func(f *Facts) { set("message_size_limit", "0")(f); f.Clamd.MaxSize = 0 }, nil},
		{"size-over-antivirus", set("message_size_limit", "104857600"), nil},
		{"postfix-headers-cut", set("header_size_limit", "10240"), nil},
		{"postfix-no-tls", func(f *Facts) { set("smtpd_tls_security_level", "")(f); f.Postfix[0].Cert = nil }, nil},

		{"certificate-expired", cert(func(c *Certificate) { c.Until = now.Add(-time.Hour) }), nil},
		{"certificate-expires", cert(func(c *Certificate) { c.Until = now.Add(24 * time.Hour) }), nil},
		{"certificate-early", cert(func(c *Certificate) { c.From = now.Add(time.Hour) }), nil},
		{"certificate-name", cert(func(c *Certificate) { c.Names = []string{"www.example.com"} }), nil},
		{"certificate-unreadable", cert(func(c *Certificate) { c.Unreadable = "no certificate" }), nil},
		{"certificate-key-open", cert(func(c *Certificate) { c.KeyMode = 0o644 }), nil},

		{"clamd-down", func(f *Facts) { f.Clamd.Error = "connection refused" }, nil},
		{"clamd-old", func(f *Facts) { f.Clamd.Version = "0.103.8" }, nil},
		{"clamd-no-date", func(f *Facts) { f.Clamd.Signatures = time.Time{} }, nil},
		{"clamd-signatures-old", func(f *Facts) { f.Clamd.Signatures = now.Add(-5 * 24 * time.Hour) }, nil},
		{"clamd-signatures-dead", func(f *Facts) { f.Clamd.Signatures = now.Add(-50 * 24 * time.Hour) }, nil},
		{"clamd-scanole2", clam("ScanOLE2", "no"), nil},
		{"clamd-scanarchive", clam("ScanArchive", "false"), nil},
		{"clamd-scanmail", clam("ScanMail", "no"), nil},
		{"clamd-alert-exceeds-max", clam("AlertExceedsMax", "no"), nil},
		{"clamd-streammaxlength", clam("StreamMaxLength", "25M"), nil},
		{"clamd-maxscansize", clam("MaxScanSize", "20M"), nil},
		{"clamd-maxfilesize", clam("MaxFileSize", "10240K"), nil},
		{"clamd-threads", clam("MaxThreads", "2"), nil},
		{"clamd-reload-blocks", clam("ConcurrentDatabaseReload", "no"), nil},

		{"rspamd-down", func(f *Facts) { f.Rspamd.Error = "connection refused" }, nil},
		{"rspamd-old", func(f *Facts) { f.Rspamd.Version = "2.7" }, nil},
		{"rspamd-greylists-too", func(f *Facts) { f.Rspamd.Greylist = true }, nil},
		{"rspamd-size", func(f *Facts) { f.Rspamd.Limit = 1 << 20 }, nil},
		{"rspamd-asked-twice", func(f *Facts) {
			f.Postfix[0].SMTP = append([]Milter{{Address: "inet:localhost:11332"}}, f.Postfix[0].SMTP...)
		}, nil},

		{"redis-down", func(f *Facts) { f.Redis.Error = "connection refused" }, nil},
		{"redis-old", info("redis_version", "6.0.16"), nil},
		{"redis-evicts", func(f *Facts) { redis("maxmemory", "100000000")(f); redis("maxmemory-policy", "allkeys-lru")(f) }, nil},
		{"redis-full", info("maxmemory", "1000001"), nil},
		{"redis-not-kept", func(f *Facts) { redis("appendonly", "no")(f); redis("save", "")(f) }, nil},
		{"redis-snapshots-only", redis("appendonly", "no"), nil},
		{"redis-fsync", redis("appendfsync", "no"), nil},
		{"redis-save-fails", info("rdb_last_bgsave_status", "err"), nil},
		{"redis-append-fails", info("aof_last_write_status", "err"), nil},
		{"redis-replica", info("role", "slave"), nil},
		{"redis-link-down", func(f *Facts) { info("role", "slave")(f); info("master_link_status", "down")(f) }, []string{"redis-replica"}},
		{"redis-replicas", info("connected_slaves", "0"), nil},
		{"redis-cluster", func(f *Facts) { info("cluster_enabled", "1")(f); info("cluster_state", "fail")(f) }, nil},
		{"redis-clock", func(f *Facts) { f.Redis.Clock = -time.Minute }, nil},
		{"redis-clear-text", func(f *Facts) { f.Redis.Loopback, f.Redis.Password = false, true }, nil},
		{"redis-no-password", func(f *Facts) { f.Redis.Loopback, f.Redis.TLS = false, true }, nil},
		{"redis-open", func(f *Facts) { redis("bind", "0.0.0.0")(f); redis("protected-mode", "no")(f) }, nil},

		{"dns-none", func(f *Facts) { f.DNS.Servers = nil }, nil},
		{"dns-public-resolver", func(f *Facts) { f.DNS.Servers = []string{"8.8.8.8:53"} }, nil},
		{"dns-slow", func(f *Facts) { f.DNS.Slowest = 3 * time.Second }, nil},
		{"dns-no-answer", func(f *Facts) { f.DNS.Gateway = Answer{Error: "timeout"} }, nil},
		{"dns-gateway-name", func(f *Facts) { f.DNS.Gateway = Answer{} }, nil},
		{"dns-helo", func(f *Facts) { f.DNS.Helo = Answer{} }, nil},
		{"dns-no-ptr", func(f *Facts) { f.DNS.PTR[us] = Answer{} }, nil},
		{"dns-ptr-other", func(f *Facts) { f.DNS.PTR[us] = Answer{Values: []string{"host-10.provider.example."}} }, nil},
		{"dns-no-mx", mx(), nil},
		{"dns-null-mx", mx("."), nil},
		{"dns-mx-address", mx("192.0.2.10."), nil},
		{"dns-mx-nowhere", mx("mx1.example.org.", "mx9.example.org."), nil},
		{"dns-mx-elsewhere", func(f *Facts) {
			mx("mx.elsewhere.example.")(f)
			f.DNS.MXHosts["mx.elsewhere.example."] = Answer{Values: []string{"198.51.100.1"}}
		}, nil},
		{"dns-no-spf", func(f *Facts) { f.DNS.SPF["example.org"] = Answer{Values: []string{"v=spf10"}} }, nil},
		{"dns-two-spf", func(f *Facts) { f.DNS.SPF["example.org"] = Answer{Values: []string{"v=spf1 -all", "v=spf1 mx -all"}} }, nil},
		{"dns-spf-broken", func(f *Facts) { f.DNS.SPFResult["example.org"] = "permerror" }, nil},
		{"dns-spf-without-us", func(f *Facts) { f.DNS.SPFResult["example.org"] = "fail" }, nil},
		{"dns-we-are-listed", func(f *Facts) { f.DNS.Listed["dnsbl.example.net"] = []string{"192.0.2.10"} }, nil},
		{"dns-list-refuses", list(ListState{Refuses: true}), nil},
		{"dns-list-all", list(ListState{All: true}), nil},
		{"dns-list-silent", list(ListState{Error: "timeout"}), nil},
		{"dns-list-empty", list(ListState{Nobody: true}), nil},

		{"clock-free", func(f *Facts) { synced := false; f.Machine.ClockSynced = &synced }, nil},
		{"clock-wrong", func(f *Facts) {
			f.Now = time.Date(1970, 1, 1, 0, 5, 0, 0, time.UTC)
			f.Postfix[0].Cert.From = time.Time{}
			f.Policy.Changed = f.Now
		}, nil},
		{"journals-not-rotated", func(f *Facts) { f.Machine.Rotation = false }, nil},
		{"disk-state-full", func(f *Facts) { f.Disks[0].Free = 100 << 20 }, nil},
		{"disk-journals-full", func(f *Facts) { f.Disks[1].Free = 100 << 20 }, nil},
		{"disk-queue-full", func(f *Facts) { f.Disks[2].Free = 100 << 20 }, nil},
		{"disk-state-inodes", func(f *Facts) { f.Disks[0].FreeInodes = 100 }, nil},
		{"disk-state-read-only", func(f *Facts) { f.Disks[0].ReadOnly = true }, nil},
		{"disk-state-missing", func(f *Facts) { f.Disks[0].Error = "no such file or directory" }, nil},
		{"disk-state-memory", func(f *Facts) { f.Disks[0].Type = "tmpfs" }, nil},
		{"disk-state-network", func(f *Facts) { f.Disks[0].Type = "nfs4" }, nil},
		{"file-missing", func(f *Facts) { f.Files[0].Error = "no such file or directory" }, nil},
		{"file-unreadable", func(f *Facts) { f.Files[0].Readable = false }, nil},
		{"file-secret-open", func(f *Facts) { f.Files[1].Mode = 0o644 }, nil},
		{"file-writable", func(f *Facts) { f.Files[0].Mode = 0o666 }, nil},
		{"file-owner", func(f *Facts) { f.Files[0].Owner = "ivan" }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := healthy()
			tt.plant(&f)
			found := Examine(f)
			var names []string
			for _, x := range found {
				names = append(names, x.Name)
				if x.What == "" || x.Why == "" || x.Repair == "" || strings.Contains(x.What, "%!") {
					t.Errorf("%+v", x)
				}
			}
			want := append([]string{tt.name}, tt.also...)
			// Elsewhere the same is found, and repaired by what there is there.
			for _, system := range []System{FreeBSD, OPNsense} {
				f.System = system
				for _, x := range Examine(f) {
					if debian.MatchString(x.Repair) || strings.Contains(x.Repair, "/usr/local/usr") {
						t.Errorf("%s: %s: %s", system, x.Name, x.Repair)
					}
				}
			}
			slices.Sort(names)
			slices.Sort(want)
			if !slices.Equal(names, want) {
				t.Errorf("found %q, want %q", names, want)
			}
		})
	}
}

// debian are words that no FreeBSD has.
var debian = regexp.MustCompile(`systemctl|journalctl|timedatectl|\bapt\b|clamav-daemon|redis-server|/var/lib/(redis|tollgate)|(^|[^l])/etc/(tollgate|postfix|rspamd|logrotate)|contrib/systemd`)

func TestRepairs(t *testing.T) {
	for _, tt := range []struct{ debian, freebsd, opnsense string }{
		{"systemctl restart redis-server", "service redis restart", "configctl redis restart"},
		{"systemctl start tollgate", "service tollgate start", "configctl tollgate start"},
		{"apt install clamav-daemon", "pkg install clamav", "pkg install clamav"},
		{"apt install unbound, then resolver = [\"127.0.0.1:53\"] in [gateway]", "pkg install unbound, then resolver = [\"127.0.0.1:53\"] in [gateway]", "pkg install unbound, then resolver = [\"127.0.0.1:53\"] in [gateway]"},
		{"chmod o= /usr/local/etc/tollgate/redis.password", "chmod o= /usr/local/etc/tollgate/redis.password", "chmod o= /usr/local/etc/tollgate/redis.password"},
		{"chmod o= /etc/tollgate/redis.password", "chmod o= /usr/local/etc/tollgate/redis.password", "chmod o= /usr/local/etc/tollgate/redis.password"},
		{"tollgate attach", "tollgate attach", "Services, Tollgate, Attach to Postfix"},
		{"postconf -e inet_interfaces=all && systemctl restart postfix", "postconf -e inet_interfaces=all && service postfix restart",
			"postconf -e inet_interfaces=all && configctl postfix restart (and under Services, Postfix, or its next save takes it back)"},
	} {
		if got := Debian.repair(tt.debian); got != tt.debian {
			t.Errorf("debian: %q", got)
		}
		if got := FreeBSD.repair(tt.debian); got != tt.freebsd {
			t.Errorf("freebsd: %q, want %q", got, tt.freebsd)
		}
		if got := OPNsense.repair(tt.debian); got != tt.opnsense {
			t.Errorf("opnsense: %q, want %q", got, tt.opnsense)
		}
	}
}

// One domain in its two forms is one.
// In mode "known" the policy has no list of domains: what a repair says must be
// what check takes. Where more domains may have addresses, none is said to have none.
func TestDomainsOfModeKnown(t *testing.T) {
	f := healthy()
	f.Policy.AnyOfOurs = false
	f.Postfix[0].Settings["relay_domains"] = "example.org example.net"
	found := Examine(f)
	if len(found) != 1 || found[0].Name != "domain-not-in-policy" || strings.Contains(found[0].Repair, "[recipients]") || !strings.Contains(found[0].Repair, "@example.net") {
		t.Errorf("%+v", found)
	}
	f.Policy.MoreDomains = true
	if found := Examine(f); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// Postfix relays for what is below a domain of relay_domains by default.
func TestDomainsBelow(t *testing.T) {
	for _, c := range []struct{ relay, parents, ours, want string }{
		{"example.org", "debug_peer_list,relay_domains", "sales.example.org", ""},
		{"example.org", "debug_peer_list, relay_domains", ".example.org", ""},
		{"example.org", "debug_peer_list", "sales.example.org", "domain-not-in-postfix"},
		{"example.org", "", ".example.org", "domain-not-in-postfix"},
		{"example.org .example.org", "", ".example.org", ""},
		{".example.org", "relay_domains", "a.sales.example.org", ""},
		{"example.org", "relay_domains", "notexample.org", "domain-not-in-postfix"},
		{"sales.example.org", "relay_domains", "example.org", "domain-not-in-postfix"},
	} {
		f := healthy()
		f.Policy.Domains = []string{c.ours}
		f.Postfix[0].Settings["relay_domains"], f.Postfix[0].Settings["parent_domain_matches_subdomains"] = c.relay, c.parents
		found := ""
		for _, one := range Examine(f) {
			if one.Name == "domain-not-in-postfix" {
				found = one.Name
			}
		}
		if found != c.want {
			t.Errorf("%+v: %q", c, found)
		}
	}
}

func TestBothFormsOfADomain(t *testing.T) {
	f := healthy()
	f.Policy.Domains = append(f.Policy.Domains, "xn--e1afmkfd.example")
	f.Postfix[0].Settings["relay_domains"] = "example.org xn--e1afmkfd.example пример.example"
	if found := Examine(f); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// A repair for a Postfix other than the system's names it.
func TestRepairOfAnInstance(t *testing.T) {
	for folder, want := range map[string]string{"/etc/postfix": "postconf -e enable_long_queue_ids=yes", "/etc/postfix-out": "postconf -c /etc/postfix-out -e enable_long_queue_ids=yes"} {
		f := healthy()
		f.Postfix[0].Config = folder
		f.Postfix[0].Settings["enable_long_queue_ids"] = "no"
		found := Examine(f)
		if len(found) != 1 || found[0].Repair != want {
			t.Errorf("%s: %+v", folder, found)
		}
	}
}

// What takes mail back from a content filter, and asks nobody, is right.
func TestContentFilter(t *testing.T) {
	for _, back := range []Service{
		{Name: "127.0.0.1:10026/inet", Command: "smtpd", Options: map[string]string{"receive_override_options": "no_milters,no_unknown_recipient_checks"}},
		{Name: "127.0.0.1:10026/inet", Command: "smtpd", Milters: []Milter{}},
	} {
		f := healthy()
		f.Postfix[0].Settings["content_filter"] = "smtp:127.0.0.1:10025"
		f.Postfix[0].Services = append(f.Postfix[0].Services, back)
		if found := Examine(f); len(found) > 0 {
			t.Errorf("%+v: %+v", back, found)
		}
	}
}
