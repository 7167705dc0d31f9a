package gate

import (
	"context"
	"net/netip"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/rules"
)

// temperror is the name that enumerations have for what cannot be had now.
const temperror = "temperror"

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
func (s *Session) question(k rules.Key) question {
	dns, client := s.j.DNS, s.peer.Addr
	if k.Attr != rules.DNSBL || !client.IsValid() || dns == nil {
		return nil
	}
	return func(ctx context.Context) (rules.Value, error) {
		found, err := dns.Listed(ctx, k.Name, client)
		return listing(found), err
	}
}

// listing is what a DNS list has answered. Where it does not serve us, that
// nothing is listed is not known.
func listing(found []netip.Addr) rules.Value {
	var v rules.Value
	for _, a := range found {
		if dnscheck.Refuses(a) {
			v.Refused, v.Partial = append(v.Refused, a), true
		} else {
			v.IPs = append(v.IPs, a)
		}
	}
	return v
}

// question is what DNS has to be asked for a key of the message, nil for
// nothing.
func (m *Message) question(k rules.Key) question {
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
				result = temperror
			}
			return rules.EnumValue(result), nil
		}
	case rules.SenderDNSBL:
		domain := m.from.Domain
		if domain == "" {
			return nil
		}
		return func(ctx context.Context) (rules.Value, error) {
			found, err := dns.ListedDomain(ctx, k.Name, domain)
			return listing(found), err
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
				r.Result = temperror
			}
			return rules.EnumValue(r.Result), nil
		}
	}
	return nil
}

// answered has the value of a key, asking for it now if nobody has before.
func answered(ctx context.Context, a *asking, l *lookups, k rules.Key, ask func(rules.Key) question) (rules.Value, error) {
	l.begin(ctx, a, []rules.Key{k}, ask)
	if one := (*l)[k]; one != nil {
		return one.wait(ctx)
	}
	return rules.Value{}, nil // there is nothing to ask for
}
