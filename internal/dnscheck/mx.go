package dnscheck

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// What SenderMX says of a domain.
const (
	MXOK       = "ok"       // an MX whose target has an address
	MXImplicit = "implicit" // no MX, but an address (RFC 5321 §5.1)
	MXNull     = "null"     // it takes no mail (RFC 7505)
	MXMissing  = "missing"  // neither, or only targets without an address
	MXNone     = "none"     // there is no domain to ask for
)

const (
	// mostMX is how many targets are looked at, the most preferred first.
	mostMX = 10
	// mxStagger is how long a target's addresses are waited for before the
	// next is asked for too.
	mxStagger = 300 * time.Millisecond
)

// SenderMX tells whether mail could be sent to an envelope address; it is MXNone
// for the null sender, an address without domain and an address literal. What
// cannot be a host's name, because it is too long, no valid IDN or ends in
// a number, is MXMissing without a question.
//
// MXMissing is certain: where a look-up failed that might have found an address,
// the error is that look-up's, which wraps ErrTemporary.
func (r *Resolver) SenderMX(ctx context.Context, sender string) (string, error) {
	domain, ok := senderDomain(sender)
	if !ok {
		return MXNone, nil
	}
	name, ok := absolute(domain)
	if !ok || hostless(name) {
		return MXMissing, nil
	}
	during := newStage(ctx, r.stage)
	defer during.end()
	a, err := r.lookup(during, question{name, dns.TypeMX})
	switch {
	case err != nil:
		return "", err
	case a.nxdomain:
		return MXMissing, nil
	case len(a.mxs) == 0:
		found, err := r.hasAddress(during, name)
		return verdict(found, MXImplicit, err)
	case nullMX(a.mxs):
		return MXNull, nil
	}
	hosts := targets(a.mxs)
	if r.knownAddress(hosts) {
		return MXOK, nil
	}
	found, err := r.anyAddress(during.start(), hosts)
	return verdict(found, MXOK, err)
}

func verdict(found bool, word string, err error) (string, error) {
	switch {
	case found:
		return word, nil
	case err != nil:
		return "", err
	}
	return MXMissing, nil
}

// nullMX: RFC 7505 §3 has one record whose host is the root. Where there are
// others beside it, those count.
func nullMX(mxs []mx) bool {
	return !slices.ContainsFunc(mxs, func(m mx) bool { return m.host != "." })
}

// targets are the hosts to look at, in the order of preference.
func targets(mxs []mx) []string {
	sorted := slices.Clone(mxs)
	slices.SortStableFunc(sorted, func(a, b mx) int { return cmp.Compare(a.preference, b.preference) })
	var hosts []string
	for _, m := range sorted {
		if !hostless(m.host) && !slices.Contains(hosts, m.host) {
			hosts = append(hosts, m.host)
		}
	}
	return hosts[:min(len(hosts), mostMX)]
}

// knownAddress tells whether the cache has an address of the first host.
func (r *Resolver) knownAddress(hosts []string) bool {
	if len(hosts) == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.cache.get(question{hosts[0], dns.TypeA}, r.now())
	if a == nil || len(a.addrs) == 0 {
		return false
	}
	r.asked++
	r.hits++
	return true
}

type finding struct {
	found bool
	err   error
}

// anyAddress tells whether one of the hosts has an address. It looks at the
// next when one has none, or takes long to say.
func (r *Resolver) anyAddress(ctx context.Context, hosts []string) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	findings := make(chan finding, len(hosts))
	stagger := time.NewTicker(mxStagger)
	defer stagger.Stop()
	var failure error
	for next, running := 0, 0; ; {
		if next < len(hosts) {
			host := hosts[next]
			next++
			running++
			go func() {
				found, err := r.hasAddress(ctx, host)
				findings <- finding{found, err}
			}()
			stagger.Reset(mxStagger)
		}
		if running == 0 {
			return false, failure
		}
		select {
		case f := <-findings:
			if f.found {
				return true, nil
			}
			running--
			failure = cmp.Or(failure, f.err)
		case <-stagger.C:
		}
	}
}

// hasAddress tells whether a host has an A or AAAA record.
func (r *Resolver) hasAddress(ctx context.Context, name string) (bool, error) {
	a, err := r.lookup(ctx, question{name, dns.TypeA})
	if err == nil && (len(a.addrs) > 0 || a.nxdomain) {
		return len(a.addrs) > 0, nil
	}
	a, err6 := r.lookup(ctx, question{name, dns.TypeAAAA})
	if err6 == nil && (len(a.addrs) > 0 || a.nxdomain) {
		return len(a.addrs) > 0, nil
	}
	return false, cmp.Or(err, err6)
}
