package dnscheck

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// Limits of names in octets, without the root's dot (RFC 1035 §2.3.4).
const (
	maxName  = 253
	maxLabel = 63
)

// question is what a resolver asks, always in class IN. The name is absolute,
// in lower case, in the presentation form that package dns gives to names it
// has read.
type question struct {
	name string
	kind uint16
}

func (q question) String() string { return q.name + " " + dns.TypeToString[q.kind] }

// absolute is the name to ask for a domain: in A-labels and lower case, with
// what is no letter of a host name escaped. There is none for what cannot be
// in the DNS: an empty or too long label, too long a name, an IDN that IDNA
// does not allow, the root.
func absolute(domain string) (name string, ok bool) {
	domain = address.FoldDomain(domain)
	if domain == "" || len(domain) > maxName {
		return "", false
	}
	var b strings.Builder
	b.Grow(len(domain) + 1)
	label := 0
	for i := 0; i < len(domain); i++ {
		c := domain[i]
		if c == '.' {
			if label == 0 {
				return "", false
			}
			label = 0
			b.WriteByte('.')
			continue
		}
		if label++; label > maxLabel {
			return "", false
		}
		switch {
		case c >= 0x80: // FoldDomain found no A-labels for it
			return "", false
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03d`, c)
			continue
		case strings.IndexByte(` '@;()"\`, c) >= 0:
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	if label == 0 {
		return "", false
	}
	b.WriteByte('.')
	return b.String(), true
}

// hostless tells that no host can have this name: the root, or one whose last
// label is a number, as in an address written where a name belongs (RFC 3696
// §2: no top-level domain is all digits).
func hostless(name string) bool {
	name = strings.TrimSuffix(name, ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	return strings.Trim(last, "0123456789") == ""
}

// senderDomain is the domain of an envelope address; none for the null
// sender, an address without domain and an address literal (RFC 5321 §4.1.3).
func senderDomain(address string) (domain string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "", false
	}
	domain = address[at+1:]
	return domain, domain != "" && domain[0] != '['
}

// reversed is an address as names of DNS lists have it: the octets of IPv4,
// the nibbles of IPv6, the last first, with a dot after each (RFC 5782 §2.1
// and §2.4).
func reversed(addr netip.Addr) string {
	const hex = "0123456789abcdef"
	addr = addr.Unmap().WithZone("")
	raw := addr.AsSlice()
	b := make([]byte, 0, 4*len(raw))
	for i := len(raw) - 1; i >= 0; i-- {
		if addr.Is4() {
			b = strconv.AppendUint(b, uint64(raw[i]), 10)
			b = append(b, '.')
			continue
		}
		b = append(b, hex[raw[i]&15], '.', hex[raw[i]>>4], '.')
	}
	return string(b)
}
