package dnscheck

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// The grammar of RFC 7208 §12. The library reads terms until one matches and
// takes most texts for a domain; §4.6 wants an error anywhere in a record to be
// a permerror before anything is evaluated.
const (
	macroExpand = `(?:%[%_-]|%\{[slodiphvSLODIPHV](?:0*[1-9][0-9]*)?[rR]?[-.+,/_=]*\})`
	macroString = `(?:` + macroExpand + `|[!-$&-~])*`
	topLabel    = `(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])`
	domainSpec  = macroString + `(?:\.` + topLabel + `\.?|` + macroExpand + `)`
	cidr4       = `(?:/(?:3[0-2]|[12]?[0-9]))`
	cidr6       = `(?:/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))`
	dualCIDR    = cidr4 + `?(?:/` + cidr6 + `)?`
)

var (
	spfDirective = regexp.MustCompile(`^[-+?~]?(?i:` +
		`all` +
		`|(?:include|exists):` + domainSpec +
		`|(?:a|mx)(?::` + domainSpec + `)?` + dualCIDR +
		`|ptr(?::` + domainSpec + `)?` +
		`|ip4:(?P<ip4>[0-9.]+)` + cidr4 + `?` +
		`|ip6:(?P<ip6>[0-9a-f:.]+)` + cidr6 + `?` +
		`)$`)
	spfModifier = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9._-]*)=(` + macroString + `)$`)
	spfDomain   = regexp.MustCompile(`^` + domainSpec + `$`)
)

// spfSyntax tells what is wrong with an SPF record.
func spfSyntax(record string) error {
	seen := make(map[string]bool)
	for term := range strings.SplitSeq(record[len(spfVersion):], " ") {
		if term == "" || goodDirective(term) {
			continue
		}
		m := spfModifier.FindStringSubmatch(term)
		if m == nil {
			return fmt.Errorf("the term %q is none of SPF", term)
		}
		name := strings.ToLower(m[1])
		if name != "redirect" && name != "exp" {
			continue // §6: unknown ones are ignored
		}
		if !spfDomain.MatchString(m[2]) {
			return fmt.Errorf("the term %q has no domain", term)
		}
		if seen[name] {
			return fmt.Errorf("%s twice", name) // §6
		}
		seen[name] = true
	}
	return nil
}

func goodDirective(term string) bool {
	m := spfDirective.FindStringSubmatch(term)
	if m == nil {
		return false
	}
	ip4, ip6 := m[spfDirective.SubexpIndex("ip4")], m[spfDirective.SubexpIndex("ip6")]
	if ip4 != "" {
		ip, err := netip.ParseAddr(ip4)
		return err == nil && ip.Is4()
	}
	if ip6 != "" {
		ip, err := netip.ParseAddr(ip6)
		return err == nil && ip.Is6()
	}
	return true
}

const spfVersion = "v=spf1"

// isSPF tells whether a TXT record is one of SPF (RFC 7208 §4.5).
func isSPF(text string) bool {
	if len(text) < len(spfVersion) || !strings.EqualFold(text[:len(spfVersion)], spfVersion) {
		return false
	}
	return len(text) == len(spfVersion) || text[len(spfVersion)] == ' '
}

// withoutIP6 is a record without its terms "ip6", which never match an IPv4 client
// (RFC 7208 §5.6); the library takes ::ffff:192.0.2.1 for 192.0.2.1.
func withoutIP6(record string) string {
	terms := strings.Split(record, " ")
	return strings.Join(slices.DeleteFunc(terms, func(term string) bool {
		return strings.HasPrefix(strings.ToLower(strings.TrimLeft(term, "+-?~")), "ip6:")
	}), " ")
}
