package dnscheck

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"blitiri.com.ar/go/spf"
	"github.com/miekg/dns"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/results"
)

// SPFResult is what SPF says of a sender (RFC 7208 §2.6).
type SPFResult struct {
	Result results.Auth
	// Identity is what was checked: "mailfrom", or for the null sender "helo".
	Identity string
	// Domain is the one whose record was asked for, in A-labels; "" where
	// there was none to ask for.
	Domain string
	// Reason is a few words on why, for the journal; it may hold text that a
	// stranger's DNS gave.
	Reason string
}

// SPF checks whether the client at ip may send for an envelope sender; for
// the null sender, for the name it gave in HELO (RFC 7208 §2.4). A domain that
// can have no record, such as an address literal or a single label, is "none"
// without a question (§4.3).
//
// The error wraps ErrTemporary, and is not nil exactly when the result is
// "temperror". Limits are those of §4.6.4: ten terms that ask, ten targets of
// an MX, two void look-ups; and the deadline of the whole check.
func (r *Resolver) SPF(ctx context.Context, ip netip.Addr, helo, sender string) (SPFResult, error) {
	result := SPFResult{Result: results.None, Identity: "mailfrom"}
	local, domain := "", ""
	if at := strings.LastIndexByte(sender, '@'); at >= 0 {
		local, domain = sender[:at], sender[at+1:]
	} else if sender == "" {
		result.Identity, domain = "helo", helo
	} else {
		result.Reason = "a sender without domain"
		return result, nil
	}
	domain = address.FoldDomain(domain) // §4.3: A-labels
	name, ok := absolute(domain)
	if !ok || hostless(name) || domain[0] == '[' || !strings.Contains(domain, ".") {
		result.Reason = "no domain that can have a record"
		return result, nil
	}
	result.Domain = domain
	if local == "" {
		local = "postmaster" // §4.3
	}
	// A quoted local part may have an at sign, at which the library would cut:
	// whoever wrote it would choose whose record is asked for. It sees another
	// character there, which only the macro l could tell.
	local = strings.ReplaceAll(local, "@", "_")
	during := newTimed(ctx, r.total)
	defer during.end()
	lookup := &spfLookup{r: r, ipv6: ip.Unmap().Is6(), left: mostSPF}
	word, why := spf.CheckHostWithSender(ip.Unmap().AsSlice(), helo, local+"@"+domain,
		spf.WithContext(during), spf.WithResolver(lookup))
	result.Result = results.Auth(word)
	if why != nil {
		result.Reason = why.Error()
	}
	if word != spf.TempError {
		return result, nil
	}
	if !errors.Is(why, ErrTemporary) {
		why = temporary(question{name, dns.TypeTXT}, why)
	}
	return result, why
}

// LookupTXT gives the TXT records of a name, each with its strings joined, as
// net.Resolver does: a name that does not exist is a *net.DNSError that says
// IsNotFound, one that could not be asked for now a *net.DNSError that says
// IsTemporary and wraps ErrTemporary. A name that exists without such records
// has none.
func (r *Resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	a, err := r.netLookup(ctx, name, dns.TypeTXT)
	if err != nil {
		return nil, err
	}
	return append([]string(nil), a.texts...), nil
}

// netLookup is lookup with names as they come, and the errors of package net.
func (r *Resolver) netLookup(ctx context.Context, name string, kind uint16) (*answer, error) {
	asked, ok := absolute(name)
	if !ok {
		return nil, notFound(name)
	}
	a, err := r.lookup(ctx, question{asked, kind})
	switch {
	case err != nil:
		return nil, &net.DNSError{
			UnwrapErr: err, Err: err.Error(), Name: name,
			IsTemporary: true, IsTimeout: errors.Is(err, errTimeout),
		}
	case a.nxdomain:
		return nil, notFound(name)
	}
	return a, nil
}

func notFound(name string) error {
	return &net.DNSError{Err: "no such name", Name: name, IsNotFound: true}
}

// spfLookup is the resolver as the library wants it.
type spfLookup struct {
	r    *Resolver
	ipv6 bool // of the client
	left int  // octets of records that may still be read
}

// mostSPF is how many octets of records one check reads; what needs more is a
// permerror. Who publishes them chooses their length, each is read several times over,
// and the answers are kept: it would cost the same for each MAIL. RFC 7208 §3.4 wants a
// record to fit into 512 octets, and §4.6.4 lets a check read eleven.
const mostSPF = 32 << 10

var errLongSPF = errors.New("SPF records of more than 32 KiB")

// LookupTXT gives the SPF records of a domain. One with an error in it is an
// error that the library makes a permerror.
func (l *spfLookup) LookupTXT(ctx context.Context, name string) ([]string, error) {
	a, err := l.r.netLookup(ctx, name, dns.TypeTXT)
	if err != nil {
		return nil, err
	}
	var records []string
	for _, text := range a.texts {
		if isSPF(text) {
			records = append(records, text)
		}
	}
	if len(records) == 1 {
		if l.left -= len(records[0]); l.left < 0 {
			return nil, errLongSPF
		}
		if err := spfSyntax(records[0]); err != nil {
			return nil, err
		}
		if !l.ipv6 {
			records[0] = withoutIP6(records[0])
		}
	}
	return records, nil
}

func (l *spfLookup) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	a, err := l.r.netLookup(ctx, name, dns.TypeMX)
	if err != nil {
		return nil, err
	}
	mxs := make([]*net.MX, len(a.mxs))
	for i, m := range a.mxs {
		mxs[i] = &net.MX{Host: m.host, Pref: m.preference}
	}
	return mxs, nil
}

// LookupIPAddr asks for A where the client has an IPv4 address (RFC 7208 §5).
// For IPv6 it asks for both: "a" and "mx" want AAAA, "exists" always A (§5.7),
// and the library does not say for which of them it asks.
func (l *spfLookup) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	kinds := []uint16{dns.TypeA}
	if l.ipv6 {
		kinds = append(kinds, dns.TypeAAAA)
	}
	var addrs []net.IPAddr
	for _, kind := range kinds {
		a, err := l.r.netLookup(ctx, host, kind)
		if err != nil {
			return nil, err
		}
		for _, addr := range a.addrs {
			addrs = append(addrs, net.IPAddr{IP: addr.AsSlice()})
		}
	}
	return addrs, nil
}

func (l *spfLookup) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, notFound(addr)
	}
	zone := "ip6.arpa"
	if ip.Unmap().Is4() {
		zone = "in-addr.arpa"
	}
	a, err := l.r.netLookup(ctx, reversed(ip)+zone, dns.TypePTR)
	if err != nil {
		return nil, err
	}
	return a.names, nil
}
