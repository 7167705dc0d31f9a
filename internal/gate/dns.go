package gate

import (
	"context"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/rules"
)

// temperror is the name that enumerations have for what cannot be had now.
const temperror = "temperror"

// keysOf are the keys of attributes that rules of any stage ask for.
func keysOf(p *rules.Policy, attributes ...rules.Attr) []rules.Key {
	var keys []rules.Key
	have := make(map[rules.Key]bool)
	for stage := rules.Connect; stage <= rules.Inspected; stage++ {
		for _, k := range p.Keys(stage) {
			for _, a := range attributes {
				if k.Attr == a && !have[k] {
					have[k] = true
					keys = append(keys, k)
				}
			}
		}
	}
	return keys
}

// NeedsDNS tells whether a rule asks for what DNS tells.
func (p *Policy) NeedsDNS() bool {
	for _, a := range []rules.Attr{
		rules.DNSBL, rules.SenderMX, rules.SenderDNSBL, rules.SPF, rules.DKIM, rules.DMARC, rules.DMARCPolicy,
	} {
		if p.Rules.Uses(a) {
			return true
		}
	}
	return false
}

// question is what DNS has to be asked for a key of the session, nil for
// nothing.
func (s *Session) question(k rules.Key) func(context.Context) (rules.Value, error) {
	if k.Attr != rules.DNSBL || !s.peer.Addr.IsValid() || s.j.DNS == nil {
		return nil
	}
	return func(ctx context.Context) (rules.Value, error) {
		found, err := s.j.DNS.Listed(ctx, k.Name, s.peer.Addr)
		return rules.IPValues(found), err
	}
}

// question is what DNS has to be asked for a key of the message, nil for
// nothing.
func (m *Message) question(k rules.Key) func(context.Context) (rules.Value, error) {
	if m.j.DNS == nil {
		return nil
	}
	switch k.Attr {
	case rules.SenderMX:
		return func(ctx context.Context) (rules.Value, error) {
			result, err := m.j.DNS.SenderMX(ctx, m.env.Sender)
			if err != nil {
				m.s.g.Log.Info("a sender's MX cannot be found", "ref", m.ref, "error", err)
				result = temperror
			}
			return rules.EnumValue(result), nil
		}
	case rules.SenderDNSBL:
		_, domain := mail.SplitAddress(m.env.Sender)
		if domain == "" {
			return nil
		}
		return func(ctx context.Context) (rules.Value, error) {
			found, err := m.j.DNS.ListedDomain(ctx, k.Name, mail.FoldDomain(domain))
			return rules.IPValues(found), err
		}
	case rules.SPF:
		if !m.s.peer.Addr.IsValid() {
			return nil
		}
		helo := m.s.helo // the client may say another one while this runs
		return func(ctx context.Context) (rules.Value, error) {
			r, err := m.j.DNS.SPF(ctx, m.s.peer.Addr, helo, m.env.Sender)
			if err != nil {
				m.s.g.Log.Info("SPF cannot be checked", "ref", m.ref, "error", err)
				r.Result = temperror
			}
			return rules.EnumValue(r.Result), nil
		}
	}
	return nil
}

// answered has the value of a key, asking for it now if nobody has before.
func answered(ctx context.Context, l *lookups, k rules.Key, ask func(rules.Key) func(context.Context) (rules.Value, error)) (rules.Value, error) {
	l.begin(ctx, []rules.Key{k}, ask)
	if one := (*l)[k]; one != nil {
		return one.wait(ctx)
	}
	return rules.Value{}, nil // there is nothing to ask for
}
