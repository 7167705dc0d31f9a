package doctor

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

func (e *examination) postfix(p *Postfix) {
	if p.Missing != "" {
		e.fault("postfix-missing", advice{"without Postfix no mail comes", "apt install postfix"}, "%s: %s", p.Config, p.Missing)
		return
	}
	if !p.Running {
		e.fault("postfix-down", advice{"no mail comes or goes", "postfix -c " + p.Config + " start"}, "the Postfix of %s does not run", p.Config)
	}
	if old(p.Settings["mail_version"], 3, 5) {
		e.fault("postfix-old", advice{"its milter side lacks what tollgate needs, and nobody mends it any more", "apt install postfix"}, "Postfix %s", p.Settings["mail_version"])
	}
	e.milters(p)
	e.services(p)
	e.relaying(p)
	e.habits(p)
	e.limits(p)
	if p.Cert != nil {
		e.certificate(p.Cert, p.Settings["myhostname"])
	} else if !slices.Contains([]string{"may", "encrypt"}, p.Settings["smtpd_tls_security_level"]) {
		e.warn("postfix-no-tls", advice{"mail comes in clear text", "postconf -e smtpd_tls_security_level=may smtpd_tls_cert_file=... smtpd_tls_key_file=..."}, "Postfix offers no STARTTLS")
	}
}

const attach = "tollgate attach"

func ours(m Milter) bool { return m.Ours }

// milters looks at main.cf's lists.
func (e *examination) milters(p *Postfix) {
	at := slices.IndexFunc(p.SMTP, ours)
	switch {
	case at < 0:
		e.fault("postfix-not-attached", advice{"mail passes unjudged and unbilled", attach}, "smtpd_milters does not name tollgate")
		return
	case slices.ContainsFunc(p.SMTP[at+1:], ours):
		e.fault("postfix-twice", advice{"each message is judged and billed twice", "tollgate detach && tollgate attach"}, "smtpd_milters names tollgate twice")
	case at < len(p.SMTP)-1:
		e.fault("postfix-not-last", advice{"what a later milter refuses was billed, and its changes are unseen", attach},
			"in smtpd_milters %s comes after tollgate", p.SMTP[at+1].Address)
	}
	if !slices.ContainsFunc(p.Local, ours) {
		e.warn("postfix-local-unjudged", advice{"mail of local programs (cron, web forms) passes unjudged and unbilled", attach}, "non_smtpd_milters does not name tollgate")
	}
	action := p.SMTP[at].Options["default_action"]
	if action == "" {
		action = p.Settings["milter_default_action"]
	}
	cure := "write default_action=tempfail into tollgate_milter in main.cf"
	switch action {
	case "accept":
		e.fault("postfix-fails-open", advice{"while tollgate does not run mail passes unjudged and unbilled", cure}, "the default action of tollgate's milter is accept")
	case "reject":
		e.fault("postfix-fails-hard", advice{"mail that comes during a restart is refused for good", cure}, "the default action of tollgate's milter is reject")
	case "quarantine":
		e.warn("postfix-fails-hold", advice{"mail that comes during a restart stays on hold until somebody looks", cure}, "the default action of tollgate's milter is quarantine")
	}
	if v, err := strconv.Atoi(p.Settings["milter_protocol"]); err == nil && v < 6 {
		e.fault("postfix-protocol", advice{"older protocols do not show every recipient and header as it is", "postconf -X milter_protocol"}, "milter_protocol is %d", v)
	}
	if p.Socket != "" {
		e.fault("postfix-no-reach", advice{"Postfix answers all mail 451", attach}, "%s", p.Socket)
	}
}

// services looks at master.cf.
func (e *examination) services(p *Postfix) {
	screened, passed, filtered := false, false, p.Settings["content_filter"] != ""
	for _, s := range p.Services {
		screened = screened || s.Command == "postscreen"
		passed = passed || s.Name == "smtpd/pass"
		filtered = filtered || s.Options["content_filter"] != ""
	}
	for _, s := range p.Services {
		if s.Command != "smtpd" {
			continue
		}
		loopback := local(s.Name)
		set := func(name string) string {
			if v, own := s.Options[name]; own {
				return v
			}
			return p.Settings[name]
		}
		unjudged := strings.Contains(set("receive_override_options"), "no_milters")
		switch {
		case filtered && loopback:
			if !unjudged && (s.Milters == nil || len(s.Milters) > 0) {
				e.fault("postfix-judged-again", advice{"what comes back from the content filter is judged and billed a second time",
					"postconf -P " + s.Name + "/receive_override_options=no_milters"}, "master.cf: %s takes mail back from the content filter and asks milters", s.Name)
			}
			continue
		case unjudged:
			e.fault("postfix-no-milters", advice{"mail that comes there passes unjudged and unbilled", "postconf -P " + s.Name + "/receive_override_options="},
				"master.cf: %s has receive_override_options=no_milters", s.Name)
		case s.Milters != nil && len(s.Milters) == 0 && !loopback:
			e.fault("postfix-way-past", advice{"mail that comes there passes unjudged and unbilled", "postconf -PX " + s.Name + "/smtpd_milters"}, "master.cf: %s asks no milter", s.Name)
		case len(s.Milters) > 0 && !slices.ContainsFunc(s.Milters, ours):
			e.fault("postfix-way-past-others", advice{"mail that comes there passes unjudged and unbilled", attach}, "master.cf: the milters of %s are without tollgate", s.Name)
		}
		if set("smtpd_proxy_filter") != "" {
			e.warn("postfix-proxy-filter", advice{"mail comes a second time behind the proxy: it is billed twice where both ends ask milters",
				"name tollgate's milter at one end only (contrib/postfix/README.md)"}, "%s has smtpd_proxy_filter", s.Name)
		}
	}
	if screened && !passed {
		e.fault("postfix-postscreen-alone", advice{"who passes postscreen finds no smtpd: no mail comes", "add the smtpd/pass service (contrib/postfix/postscreen-master.cf)"},
			"master.cf has postscreen and no smtpd of type pass")
	}
}

// local tells whether only this machine can connect to a service.
func local(name string) bool {
	host, _, _ := strings.Cut(name, "/")
	return strings.HasPrefix(host, "127.") || strings.HasPrefix(host, "localhost:") || strings.HasPrefix(host, "[::1]")
}

// old tells whether a version is below another; one that cannot be read is not.
func old(version string, major, minor int) bool {
	f := strings.SplitN(version, ".", 3)
	if len(f) < 2 {
		return false
	}
	a, err := strconv.Atoi(f[0])
	digits := strings.TrimRightFunc(f[1], func(r rune) bool { return r < '0' || r > '9' })
	b, err2 := strconv.Atoi(digits)
	return err == nil && err2 == nil && (a < major || a == major && b < minor)
}

// prefixes reads mynetworks; tables and files are not followed.
func prefixes(list string) (all []netip.Prefix) {
	for _, word := range words(list) {
		word = strings.NewReplacer("[", "", "]", "").Replace(word)
		if p, err := netip.ParsePrefix(word); err == nil {
			all = append(all, p.Masked())
		} else if a, err := netip.ParseAddr(word); err == nil {
			all = append(all, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return all
}

// words are those of a list of main.cf.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
}

// table tells whether a list of main.cf names a table or file, whose contents
// are not known here.
func table(list string) bool {
	return slices.ContainsFunc(words(list), func(w string) bool {
		return strings.Contains(w, ":/") || strings.HasPrefix(w, "/") || strings.Contains(w, "proxy:")
	})
}
