package rules

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// answerFilter is which answers of a DNS list count: Postfix's syntax of
// reject_rbl_client and postscreen_dnsbl_sites (postconf(5)), an IPv4 address of
// which each octet is a number or, in brackets, numbers and ranges:
// 127.0.[0;2].[4..11].
type answerFilter [4]octetSet

// octetSet has a bit for each value of an octet.
type octetSet [4]uint64

func (s *octetSet) add(from, to int) {
	for n := from; n <= to; n++ {
		s[n/64] |= 1 << (n % 64)
	}
}

// everyAnswer is the filter of a zone that has none.
func everyAnswer() (f answerFilter) {
	for i := range f {
		f[i].add(0, 255)
	}
	return f
}

func (f *answerFilter) takes(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	for i, n := range a.As4() {
		if f[i][n/64]&(1<<(n%64)) == 0 {
			return false
		}
	}
	return true
}

// parseDNSList reads "zone" or "zone=filter". The zone comes back in A-labels,
// lower case, without a dot at its end.
func parseDNSList(s string) (zone string, f answerFilter, err error) {
	if rest, points, ok := pointsOf(s); ok {
		return "", f, fmt.Errorf("%q: what an answer weighs is the rule's weight: write %q, and weight = %s", s, rest, points)
	}
	zone, filter, filtered := strings.Cut(s, "=")
	if zone, err = parseZone(zone); err != nil {
		return "", f, err
	}
	if !filtered {
		return zone, everyAnswer(), nil
	}
	f, err = parseAnswerFilter(filter)
	return zone, f, err
}

// parseZone checks a domain name (RFC 1035 §2.3.4): room must be left for the
// reversed address before it.
func parseZone(s string) (string, error) {
	zone, err := address.ToASCII(strings.TrimSuffix(strings.TrimSpace(s), "."))
	if err != nil {
		return "", fmt.Errorf("%q is not the name of a zone: %w", s, err)
	}
	zone = strings.ToLower(zone)
	// What is not UTF-8 becomes an A-label that stands for no name (RFC 5891
	// §5.4): the DNS would be asked for a zone that nobody wrote.
	if again, err := address.ToASCII(zone); err != nil || again != zone {
		return "", fmt.Errorf("%q is not the name of a zone", s)
	}
	if zone == "" || len(zone) > 253-len("0.0.0.0.") {
		return "", fmt.Errorf("%q is not the name of a zone", s)
	}
	for _, label := range strings.Split(zone, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", fmt.Errorf("%q is not the name of a zone", s)
		}
	}
	if _, err := netip.ParseAddr(zone); err == nil {
		return "", fmt.Errorf("%q is an address; the name of a zone is needed", s)
	}
	return zone, nil
}

// pointsOf are those of "zone*3" and "zone=127.0.0.2*3", as postscreen writes them.
func pointsOf(s string) (rest, points string, ok bool) {
	rest, points, ok = strings.Cut(s, "*")
	return rest, points, ok && points != "" && strings.Trim(points, "0123456789.-") == ""
}

var errAnswerFilter = errors.New(`the filter after "=" is an address such as 127.0.0.2 or 127.0.0.[2..11;20]`)

func parseAnswerFilter(s string) (f answerFilter, err error) {
	rest := s
	for i := range f {
		octet := rest
		if strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return f, fmt.Errorf("%q: a bracket is not closed: %w", s, errAnswerFilter)
			}
			octet, rest = rest[1:end], rest[end+1:]
			for _, part := range strings.Split(octet, ";") {
				if err := f[i].parse(part); err != nil {
					return f, fmt.Errorf("%q: %w", s, err)
				}
			}
		} else {
			if dot := strings.IndexByte(rest, '.'); dot >= 0 {
				octet = rest[:dot]
			}
			rest = rest[len(octet):]
			n, err := parseOctet(octet)
			if err != nil {
				return f, fmt.Errorf("%q: %w", s, err)
			}
			f[i].add(n, n)
		}
		if i < len(f)-1 {
			if !strings.HasPrefix(rest, ".") {
				return f, fmt.Errorf("%q: %w", s, errAnswerFilter)
			}
			rest = rest[1:]
		}
	}
	if rest != "" {
		return f, fmt.Errorf("%q: %w", s, errAnswerFilter)
	}
	return f, nil
}

// parse adds a number or a range.
func (s *octetSet) parse(part string) error {
	low, high, ranged := strings.Cut(part, "..")
	from, err := parseOctet(low)
	to := from
	if err == nil && ranged {
		to, err = parseOctet(high)
	}
	if err == nil && from > to {
		err = fmt.Errorf("the range %s goes down", part)
	}
	if err == nil {
		s.add(from, to)
	}
	return err
}

func parseOctet(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || s[0] == '+' {
		return 0, errAnswerFilter
	}
	return int(n), nil
}

// dnsLists compiles a condition on DNS lists: a key for each zone, any of which
// will do.
func (c *compiler) dnsLists(src *Condition, attr Attr, pos Pos) *condition {
	all := newCondition(Key{Attr: attr}, KindDNSBL, Pos{})
	for _, op := range src.Values {
		at := op.Pos.OrElse(pos)
		s, ok := op.V.(string)
		if !ok {
			c.errorf(at, "%s: %s is needed, not %s", src.Attr, operandNames[KindDNSBL], typeName(op.V))
			continue
		}
		zone, filter, err := parseDNSList(s)
		if err != nil {
			c.errorf(at, "%s: %v", src.Attr, err)
			continue
		}
		if !filter.takesLoopback() {
			c.warnf(at, "%s: lists answer with 127.x.y.z; this filter takes none of them", src.Attr)
		}
		one := all.zone(zone).own()
		one.filters = append(one.filters, filter)
	}
	if len(all.alternatives) == 0 {
		return nil // what is wrong has been told
	}
	return all
}

// takesLoopback: lists answer from 127.0.0.0/8 (RFC 5782 §2.1).
func (f *answerFilter) takesLoopback() bool { return f[0][127/64]&(1<<(127%64)) != 0 }

// zone is the alternative for one.
func (c *condition) zone(zone string) *condition {
	for _, one := range c.alternatives {
		if one.key.Name == zone {
			return one
		}
	}
	one := newCondition(Key{Attr: c.key.Attr, Name: zone}, KindDNSBL, Pos{})
	all := c.own()
	all.alternatives = append(all.alternatives, one)
	return one
}
