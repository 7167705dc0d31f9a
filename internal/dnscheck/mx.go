package dnscheck

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/tollgate-mail/tollgate/internal/results"
)

const (
	// mostMX is how many targets are looked at, the most preferred first. Where
	// there are more and none of these has an address, that is no certainty.
	mostMX = 40
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
func (r *Resolver) SenderMX(ctx context.Context, sender string) (results.MX, error) {
	domain, ok := senderDomain(sender)
	if !ok {
		return results.MXNone, nil
	}
	name, ok := absolute(domain)
	if !ok || hostless(name) {
		return results.MXMissing, nil
	}
	during := newTimed(ctx, r.total)
	defer during.end()
	a, err := r.lookup(during, question{name, dns.TypeMX})
	switch {
	case err != nil:
		return "", err
	case a.nxdomain:
		return results.MXMissing, nil
	case len(a.mxs) == 0:
		found, err := r.reach(during, name)
		return verdict(found, results.MXImplicit, err)
	case nullMX(a.mxs):
		return results.MXNull, nil
	}
	hosts := targets(a.mxs)
	if r.knownAddress(hosts) {
		return results.MXOK, nil
	}
	found, err := r.anyAddress(during.start(), hosts[:min(len(hosts), mostMX)])
	if err == nil && found != public && len(hosts) > mostMX {
		err = temporary(question{name, dns.TypeMX}, errManyMX)
	}
	return verdict(found, results.MXOK, err)
}

var errManyMX = fmt.Errorf("more than %d targets, of which the first have no address", mostMX)

// reachable is what addresses a host has.
type reachable uint8

const (
	nowhere reachable = iota // none
	private                  // none but those that nobody elsewhere reaches
	public
)

func verdict(found reachable, word results.MX, err error) (results.MX, error) {
	switch {
	case found == public:
		return word, nil
	case err != nil:
		return "", err
	case found == private:
		return results.MXPrivate, nil
	}
	return results.MXMissing, nil
}

// reachOf is what addresses are worth.
func (r *Resolver) reachOf(addrs []netip.Addr) reachable {
	best := nowhere
	for _, a := range addrs {
		if r.networks.unreachable(a) {
			best = max(best, private)
		} else {
			best = public
		}
	}
	return best
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
	have := make(map[string]bool, len(sorted)) // an answer has room for four thousand
	for _, m := range sorted {
		if !hostless(m.host) && !have[m.host] {
			have[m.host] = true
			hosts = append(hosts, m.host)
		}
	}
	return hosts
}

// knownAddress tells whether the cache has an address of the first host.
func (r *Resolver) knownAddress(hosts []string) bool {
	if len(hosts) == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.cache.get(question{hosts[0], dns.TypeA}, r.now())
	if a == nil || r.reachOf(a.addrs) != public {
		return false
	}
	r.asked++
	r.hits++
	return true
}

type finding struct {
	found reachable
	err   error
}

// anyAddress is the best of what the hosts have. It looks at the next when one
// has nothing public, or takes long to say.
func (r *Resolver) anyAddress(ctx context.Context, hosts []string) (reachable, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	findings := make(chan finding, len(hosts))
	stagger := time.NewTicker(mxStagger)
	defer stagger.Stop()
	best := nowhere
	var failure error
	for next, running := 0, 0; ; {
		if next < len(hosts) {
			host := hosts[next]
			next++
			running++
			go func() {
				found, err := r.reach(ctx, host)
				findings <- finding{found, err}
			}()
			stagger.Reset(mxStagger)
		}
		if running == 0 {
			return best, failure
		}
		select {
		case f := <-findings:
			if f.found == public {
				return public, nil
			}
			running--
			best = max(best, f.found)
			failure = cmp.Or(failure, f.err)
		case <-stagger.C:
		}
	}
}

// reach is what A or AAAA records a host has.
func (r *Resolver) reach(ctx context.Context, name string) (reachable, error) {
	if isLocalhost(name) {
		return private, nil
	}
	a, err := r.lookup(ctx, question{name, dns.TypeA})
	found := nowhere
	if err == nil {
		if found = r.reachOf(a.addrs); found == public || a.nxdomain {
			return found, nil
		}
	}
	a, err6 := r.lookup(ctx, question{name, dns.TypeAAAA})
	if err6 == nil {
		if found = max(found, r.reachOf(a.addrs)); found == public || a.nxdomain {
			return found, nil
		}
	}
	return found, cmp.Or(err, err6)
}
