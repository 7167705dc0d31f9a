package mutation

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/rules"
)

// slot is a part of a case that decides about some attributes.
type slot string

// slotOf is the part that an attribute hangs on.
func slotOf(k rules.Key) slot {
	switch k.Attr {
	case rules.ClientIP, rules.Direction, rules.Authenticated, rules.AuthUser:
		return "1 client"
	case rules.ClientHost, rules.ClientResolve:
		return "2 host"
	case rules.HeloName:
		return "3 helo"
	case rules.TLS, rules.TLSVersion:
		return "3 tls"
	case rules.Sender, rules.SenderDomain, rules.SenderMX, rules.SPF:
		return "4 sender"
	case rules.DeclaredSize:
		return "5 declared"
	case rules.Recipient, rules.RecipientDomain, rules.RecipientClient, rules.RecipientCount:
		return "6 recipients"
	case rules.Correspondent:
		return "7 wrote"
	case rules.DNSBL:
		return slot("8 dns " + k.Name)
	case rules.Subject:
		return "9 header Subject"
	case rules.Author, rules.AuthorDomain, rules.AuthorName:
		return "9 header From"
	case rules.ReplyToDomain:
		return "9 header Reply-To"
	case rules.HeaderIP:
		return "9 header X-Originating-IP"
	case rules.HeaderField, rules.RawHeaderField, rules.HeaderCount:
		return slot("9 header " + k.Name)
	case rules.Size, rules.AttachmentName:
		return "a body"
	}
	return ""
}

// compose makes a draft for which all aims are so; not ok where none was found.
func (w *world) compose(base *draft, aims []aim) (*draft, bool) {
	slots := map[slot][]aim{}
	for _, a := range aims {
		s := slotOf(a.term.Key)
		if s == "" {
			return nil, false
		}
		slots[s] = append(slots[s], a)
	}
	d := base.clone()
	var order []slot
	for s := range slots {
		order = append(order, s)
	}
	slices.Sort(order)
	for _, s := range order {
		next, ok := w.fill(d, s, slots[s])
		if !ok {
			return nil, false
		}
		d = next
	}
	return d, true
}

// fill chooses what stands in one part.
func (w *world) fill(d *draft, s slot, aims []aim) (*draft, bool) {
	right := func(c *draft) bool {
		return !slices.ContainsFunc(aims, func(a aim) bool { return w.holds(a.term, c) != a.hold })
	}
	if right(d) {
		return d, true
	}
	for _, set := range w.candidates(d, s, aims) {
		c := d.clone()
		set(c)
		if right(c) {
			return c, true
		}
	}
	return nil, false
}

// candidates are ways to fill a part, made of what the aims want.
func (w *world) candidates(d *draft, s slot, aims []aim) (all []func(*draft)) {
	var texts []string
	var addrs []netip.Addr
	var numbers []int64
	for _, a := range aims {
		for i := range a.term.Wants {
			want := &a.term.Wants[i]
			texts = append(texts, textsOf(want, a.term.Key)...)
			addrs = append(addrs, addrsOf(want)...)
			if want.Kind == rules.WantNumber {
				numbers = append(numbers, want.Low/1000, want.High/1000, want.Low/1000-1, want.High/1000+1)
			}
		}
	}
	texts = append(texts, "", "other")
	switch part, name, _ := strings.Cut(string(s[2:]), " "); part {
	case "client":
		return w.clients(addrs, texts)
	case "host":
		for _, host := range append([]string{d.c.Client.Host, "unknown"}, texts...) {
			for _, resolve := range []string{"", "fail", "forged", "temp", "ok"} {
				all = append(all, func(c *draft) { c.c.Client.Host, c.c.Client.Resolve = host, resolve })
			}
		}
	case "helo":
		for _, t := range texts {
			all = append(all, func(c *draft) { c.c.Client.Helo = t })
		}
	case "tls":
		all = append(all, func(c *draft) { c.c.Client.TLS = nil })
		for _, t := range append(texts, "TLSv1.3", "TLSv1.2", "TLSv1") {
			all = append(all, func(c *draft) { c.c.Client.TLS = t })
		}
	case "sender":
		return senders(d, texts)
	case "declared":
		all = append(all, func(c *draft) { c.c.Size = nil })
		for _, n := range numbers {
			if n >= 0 {
				all = append(all, func(c *draft) { c.c.Size = &n })
			}
		}
	case "recipients":
		return w.recipients(d, texts, numbers)
	case "wrote":
		all = append(all, func(c *draft) { c.c.Wrote = map[string]any{c.c.Recipients[0]: c.c.Sender} }, func(c *draft) { c.c.Wrote = nil })
	case "dns":
		return listings(aims)
	case "header":
		return fields(name, texts, addrs, numbers)
	case "body":
		return bodies(d, texts, numbers)
	}
	return all
}
