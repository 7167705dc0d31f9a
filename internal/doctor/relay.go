package doctor

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// relaying compares who may send where.
func (e *examination) relaying(p *Postfix) {
	open := false
	nets := prefixes(p.Settings["mynetworks"])
	for _, n := range nets {
		if n.Bits() == 0 {
			open = true
			e.fault("postfix-open-relay-networks", advice{"everybody may send anywhere through this machine: it will be on every block list", "postconf -e mynetworks=127.0.0.0/8"},
				"mynetworks has %s", n)
		}
	}
	rules := p.Settings["smtpd_relay_restrictions"] + " " + p.Settings["smtpd_recipient_restrictions"]
	if !slices.ContainsFunc([]string{"reject_unauth_destination", "defer_unauth_destination", "reject"}, func(s string) bool { return slices.Contains(words(rules), s) }) {
		e.fault("postfix-open-relay", advice{"everybody may send anywhere through this machine: it will be on every block list",
			"postconf -e 'smtpd_relay_restrictions=permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination'"}, "nothing in smtpd_relay_restrictions refuses mail for others")
	}
	if e.Policy.Errors == 0 {
		if !open && !table(p.Settings["mynetworks"]) {
			e.networks(p, nets)
		}
		e.domains(p)
	}
	if p.Settings["inet_interfaces"] == "loopback-only" || p.Settings["inet_interfaces"] == "localhost" {
		e.fault("postfix-loopback", advice{"no mail comes from outside", "postconf -e inet_interfaces=all && systemctl restart postfix"}, "inet_interfaces is %s", p.Settings["inet_interfaces"])
	}
}

// networks are those from which mail goes anywhere: Postfix's and ours.
func (e *examination) networks(p *Postfix, nets []netip.Prefix) {
	covered := func(n netip.Prefix, by []netip.Prefix) bool {
		return n.Addr().IsLoopback() || slices.ContainsFunc(by, func(o netip.Prefix) bool { return o.Bits() <= n.Bits() && o.Contains(n.Addr()) })
	}
	for _, n := range nets {
		if n.Bits() > 0 && !covered(n, e.Policy.Outbound) {
			e.warn("networks-not-outbound", advice{"Postfix lets it send anywhere, tollgate refuses that", "add it to networks of [outbound] in " + e.Policy.File + ", or take it out of mynetworks"},
				"mynetworks has %s, [outbound] networks has not", n)
		}
	}
	for _, n := range e.Policy.Outbound {
		if !covered(n, nets) {
			e.warn("outbound-not-networks", advice{"tollgate lets it send anywhere, Postfix refuses that", "postconf -e 'mynetworks=" + p.Settings["mynetworks"] + " " + n.String() + "'"},
				"[outbound] networks has %s, mynetworks has not", n)
		}
	}
}

// domains are those whose mail is taken: Postfix's and ours.
func (e *examination) domains(p *Postfix) {
	var lists []string
	for _, name := range []string{"relay_domains", "mydestination", "virtual_alias_domains", "virtual_mailbox_domains"} {
		lists = append(lists, p.Settings[name])
	}
	all := strings.ToLower(strings.Join(lists, " "))
	if len(e.Policy.Domains) == 0 || table(all) {
		return
	}
	theirs := folded(words(all))
	for _, d := range folded(e.Policy.Domains) {
		if !slices.Contains(theirs, d) && !p.relays(d) {
			e.fault("domain-not-in-postfix", advice{"Postfix refuses its mail with \"Relay access denied\"", "postconf -e 'relay_domains=" + strings.TrimSpace(p.Settings["relay_domains"]+" "+d) + "'"},
				"%s is a domain of the policy, and Postfix takes no mail for it", d)
		}
	}
	e.bothForms(p, words(all))
	relayed := words(strings.ToLower(p.Settings["relay_domains"]))
	ours := folded(e.Policy.Domains)
	for _, d := range relayed {
		known := slices.ContainsFunc(ours, func(o string) bool {
			d := address.FoldDomain(d)
			return strings.TrimPrefix(o, ".") == strings.TrimPrefix(d, ".") || strings.HasPrefix(o, ".") && strings.HasSuffix(d, o)
		})
		if !known && !e.Policy.MoreDomains {
			repair := "add it to domains of [recipients] in "
			if !e.Policy.AnyOfOurs { // mode "known" has no domains
				repair = "give a client addresses in it, such as @" + d + ", in "
			}
			e.warn("domain-not-in-policy", advice{"Postfix takes its mail, tollgate refuses it", repair + e.Policy.File + ", or take it out of relay_domains"},
				"relay_domains has %s, the policy has not", d)
		}
	}
	if e.Policy.AnyOfOurs && len(relayed) > 0 && p.Settings["relay_recipient_maps"] == "" && !strings.Contains(p.Settings["smtpd_recipient_restrictions"], "reject_unverified_recipient") {
		e.warn("postfix-backscatter", advice{"mail for addresses that do not exist is taken and bounced to forged senders: that leads to block lists",
			"add reject_unverified_recipient (contrib/postfix/verify-main.cf), or name the addresses as clients"}, "nobody checks whether a relayed recipient exists")
	}
	if slices.Contains(words(p.Settings["mydestination"]), "") || p.Settings["local_recipient_maps"] == "" && p.Settings["mydestination"] != "" {
		e.warn("postfix-backscatter-local", advice{"mail for addresses that do not exist is taken and bounced to forged senders: that leads to block lists", "postconf -X local_recipient_maps"},
			"local_recipient_maps is empty")
	}
}

// relays tells whether a domain, or with a dot before it those below it, is relayed: an
// entry of relay_domains stands for those below it where
// parent_domain_matches_subdomains says so, as it does by default, and else where it
// begins with a dot (postconf(5)). The other lists name whole domains.
func (p *Postfix) relays(domain string) bool {
	parents, told := p.Settings["parent_domain_matches_subdomains"]
	below := !told || slices.Contains(words(parents), "relay_domains")
	return slices.ContainsFunc(folded(words(strings.ToLower(p.Settings["relay_domains"]))), func(entry string) bool {
		if below && !strings.HasPrefix(entry, ".") {
			entry = "." + entry
		}
		return strings.HasPrefix(entry, ".") && strings.HasSuffix(domain, entry)
	})
}

// bothForms looks at domains that are not ASCII: Postfix compares letters, so that for
// SMTPUTF8 (RFC 6531 §3.3) it has to know the U-labels, and for all others the A-labels.
func (e *examination) bothForms(p *Postfix, theirs []string) {
	for _, d := range folded(e.Policy.Domains) {
		bare := strings.TrimPrefix(d, ".")
		shown := address.DisplayDomain(bare)
		if shown == bare || !slices.Contains(folded(theirs), bare) {
			continue
		}
		for _, form := range []string{bare, shown} {
			if !slices.Contains(theirs, form) {
				e.warn("domain-one-form", advice{"Postfix compares domains letter by letter: it refuses mail that names it so", "postconf -e 'relay_domains=" + strings.TrimSpace(p.Settings["relay_domains"]+" "+form) + "'"},
					"Postfix takes mail for %s in one form alone: %s is missing", shown, form)
			}
		}
	}
}

// folded are domains in the one form in which they compare.
func folded(all []string) []string {
	out := make([]string, len(all))
	for i, d := range all {
		bare := strings.TrimPrefix(d, ".")
		out[i] = d[:len(d)-len(bare)] + address.FoldDomain(bare)
	}
	return out
}

// habits are settings that make a gateway's life hard.
func (e *examination) habits(p *Postfix) {
	s := p.Settings
	if s["always_bcc"] != "" {
		e.warn("postfix-always-bcc", advice{"the copy is made after tollgate: it is not judged and not billed", "let a rule hold or redirect what is to be kept; postconf -X always_bcc"}, "always_bcc is %s", s["always_bcc"])
	}
	if yes(s["soft_bounce"]) {
		e.fault("postfix-soft-bounce", advice{"each refusal becomes \"try again\": senders come back for days and get no answer", "postconf -X soft_bounce"}, "soft_bounce is on")
	}
	if s["smtpd_delay_reject"] == "no" {
		e.warn("postfix-early-refusals", advice{"who Postfix refuses has no sender and recipient in the journals", "postconf -X smtpd_delay_reject"}, "smtpd_delay_reject is off")
	}
	if s["smtpd_forbid_bare_newline"] == "no" {
		e.warn("postfix-smuggling", advice{"one message can carry another past the rules (SMTP smuggling)", "postconf -e smtpd_forbid_bare_newline=normalize"}, "smtpd_forbid_bare_newline is off")
	}
	if s["smtpd_forbid_unauth_pipelining"] == "no" {
		e.warn("postfix-pipelining", advice{"programs that do not wait for an answer are let in", "postconf -e smtpd_forbid_unauth_pipelining=yes"}, "smtpd_forbid_unauth_pipelining is off")
	}
	if s["enable_long_queue_ids"] == "no" {
		e.warn("postfix-short-ids", advice{"queue ids come again within hours: the journal finds several messages by one", "postconf -e enable_long_queue_ids=yes"}, "enable_long_queue_ids is off")
	}
	if h := s["myhostname"]; !strings.Contains(h, ".") || strings.HasSuffix(h, ".localdomain") {
		e.fault("postfix-helo-name", advice{"what Postfix says in EHLO is no name of the Internet: many servers refuse its mail", "postconf -e myhostname=mx1.example.org"}, "myhostname is %q", h)
	}
}

// limits that are smaller or larger than ours.
func (e *examination) limits(p *Postfix) {
	s := p.Settings
	number := func(name string) (int64, bool) {
		n, err := strconv.ParseInt(s[name], 10, 64)
		return n, err == nil
	}
	size, told := number("message_size_limit")
	if told && size == 0 {
		e.warn("postfix-no-size-limit", advice{"one message can fill the disks of Postfix, scanners and mailboxes", "postconf -e message_size_limit=52428800"}, "message_size_limit is 0: none")
	}
	if c := e.Clamd; told && c != nil && c.MaxSize > 0 && (size == 0 || size > c.MaxSize) {
		e.warn("size-over-antivirus", advice{"larger messages are not scanned: what becomes of them is said by oversize in [antivirus]",
			"raise max_size of [antivirus], or postconf -e message_size_limit=" + strconv.FormatInt(c.MaxSize, 10)}, "message_size_limit %d is over max_size %d of [antivirus]", size, c.MaxSize)
	}
	if n, ok := number("header_size_limit"); ok && n < 102400 {
		e.warn("postfix-headers-cut", advice{"rules see headers that are cut, and DKIM signatures of long ones fail", "postconf -X header_size_limit"}, "header_size_limit is %d", n)
	}
	for _, t := range []struct {
		name, own string
		least     time.Duration
		why       string
	}{
		{"milter_connect_timeout", "connect_timeout", 5 * time.Second, "a busy second of tollgate defers mail"},
		{"milter_command_timeout", "command_timeout", 30 * time.Second, "answers that wait for DNS come too late: mail is deferred"},
		{"milter_content_timeout", "content_timeout", 300 * time.Second, "mail whose scan takes long is deferred, judged again and again, and each time late"},
	} {
		for _, m := range p.SMTP {
			if !m.Ours {
				continue
			}
			value := m.Options[t.own]
			if value == "" {
				value = s[t.name]
			}
			if d, ok := duration(value); ok && d < t.least {
				e.warn("postfix-"+strings.ReplaceAll(t.own, "_", "-"), advice{t.why, "tollgate detach && tollgate attach"}, "Postfix waits %s for tollgate (%s), want %s", value, t.own, t.least)
			}
		}
	}
}

// duration is a time of main.cf: a number and s, m, h, d or w.
func duration(s string) (time.Duration, bool) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if s == "" {
		return 0, false
	}
	unit, ok := units[s[len(s)-1]]
	if ok {
		s = s[:len(s)-1]
	} else {
		unit = time.Second
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return time.Duration(n) * unit, err == nil
}
