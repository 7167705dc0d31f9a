package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/results"
)

// slow is how long a question that a resolver has not in its cache may take.
const slow = time.Second

// public resolvers are refused by DNS lists, or answer for them wrongly.
var public = []string{"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220", "77.88.8.8", "77.88.8.1"}

const resolverCure = "apt install unbound, then resolver = [\"127.0.0.1:53\"] in [gateway]"

func (e *examination) dns(d *DNS) {
	if len(d.Servers) == 0 {
		e.fault("dns-none", advice{"whoever is looked up is not known: such mail is deferred", resolverCure}, "no DNS server is known")
		return
	}
	if len(e.Policy.Lists) > 0 {
		for _, s := range d.Servers {
			if host, _, ok := strings.Cut(s, ":"); ok && slices.Contains(public, host) {
				e.warn("dns-public-resolver", advice{"DNS lists refuse public resolvers: their weights are missing, or everybody is listed", resolverCure}, "%s is a public resolver", host)
			}
		}
	}
	if d.Slowest > slow {
		e.warn("dns-slow", advice{"every stage waits for DNS: mail is late", resolverCure}, "a DNS answer took %s", d.Slowest.Round(time.Millisecond))
	}
	e.ownNames(d)
	for _, domain := range e.Policy.Domains {
		if !strings.HasPrefix(domain, ".") {
			e.domain(d, domain)
		}
	}
	for _, list := range e.Policy.Lists {
		e.list(d, list)
	}
}

// ownNames are those by which others know this gateway.
func (e *examination) ownNames(d *DNS) {
	asked := func(a Answer, what string) bool {
		if a.Error != "" {
			e.fault("dns-no-answer", advice{"whoever is looked up is not known: such mail is deferred", resolverCure}, "%s: %s", what, a.Error)
		}
		return a.Error == ""
	}
	if asked(d.Gateway, e.Policy.Gateway) && len(d.Gateway.Values) == 0 && strings.Contains(e.Policy.Gateway, ".") {
		e.warn("dns-gateway-name", advice{"the name that stands in our headers leads nowhere", "add an A record for it"}, "%s has no address", e.Policy.Gateway)
	}
	for _, p := range e.Postfix {
		helo := p.Settings["smtp_helo_name"]
		if helo == "" {
			helo = p.Settings["myhostname"]
		}
		if helo == "" || !strings.Contains(helo, ".") {
			continue // said elsewhere
		}
		if d.Helo.Error == "" && len(d.Helo.Values) == 0 {
			e.fault("dns-helo", advice{"many servers refuse mail of a name that has no address", "add an A record for it, or postconf -e smtp_helo_name=NAME"}, "%s, which Postfix says in EHLO, has no address", helo)
		}
	}
	for _, a := range d.Addresses {
		answer, ok := d.PTR[a]
		switch {
		case !ok || answer.Error != "":
		case len(answer.Values) == 0:
			e.fault("dns-no-ptr", advice{"many servers refuse mail of an address without a name", "have the provider set its reverse name"}, "%s has no PTR", a)
		case !slices.ContainsFunc(answer.Values, func(name string) bool { return e.nameIsOurs(d, name) }):
			e.warn("dns-ptr-other", advice{"servers that compare EHLO and reverse name trust the mail less", "have the provider set the reverse name to what Postfix says in EHLO"},
				"the PTR of %s is %s, which is no name of this gateway", a, answer.Values[0])
		}
	}
}

// nameIsOurs: it is the gateway's, or what Postfix says.
func (e *examination) nameIsOurs(d *DNS, name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == strings.ToLower(e.Policy.Gateway) || slices.ContainsFunc(e.Postfix, func(p Postfix) bool {
		return strings.EqualFold(name, p.Settings["myhostname"]) || strings.EqualFold(name, p.Settings["smtp_helo_name"])
	})
}

// domain looks at a domain whose mail comes here.
func (e *examination) domain(d *DNS, domain string) {
	if mx, ok := d.MX[domain]; ok && mx.Error == "" {
		switch {
		case len(mx.Values) == 0:
			e.fault("dns-no-mx", advice{"others do not know where its mail goes", "add: " + domain + ". MX 10 " + e.Policy.Gateway + "."}, "%s has no MX", domain)
		case len(mx.Values) == 1 && strings.Trim(mx.Values[0], ".") == "":
			e.fault("dns-null-mx", advice{"others refuse to send it any mail", "replace its MX by: " + domain + ". MX 10 " + e.Policy.Gateway + "."}, "%s has a null MX", domain)
		default:
			if address := slices.IndexFunc(mx.Values, func(h string) bool { _, err := netip.ParseAddr(strings.TrimSuffix(h, ".")); return err == nil }); address >= 0 {
				e.fault("dns-mx-address", advice{"an MX is a name: many servers take it for none (RFC 5321 section 5.1)", "give the address a name and have the MX name that"}, "the MX of %s is the address %s", domain, mx.Values[address])
				break
			}
			e.mxHosts(d, domain, mx.Values)
		}
	}
	txt, ok := d.SPF[domain]
	if !ok || txt.Error != "" {
		return
	}
	records := 0
	for _, t := range txt.Values {
		if t == "v=spf1" || strings.HasPrefix(strings.ToLower(t), "v=spf1 ") {
			records++
		}
	}
	switch {
	case records == 0:
		e.warn("dns-no-spf", advice{"anybody can send in its name, and some servers trust its mail less", "add: " + domain + ". TXT \"v=spf1 mx -all\""}, "%s has no SPF record", domain)
	case records > 1:
		e.fault("dns-two-spf", advice{"two are as wrong as a mistake: SPF fails for all its mail (RFC 7208 section 4.5)", "make one of them"}, "%s has %d SPF records", domain, records)
	case d.SPFResult[domain] == results.PermError:
		e.fault("dns-spf-broken", advice{"SPF fails for all its mail", "mend its TXT record"}, "the SPF record of %s cannot be understood", domain)
	case d.SPFResult[domain] == results.Fail || d.SPFResult[domain] == results.SoftFail:
		e.warn("dns-spf-without-us", advice{"what this gateway sends in its name is refused or marked elsewhere", "add the gateway's address to its SPF record"}, "SPF of %s for this gateway: %s", domain, d.SPFResult[domain])
	}
}

// mxHosts: one of them should be this gateway, and each have an address.
func (e *examination) mxHosts(d *DNS, domain string, hosts []string) {
	ours := false
	for _, h := range hosts {
		a := d.MXHosts[h]
		if a.Error == "" && len(a.Values) == 0 {
			e.fault("dns-mx-nowhere", advice{"mail that is to go there waits for days, then is returned", "add an A record, or take it out of the MX records"}, "%s, an MX of %s, has no address", h, domain)
		}
		ours = ours || a.Error != "" || e.nameIsOurs(d, h) || slices.ContainsFunc(a.Values, func(v string) bool {
			addr, err := netip.ParseAddr(v)
			return err == nil && slices.Contains(d.Addresses, addr)
		})
	}
	// Behind an address translation our public addresses are not known.
	if !ours && len(d.Addresses) > 0 {
		e.warn("dns-mx-elsewhere", advice{"its mail comes past this gateway", "have its MX name this gateway"}, "no MX of %s is this gateway", domain)
	}
}

// list looks at a DNS list that rules ask.
func (e *examination) list(d *DNS, list string) {
	if at := d.Listed[list]; len(at) > 0 {
		e.fault("dns-we-are-listed", advice{"servers that ask the list refuse our mail", "see the list's page why, and have it taken off"}, "%s is on %s", strings.Join(at, ", "), list)
	}
	s, ok := d.Lists[list]
	switch {
	case !ok:
	case s.Refuses:
		e.fault("dns-list-refuses", advice{"its weight is missing from every message", resolverCure}, "%s refuses to answer this resolver", list)
	case s.All:
		e.fault("dns-list-all", advice{"it is given up, and everybody's mail gets its weight", "take it out of the policy, then tollgate reload"}, "%s has every address", list)
	case s.Error != "":
		e.warn("dns-list-silent", advice{"each look-up waits for it in vain", "take it out of the policy, then tollgate reload"}, "%s does not answer: %s", list, s.Error)
	case s.Nobody:
		e.warn("dns-list-empty", advice{"it is none, or is given up: look-ups for nothing", "take it out of the policy, then tollgate reload"}, "%s has not the entry that every list has (127.0.0.2)", list)
	}
}
