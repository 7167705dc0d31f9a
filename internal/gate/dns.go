package gate

import (
	"context"
	"net/netip"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate/lookup"
	"github.com/tollgate-mail/tollgate/internal/results"
	"github.com/tollgate-mail/tollgate/rules"
)

// DNS answers what policies ask of it. Each call has its own deadline; an error
// is a passing fault.
type DNS interface {
	// SenderMX is about the sender's address.
	SenderMX(ctx context.Context, sender string) (results.MX, error)
	// Listed and ListedDomain have the addresses that a DNS list answers with,
	// none where it does not have the client or domain.
	Listed(ctx context.Context, zone string, client netip.Addr) ([]netip.Addr, error)
	ListedDomain(ctx context.Context, zone, domain string) ([]netip.Addr, error)
	SPF(ctx context.Context, client netip.Addr, helo, sender string) (dnscheck.SPFResult, error)
	// LookupTXT is a mailauth.Lookup.
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// knownAt are the keys whose questions can be put as soon as the client, or the
// sender, is known: those of attributes known at a stage, up to another.
func knownAt(keys []rules.Key, from, to rules.Stage) []rules.Key {
	var some []rules.Key
	for _, k := range keys {
		if at := k.Attr.Stage(); from <= at && at <= to {
			some = append(some, k)
		}
	}
	return some
}

// NeedsDNS tells whether a rule asks for what DNS tells.
func (p *Settings) NeedsDNS() bool { return len(p.Rules.Asks(rules.AsksDNS)) > 0 }

// question is what DNS has to be asked for a key of the session, nil for
// nothing.
func (s *Session) question(k rules.Key) lookup.Question {
	dns, client := s.j.DNS, s.peer.Addr
	if k.Attr != rules.DNSBL || !client.IsValid() || dns == nil {
		return nil
	}
	return func(ctx context.Context) (rules.Value, error) {
		found, err := dns.Listed(ctx, k.Name, client)
		return listing(found, err), err
	}
}

// listing is what a DNS list has answered: Known, if nothing is listed. Where it
// does not serve us, that nothing is listed is not known.
func listing(found []netip.Addr, err error) rules.Value {
	v := rules.Value{Known: err == nil}
	for _, a := range found {
		if dnscheck.Refuses(a) {
			v.Refused, v.Partial, v.Known = append(v.Refused, a), true, false
		} else {
			v.IPs = append(v.IPs, a)
		}
	}
	return v
}

// question is what DNS has to be asked for a key of the message, nil for
// nothing.
func (m *Message) question(k rules.Key) lookup.Question {
	dns, sender, log, ref := m.j.DNS, m.from.ASCII(), m.s.g.Log, m.ref
	if dns == nil {
		return nil
	}
	switch k.Attr {
	case rules.SenderMX:
		return func(ctx context.Context) (rules.Value, error) {
			result, err := dns.SenderMX(ctx, sender)
			if err != nil {
				log.Info("a sender's MX cannot be found", "ref", ref, "error", err)
				result = results.MXTempError
			}
			return rules.EnumValue(result), nil
		}
	case rules.SenderDNSBL:
		domain := m.from.Domain
		if domain == "" { // on no list
			return func(context.Context) (rules.Value, error) { return rules.Value{Known: true}, nil }
		}
		return func(ctx context.Context) (rules.Value, error) {
			found, err := dns.ListedDomain(ctx, k.Name, domain)
			return listing(found, err), err
		}
	case rules.SPF:
		client, helo := m.s.peer.Addr, m.s.helo
		if !client.IsValid() {
			return nil
		}
		return func(ctx context.Context) (rules.Value, error) {
			r, err := dns.SPF(ctx, client, helo, sender)
			if err != nil {
				log.Info("SPF cannot be checked", "ref", ref, "error", err)
				r.Result = results.TempError
			}
			return rules.EnumValue(r.Result), nil
		}
	}
	return nil
}
