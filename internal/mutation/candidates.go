package mutation

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// textsOf are texts that a want is for, and some next to them.
func textsOf(want *rules.Want, k rules.Key) (all []string) {
	switch want.Kind {
	case rules.WantPattern:
		return samples(want)
	case rules.WantList:
		for class, entry := range firstEntries(want.List) {
			switch {
			case class == list.Subdomains:
				entry = "x" + entry
			case class == list.LocalParts:
				entry += "example.net"
			case class == list.IPs && k.Attr != rules.ClientIP:
				entry = "[" + strings.Replace(literalPrefix(entry)+entry, "]", "", 1) + "]"
			case class == list.Networks:
				if p, err := netip.ParsePrefix(entry); err == nil && k.Attr != rules.ClientIP {
					entry = "[" + literalPrefix(p.Addr().String()) + p.Addr().String() + "]"
				}
			case class == list.Patterns:
				if parsed, err := expr.NewCache(expr.DefaultCache).Parse(entry); err == nil {
					all = append(all, samples(&rules.Want{Pattern: parsed.Pattern})...)
				}
				continue
			}
			all = append(all, entry)
			if class == list.Domains || class == list.Subdomains {
				all = append(all, "x."+entry, "x"+entry)
			}
		}
	case rules.WantRule, rules.WantName:
		all = append(all, want.Name)
	}
	return all
}

// literalPrefix is what stands before an IPv6 address in a literal (RFC 5321
// §4.1.3).
func literalPrefix(ip string) string {
	if strings.Contains(ip, ":") {
		return "IPv6:"
	}
	return ""
}

// addrsOf are addresses that a want is for, and those next to them.
func addrsOf(want *rules.Want) (all []netip.Addr) {
	near := func(p netip.Prefix) {
		all = append(all, p.Addr().Next(), p.Addr())
		if prev := p.Addr().Prev(); prev.IsValid() {
			all = append(all, prev)
		}
		all = append(all, last(p), last(p).Next())
	}
	switch want.Kind {
	case rules.WantPrefix:
		near(want.Prefix)
	case rules.WantList:
		for _, entry := range firstEntries(want.List) {
			if p, err := netip.ParsePrefix(entry); err == nil {
				near(p)
			} else if a, err := netip.ParseAddr(entry); err == nil {
				all = append(all, a, a.Next())
			}
		}
	}
	return slices.DeleteFunc(all, func(a netip.Addr) bool { return !a.IsValid() })
}

// last is the last address of a network.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func (w *world) clients(addrs []netip.Addr, texts []string) (all []func(*draft)) {
	for _, other := range []string{"198.51.100.7", "203.0.113.7", "2001:db8::7", "192.0.2.200"} {
		addrs = append(addrs, netip.MustParseAddr(other))
	}
	for _, p := range w.cfg.Gate.OutboundNetworks {
		addrs = append(addrs, p.Addr().Next())
	}
	users := append([]string{"", "user"}, texts...)
	for _, user := range users {
		all = append(all, func(c *draft) { c.c.Client.User = user })
		for _, a := range addrs {
			all = append(all, func(c *draft) { c.c.Client.IP, c.c.Client.User = a.String(), user })
		}
	}
	return all
}

// senders fill the sender and what DNS says of its domain.
func senders(d *draft, texts []string) (all []func(*draft)) {
	addresses := []string{d.c.Sender, "a@example.net", ""}
	for _, t := range texts {
		switch local, domain, at := strings.Cut(t, "@"); {
		case t == "":
		case !at:
			addresses = append(addresses, "a@"+t, t+"@example.com")
		case domain == "":
			addresses = append(addresses, local+"@example.com")
		case local == "":
			addresses = append(addresses, "a@"+domain)
		default:
			addresses = append(addresses, t)
		}
	}
	for _, spf := range []string{"", "v=spf1 -all", "v=spf1 +all", "v=spf1 ~all", "v=spf1 ?all"} {
		for _, mx := range []string{"10 mail.example.com", "0 .", ""} {
			for _, a := range addresses {
				all = append(all, func(c *draft) {
					c.c.Sender = a
					delete(c.dns, "example.com MX")
					set := func(kind, v string) {
						if v != "" && domainOf(a) != "" && !strings.ContainsAny(a, "[ ") {
							c.dns[domainOf(a)+" "+kind] = v
						}
					}
					set("MX", mx)
					set("TXT", spf)
				})
			}
		}
	}
	return all
}

func (w *world) recipients(d *draft, texts []string, numbers []int64) (all []func(*draft)) {
	own := domainOf(w.recipient)
	var foreign []func(*draft) // nobody gets mail there, but outbound
	for _, n := range numbers {
		if n > 0 && n <= 2000 {
			all = append(all, func(c *draft) { c.c.Recipients = slices.Repeat(d.c.Recipients[:1], int(n)) })
		}
	}
	for _, t := range texts {
		local, domain, at := strings.Cut(t, "@")
		switch {
		case t == "":
			continue
		case !at:
			local, domain = "user", t
		case domain == "":
			domain = own
		}
		if local == "" {
			local = "user"
		}
		address := local + "@" + domain
		if w.cfg.Gate.Directory.Lookup(address).Standing != directory.Ours {
			foreign = append(foreign, func(c *draft) { c.c.Recipients = []string{address} })
			continue
		}
		all = append(all, func(c *draft) { c.c.Recipients = []string{address, w.recipient} }, func(c *draft) { c.c.Recipients = []string{address} })
		for _, n := range numbers {
			if n > 1 && n <= 2000 {
				all = append(all, func(c *draft) { c.c.Recipients = append(slices.Repeat([]string{w.recipient}, int(n)-1), address) })
			}
		}
	}
	for _, client := range w.cfg.Gate.Directory.Clients() {
		for _, a := range client.Addresses {
			if strings.HasPrefix(a, "/") {
				continue
			}
			if strings.HasPrefix(a, "@") {
				a = "user" + a
			}
			if len(all) < 2000 {
				all = append(all, func(c *draft) { c.c.Recipients = []string{a} })
			}
		}
	}
	return append(all, foreign...)
}

// listings have a DNS list say something of the client.
func listings(aims []aim) (all []func(*draft)) {
	for _, a := range aims {
		for _, want := range a.term.Wants {
			for _, answer := range []string{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.10", "127.0.0.11", "127.0.1.2"} {
				all = append(all, func(c *draft) { c.dns[reversed(c.c.Client.IP)+"."+want.Zone+" A"] = answer })
			}
		}
	}
	return all
}

// fields fill one field of the header.
func fields(name string, texts []string, addrs []netip.Addr, numbers []int64) (all []func(*draft)) {
	if name == "*" {
		name = "X-Other"
	}
	set := func(values ...string) {
		all = append(all, func(c *draft) {
			for n := range c.headers {
				if strings.EqualFold(n, name) {
					delete(c.headers, n)
				}
			}
			if len(values) > 0 {
				c.headers[name] = values
			}
		})
	}
	set()
	for _, a := range addrs {
		set("[" + a.String() + "]")
	}
	for _, t := range texts {
		if field, value, ok := strings.Cut(t, ": "); ok && name == "X-Other" {
			all = append(all, func(c *draft) { c.headers[field] = []string{value} })
		}
		set(t)
		if name == "From" || name == "Reply-To" {
			set("<a@" + t + ">")
		}
	}
	for _, n := range numbers {
		if n > 0 && n <= 1000 {
			set(slices.Repeat([]string{"x"}, int(n))...)
		}
	}
	return all
}

// mostBody bounds the body of a case that is pasted, in octets.
const mostBody = 8 << 10

// bodies fill the body: of a length, or with an attachment.
func bodies(d *draft, texts []string, numbers []int64) (all []func(*draft)) {
	for _, t := range texts {
		if t == "" || strings.ContainsAny(t, "\"\r\n") {
			continue
		}
		all = append(all, func(c *draft) {
			c.headers["MIME-Version"], c.headers["Content-Type"] = []string{"1.0"}, []string{`multipart/mixed; boundary="b"`}
			c.c.Body = fmt.Sprintf("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"%s\"\r\n\r\nx\r\n--b--\r\n", t)
		})
	}
	empty := d.clone()
	empty.c.Body = ""
	head := int64(len(empty.text()))
	for _, n := range numbers {
		// A body ends with a line (RFC 5321 §2.3.8).
		if n >= head+2 && n-head <= mostBody {
			all = append(all, func(c *draft) { c.c.Body = strings.Repeat("x", int(n-head-2)) + "\r\n" })
		}
	}
	return all
}

// firstEntries are three of each class of a list, of as many entries as are looked at.
func firstEntries(l *list.List) iter.Seq2[list.Class, string] {
	return func(yield func(list.Class, string) bool) {
		seen, n := map[list.Class]int{}, 0
		for class, entry := range l.Entries() {
			if n++; n > mostEntries {
				return
			}
			if seen[class]++; seen[class] <= 3 && !yield(class, entry) {
				return
			}
		}
	}
}
