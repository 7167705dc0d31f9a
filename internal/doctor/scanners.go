package doctor

import (
	"strconv"
	"strings"
	"time"
)

// staleSignatures is when a virus that is in the news is not known yet;
// deadSignatures is when nobody renews them.
const (
	staleSignatures = 3 * 24 * time.Hour
	deadSignatures  = 14 * 24 * time.Hour
)

func (e *examination) clamd(c *Clamd) {
	if c.Error != "" {
		e.fault("clamd-down", advice{"mail is deferred, or passes unscanned where on_error says so", "systemctl restart clamav-daemon"}, "clamd at %s: %s", c.Address, c.Error)
	} else {
		e.signatures(c)
	}
	if c.File == "" {
		return
	}
	write := func(name, value string) string {
		return "write \"" + name + " " + value + "\" into " + c.File + " and restart clamd"
	}
	for _, part := range []struct{ name, what string }{
		{"ScanMail", "nothing inside messages"}, {"ScanArchive", "nothing inside archives"}, {"ScanOLE2", "no macros of office documents"},
		{"ScanPDF", "nothing inside PDF"}, {"ScanHTML", "no scripts of HTML"}, {"ScanPE", "nothing inside packed programs"},
	} {
		if no(c.Settings[part.name]) {
			e.fault("clamd-"+strings.ToLower(part.name), advice{"such files pass as clean", write(part.name, "yes")}, "clamd looks at %s (%s no)", part.what, part.name)
		}
	}
	if !yes(c.Settings["AlertExceedsMax"]) && !strings.EqualFold(c.Settings["AlertExceedsMax"], "true") {
		e.warn("clamd-alert-exceeds-max", advice{"what is larger or deeper than clamd's bounds passes as clean", write("AlertExceedsMax", "yes")}, "AlertExceedsMax is off")
	}
	for _, bound := range []struct {
		name   string
		preset int64 // of clamd, octets
		why    string
	}{
		{"StreamMaxLength", 100 << 20, "clamd breaks off larger messages: they are deferred"},
		{"MaxScanSize", 400 << 20, "what is beyond it is not looked at"},
		{"MaxFileSize", 100 << 20, "larger attachments are not looked at"},
	} {
		have := bound.preset
		if v := c.Settings[bound.name]; v != "" {
			have = octets(v)
		}
		if c.MaxSize > 0 && have > 0 && have < c.MaxSize {
			e.fault("clamd-"+strings.ToLower(bound.name), advice{bound.why, write(bound.name, strconv.FormatInt(c.MaxSize>>20+1, 10)+"M")},
				"%s is %d octets, max_size of [antivirus] %d", bound.name, have, c.MaxSize)
		}
	}
	threads := int64(10)
	if v := c.Settings["MaxThreads"]; v != "" {
		threads, _ = strconv.ParseInt(v, 10, 32)
	}
	if int64(c.AtOnce) > threads {
		e.warn("clamd-threads", advice{"scans wait for each other until they are too late, and mail is deferred", write("MaxThreads", strconv.Itoa(c.AtOnce))},
			"clamd scans %d messages at once, tollgate gives it %d", threads, c.AtOnce)
	}
	if no(c.Settings["ConcurrentDatabaseReload"]) {
		e.warn("clamd-reload-blocks", advice{"clamd answers nobody while it loads signatures: mail waits for a minute several times a day", write("ConcurrentDatabaseReload", "yes")},
			"ConcurrentDatabaseReload is off")
	}
}

// signatures looks at clamd's version and database.
func (e *examination) signatures(c *Clamd) {
	if old(c.Version, 1, 0) {
		e.warn("clamd-old", advice{"its signatures end some day, and nobody mends it any more", "apt install clamav-daemon"}, "ClamAV %s", c.Version)
	}
	const cure = "systemctl enable --now clamav-freshclam; journalctl -u clamav-freshclam"
	switch age := e.Now.Sub(c.Signatures); {
	case c.Signatures.IsZero():
		e.warn("clamd-no-date", advice{"nobody can tell whether it finds what is new", cure}, "clamd does not say how old its signatures are")
	case age > deadSignatures:
		e.fault("clamd-signatures-dead", advice{"nearly nothing that is sent today is found", cure}, "clamd's signatures are of %s", c.Signatures.Format(time.DateOnly))
	case age > staleSignatures:
		e.warn("clamd-signatures-old", advice{"what is new is not found", cure}, "clamd's signatures are of %s", c.Signatures.Format(time.DateOnly))
	}
}

func no(value string) bool {
	return strings.EqualFold(value, "no") || strings.EqualFold(value, "false")
}

// octets reads a size of clamd.conf: 25M, 100K, 4G or octets. 0 is no bound.
func octets(s string) int64 {
	shift := 0
	switch {
	case strings.HasSuffix(strings.ToUpper(s), "K"):
		shift = 10
	case strings.HasSuffix(strings.ToUpper(s), "M"):
		shift = 20
	case strings.HasSuffix(strings.ToUpper(s), "G"):
		shift = 30
	}
	if shift > 0 {
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 40)
	if err != nil {
		return 0
	}
	return n << shift
}

func (e *examination) rspamd(r *Rspamd) {
	if r.Error != "" {
		e.fault("rspamd-down", advice{"mail is deferred, or passes without its score where on_error says so", "systemctl restart rspamd"}, "rspamd at %s: %s", r.Address, r.Error)
	} else if old(r.Version, 3, 0) {
		e.warn("rspamd-old", advice{"nobody mends it any more", "apt install rspamd"}, "rspamd %s", r.Version)
	}
	if r.Greylist && e.Policy.Greylist {
		e.warn("rspamd-greylists-too", advice{"mail is deferred twice over, by two clocks", "echo 'enabled = false;' > /etc/rspamd/local.d/greylist.conf && systemctl reload rspamd"},
			"both rspamd and tollgate greylist")
	}
	if r.Limit > 0 && r.MaxSize > r.Limit {
		e.warn("rspamd-size", advice{"rspamd answers larger messages with an error", "raise max_message in /etc/rspamd/local.d/options.inc"}, "max_message of rspamd is %d octets, max_size of the module %d", r.Limit, r.MaxSize)
	}
	for _, p := range e.Postfix {
		for _, m := range p.SMTP {
			if !m.Ours && (strings.HasSuffix(m.Address, ":11332") || strings.Contains(m.Address, "rspamd")) {
				e.warn("rspamd-asked-twice", advice{"each message is scanned twice, and one of them refuses without a word in the journals", "take " + m.Address + " out of smtpd_milters"},
					"both Postfix and tollgate ask rspamd")
			}
		}
	}
}
