package mutation

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/rules"
)

// value is what a draft has of an attribute.
type value struct {
	known  bool
	texts  []string
	ips    []netip.Addr
	number int64
	name   string
	truth  bool
}

func text(s ...string) value { return value{known: true, texts: s} }

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return strings.ToLower(domain)
}

// outbound tells whether the draft's client may send anywhere.
func (w *world) outbound(d *draft) bool {
	if d.c.Client.User != "" && w.cfg.Gate.OutboundAuthenticated {
		return true
	}
	a, err := netip.ParseAddr(d.c.Client.IP)
	return err == nil && slices.ContainsFunc(w.cfg.Gate.OutboundNetworks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// value is the draft's value of an attribute, as the gate will most likely have
// it: a case is tried before it is shown.
func (w *world) value(d *draft, k rules.Key) value {
	c := &d.c
	switch k.Attr {
	case rules.ClientIP:
		a, err := netip.ParseAddr(c.Client.IP)
		return value{known: err == nil, ips: []netip.Addr{a}, texts: []string{c.Client.IP}}
	case rules.ClientHost:
		if c.Client.Host == "" {
			return text("unknown")
		}
		return text(c.Client.Host)
	case rules.ClientResolve:
		name := c.Client.Resolve
		if name == "" {
			if name = "ok"; c.Client.Host == "" || c.Client.Host == "unknown" {
				name = "fail"
			}
		}
		return value{known: true, name: name}
	case rules.HeloName:
		return text(c.Client.Helo)
	case rules.TLS:
		return value{known: true, truth: c.Client.TLS != nil && c.Client.TLS != false}
	case rules.TLSVersion:
		switch v := c.Client.TLS.(type) {
		case string:
			return text(v)
		case bool:
			if v {
				return text("TLSv1.3")
			}
		}
		return value{}
	case rules.Authenticated:
		return value{known: true, truth: c.Client.User != ""}
	case rules.AuthUser:
		if c.Client.User == "" {
			return value{}
		}
		return text(c.Client.User)
	case rules.Direction:
		if w.outbound(d) {
			return value{known: true, name: "outbound"}
		}
		return value{known: true, name: "inbound"}
	case rules.Sender:
		return text(c.Sender)
	case rules.SenderDomain:
		return text(domainOf(c.Sender))
	case rules.DeclaredSize:
		if c.Size == nil {
			return value{}
		}
		return value{known: true, number: *c.Size * 1000}
	}
	return w.laterValue(d, k)
}

// laterValue has those of recipients and of the message.
func (w *world) laterValue(d *draft, k rules.Key) value {
	c := &d.c
	switch k.Attr {
	case rules.Recipient:
		return text(c.Recipients...)
	case rules.RecipientDomain:
		var all []string
		for _, r := range c.Recipients {
			all = append(all, domainOf(r))
		}
		return text(all...)
	case rules.RecipientClient:
		var all []string
		for _, r := range c.Recipients {
			if a := w.cfg.Gate.Directory.Lookup(r); a.Client != nil {
				all = append(all, a.Client.ID)
			}
		}
		return text(all...)
	case rules.RecipientCount:
		return value{known: true, number: int64(len(c.Recipients)) * 1000}
	case rules.Correspondent:
		return value{known: true, truth: len(c.Wrote) > 0}
	case rules.Subject:
		return text(decoded(d.headers["Subject"])...)
	case rules.HeaderField:
		return text(decoded(d.fields(k.Name))...)
	case rules.RawHeaderField:
		return text(d.fields(k.Name)...)
	case rules.HeaderCount:
		return value{known: true, number: int64(len(d.fields(k.Name))) * 1000}
	case rules.Author, rules.AuthorDomain:
		from := c.Sender
		if v := d.fields("From"); len(v) > 0 {
			from = strings.Trim(v[0], "<>")
		}
		if k.Attr == rules.AuthorDomain {
			from = domainOf(from)
		}
		return text(from)
	case rules.ReplyToDomain:
		var all []string
		for _, v := range d.fields("Reply-To") {
			all = append(all, domainOf(strings.Trim(v, "<>")))
		}
		return text(all...)
	case rules.HeaderIP:
		v := value{known: true}
		for _, r := range d.fields("X-Originating-IP") {
			if a, err := netip.ParseAddr(strings.Trim(r, "[]")); err == nil {
				v.ips = append(v.ips, a)
			}
		}
		return v
	case rules.Size:
		return value{known: true, number: int64(len(d.text())) * 1000}
	case rules.DNSBL:
		v := value{known: true}
		for name, answer := range d.dns {
			if a, err := netip.ParseAddr(answer); err == nil && strings.HasSuffix(name, "."+k.Name+" A") && strings.HasPrefix(name, reversed(c.Client.IP)) {
				v.ips = append(v.ips, a)
			}
		}
		return v
	case rules.SenderMX:
		switch mx := d.dns[domainOf(c.Sender)+" MX"]; {
		case domainOf(c.Sender) == "":
			return value{known: true, name: "none"}
		case mx == "0 .":
			return value{known: true, name: "null"}
		case mx != "":
			return value{known: true, name: "ok"}
		}
		return value{known: true, name: "missing"}
	case rules.SPF:
		name := map[string]string{"v=spf1 +all": "pass", "v=spf1 -all": "fail", "v=spf1 ~all": "softfail", "v=spf1 ?all": "neutral"}[d.dns[domainOf(c.Sender)+" TXT"]]
		if name == "" {
			name = "none"
		}
		return value{known: true, name: name}
	case rules.AttachmentName:
		if strings.Contains(c.Body, "filename=") {
			_, rest, _ := strings.Cut(c.Body, `filename="`)
			name, _, _ := strings.Cut(rest, `"`)
			return text(name)
		}
		return value{known: true}
	}
	return value{}
}

// text is the message of the draft.
func (d *draft) text() []byte {
	t, err := d.done().Text()
	if err != nil {
		return nil
	}
	return t
}

// fields are the values of a field of the header.
func (d *draft) fields(name string) (all []string) {
	for n, values := range d.headers {
		switch {
		case strings.EqualFold(n, name):
			all = append(all, values...)
		case name == "*":
			for _, v := range values {
				all = append(all, n+": "+v)
			}
		}
	}
	slices.Sort(all)
	return all
}

func decoded(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = fieldtext.Decode(rules.Work(), s, "")
	}
	return out
}

// reversed is an address as DNS lists are asked for it (RFC 5782 §2.1).
func reversed(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || !a.Is4() {
		return "none"
	}
	b := a.As4()
	return fmt.Sprintf("%d.%d.%d.%d", b[3], b[2], b[1], b[0])
}
