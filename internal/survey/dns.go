package survey

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/doctor"
	"github.com/tollgate-mail/tollgate/internal/results"
)

// mostDomains and atOnce bound what is asked of the resolvers.
const (
	mostDomains = 50
	atOnce      = 8
)

// asking is who asks DNS.
type asking struct {
	resolver *net.Resolver
	place    chan struct{}
	group    sync.WaitGroup

	mu      sync.Mutex // of facts
	facts   *doctor.DNS
	slowest time.Duration
}

func askDNS(ctx context.Context, c *config.Config, p *doctor.Policy, mail []doctor.Postfix) *doctor.DNS {
	servers, err := dnscheck.Config{Servers: c.Resolver}.Addresses()
	if err != nil {
		servers = nil // resolv.conf cannot be read: there are none
	}
	d := &doctor.DNS{
		Servers: servers, Addresses: publicAddresses(), PTR: map[netip.Addr]doctor.Answer{}, MX: map[string]doctor.Answer{},
		MXHosts: map[string]doctor.Answer{}, SPF: map[string]doctor.Answer{}, SPFResult: map[string]results.Auth{}, Listed: map[string][]string{}, Lists: map[string]doctor.ListState{},
	}
	a := &asking{facts: d, place: make(chan struct{}, atOnce), resolver: &net.Resolver{PreferGo: true}}
	if len(c.Resolver) > 0 {
		a.resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, c.Resolver[0])
		}
	}
	a.ask(ctx, func(ctx context.Context) func() {
		got := a.addresses(ctx, p.Gateway)
		return func() { d.Gateway = got }
	})
	d.Helo.Error = "not asked"
	for _, m := range mail[:min(len(mail), 1)] {
		helo := m.Settings["smtp_helo_name"]
		if helo == "" {
			helo = m.Settings["myhostname"]
		}
		a.ask(ctx, func(ctx context.Context) func() {
			got := a.addresses(ctx, helo)
			return func() { d.Helo = got }
		})
	}
	for _, addr := range d.Addresses {
		a.ask(ctx, func(ctx context.Context) func() {
			names, err := a.resolver.LookupAddr(ctx, addr.String())
			got := answer(names, err)
			return func() { d.PTR[addr] = got }
		})
	}
	a.domains(ctx, p)
	a.lists(ctx, p)
	a.group.Wait()
	d.Slowest = a.slowest
	a.spf(ctx, c, p)
	return d
}

// ask runs a question beside others, and keeps what it found.
func (a *asking) ask(ctx context.Context, question func(context.Context) func()) {
	a.group.Go(func() {
		a.place <- struct{}{}
		defer func() { <-a.place }()
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		began := time.Now()
		keep := question(ctx)
		took := time.Since(began)
		a.mu.Lock()
		defer a.mu.Unlock()
		keep()
		a.slowest = max(a.slowest, took)
	})
}

// answer tells a name that is not there from one that nobody knows now.
func answer(values []string, err error) doctor.Answer {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return doctor.Answer{}
	}
	if err != nil {
		return doctor.Answer{Error: err.Error()}
	}
	return doctor.Answer{Values: values}
}

func (a *asking) addresses(ctx context.Context, name string) doctor.Answer {
	if !strings.Contains(name, ".") {
		return doctor.Answer{}
	}
	return answer(a.resolver.LookupHost(ctx, strings.TrimSuffix(name, ".")+"."))
}

func (a *asking) domains(ctx context.Context, p *doctor.Policy) {
	for _, domain := range p.Domains[:min(len(p.Domains), mostDomains)] {
		if strings.HasPrefix(domain, ".") {
			continue
		}
		a.ask(ctx, func(ctx context.Context) func() {
			records, err := a.resolver.LookupMX(ctx, domain+".")
			var hosts []string
			for _, mx := range records {
				hosts = append(hosts, mx.Host)
			}
			got, of := answer(hosts, err), map[string]doctor.Answer{}
			for _, h := range hosts[:min(len(hosts), 10)] {
				of[h] = a.addresses(ctx, h)
			}
			return func() {
				a.facts.MX[domain] = got
				for h, at := range of {
					a.facts.MXHosts[h] = at
				}
			}
		})
		a.ask(ctx, func(ctx context.Context) func() {
			texts, err := a.resolver.LookupTXT(ctx, domain+".")
			got := answer(texts, err)
			return func() { a.facts.SPF[domain] = got }
		})
	}
}

// lists asks DNS lists for their test entries, and for ourselves.
func (a *asking) lists(ctx context.Context, p *doctor.Policy) {
	for _, zone := range p.Lists {
		has := func(ctx context.Context, addr netip.Addr) doctor.Answer {
			return answer(a.resolver.LookupHost(ctx, reversed(addr)+zone+"."))
		}
		a.ask(ctx, func(ctx context.Context) func() {
			nobody, test := has(ctx, netip.MustParseAddr("127.0.0.1")), has(ctx, netip.MustParseAddr("127.0.0.2"))
			refuses := func(v string) bool { return strings.HasPrefix(v, "127.255.255.") }
			state := doctor.ListState{Error: test.Error}
			state.Refuses = slices.ContainsFunc(test.Values, refuses) || slices.ContainsFunc(nobody.Values, refuses)
			state.All = len(nobody.Values) > 0 && !state.Refuses
			state.Nobody = test.Error == "" && len(test.Values) == 0
			var listed []string
			for _, addr := range a.facts.Addresses {
				if got := has(ctx, addr); len(got.Values) > 0 && !state.Refuses && !state.All {
					listed = append(listed, addr.String())
				}
			}
			return func() {
				a.facts.Lists[zone] = state
				if len(listed) > 0 {
					a.facts.Listed[zone] = listed
				}
			}
		})
	}
}

// spf is what others find when we send in a domain's name.
func (a *asking) spf(ctx context.Context, c *config.Config, p *doctor.Policy) {
	if len(a.facts.Addresses) == 0 {
		return
	}
	r, err := dnscheck.New(dnscheck.Config{Servers: c.Resolver})
	if err != nil {
		return
	}
	defer r.Close()
	for domain, texts := range a.facts.SPF {
		if len(texts.Values) == 0 {
			continue
		}
		if result, err := r.SPF(ctx, a.facts.Addresses[0], p.Gateway, "postmaster@"+domain); err == nil {
			a.facts.SPFResult[domain] = result.Result
		}
	}
}

// publicAddresses are those of this machine's that the Internet sees.
func publicAddresses() (all []netip.Addr) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, f := range found {
		p, err := netip.ParsePrefix(f.String())
		if err != nil {
			continue
		}
		if a := p.Addr().Unmap(); a.IsGlobalUnicast() && !a.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(a) {
			all = append(all, a)
		}
	}
	return all
}

// reversed is an address as the beginning of a name in a list (RFC 5782 section 2).
func reversed(a netip.Addr) string {
	var b strings.Builder
	if a.Is4() {
		o := a.As4()
		for _, n := range []byte{o[3], o[2], o[1], o[0]} {
			b.WriteString(netip.AddrFrom4([4]byte{0, 0, 0, n}).String()[len("0.0.0."):])
			b.WriteByte('.')
		}
		return b.String()
	}
	const hex = "0123456789abcdef"
	o := a.As16()
	for n := 15; n >= 0; n-- {
		b.Write([]byte{hex[o[n]&15], '.', hex[o[n]>>4], '.'})
	}
	return b.String()
}
