package gate

import (
	"context"
	"math"
	stdmail "net/mail"
	"net/netip"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/gate/header"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/rules"
)

// facts answers the rules' questions of a session and, from MAIL on, of a
// message. An attribute more is one more line here.
type facts struct {
	s *Session
	m *Message // nil before MAIL
}

// Value implements rules.Facts.
func (f facts) Value(ctx context.Context, k rules.Key) (rules.Value, error) {
	s, m := f.s, f.m
	switch k.Attr {
	case rules.ClientIP:
		return ipValue(s.peer.Addr), nil
	case rules.ClientHost:
		return rules.TextValue(s.peer.Host), nil
	case rules.ClientResolve:
		return rules.EnumValue(s.peer.Resolve), nil
	case rules.DNSBL:
		return s.lookups.Answer(ctx, &s.group, k, s.question)
	case rules.HeloName:
		return rules.Value{Known: s.greeted, Text: s.helo}, nil
	case rules.RuleName:
		return rules.TextValues(f.matched()), nil
	}
	if m == nil {
		return rules.Value{}, nil
	}
	switch k.Attr {
	case rules.TLS:
		return rules.BoolValue(m.env.TLSVersion != ""), nil
	case rules.TLSVersion:
		return rules.Value{Known: m.env.TLSVersion != "", Text: m.env.TLSVersion}, nil
	case rules.Authenticated:
		return rules.BoolValue(m.authenticated()), nil
	case rules.AuthUser:
		return rules.Value{Known: m.authenticated(), Text: m.env.AuthUser}, nil
	case rules.Direction:
		return rules.EnumValue(m.direction()), nil
	case rules.Sender:
		return textsValue(m.from.texts()), nil
	case rules.SenderDomain:
		return textsValue(m.from.domains()), nil
	case rules.DeclaredSize:
		if m.env.Size < 0 {
			return rules.Value{}, nil
		}
		return rules.NumberValue(m.env.Size), nil
	case rules.Recipient:
		return m.ofRecipients((*recipient).texts), nil
	case rules.RecipientDomain:
		return m.ofRecipients(func(r *recipient) []string { return r.domains() }), nil
	case rules.RecipientClient:
		return m.ofRecipients((*recipient).clients), nil
	case rules.RecipientCount:
		return rules.NumberValue(int64(m.asked)), nil
	case rules.Correspondent:
		return m.correspondent(ctx)
	case rules.Subject:
		all := m.subjects()
		if len(all) == 0 {
			return rules.Value{}, nil
		}
		return rules.Value{Known: true, Text: all[0], Texts: all[1:]}, nil
	case rules.HeaderField:
		texts := m.header.Decoded(k.Name)
		if !mail.IsAddressField(k.Name) {
			return rules.TextValues(texts), nil
		}
		v := rules.TextValues(append(texts, m.header.Spellings(k.Name)...))
		v.Mailboxes = header.Addresses(m.header.Mailboxes(k.Name))
		return v, nil
	case rules.Author:
		return rules.TextValues(m.header.Texts("From")), nil
	case rules.AuthorDomain:
		return rules.TextValues(m.header.Domains("From")), nil
	case rules.AuthorName:
		return rules.TextValues(m.header.Names("From")), nil
	case rules.ReplyToDomain:
		return rules.TextValues(m.header.Domains("Reply-To")), nil
	case rules.RawHeaderField:
		return rules.TextValues(m.header.Raw(k.Name)), nil
	case rules.HeaderIP:
		return rules.IPValues(m.header.Trace()), nil
	case rules.Size:
		return rules.NumberValue(m.size()), nil
	case rules.HeaderCount:
		if k.Name == "*" {
			return rules.NumberValue(int64(len(m.header.Fields))), nil
		}
		return rules.NumberValue(int64(m.header.Count(k.Name))), nil
	case rules.DateSkew:
		return m.dateSkew(), nil
	case rules.AttachmentCount:
		p := m.inspection.attachments(ctx)
		return p.number(p.files.Count)
	case rules.AttachmentSize:
		p := m.inspection.attachments(ctx)
		return p.number(p.files.Largest)
	case rules.DKIMDomain:
		return m.auth.dkimDomains(ctx)
	case rules.DKIM:
		return m.auth.dkimResult(ctx)
	case rules.DMARC:
		return rules.EnumValue(m.auth.dmarc(ctx).Result), nil
	case rules.DMARCPolicy:
		return rules.EnumValue(m.auth.dmarc(ctx).Policy), nil
	case rules.AttachmentName:
		p := m.inspection.attachments(ctx)
		return p.value(p.names)
	case rules.AttachmentType:
		p := m.inspection.attachments(ctx)
		return p.value(p.types)
	case rules.MIMEDefects:
		p := m.inspection.attachments(ctx)
		return rules.TextValues(p.defects), p.err
	case rules.Virus:
		return m.inspection.virus()
	case rules.ModuleScore, rules.ModuleSymbol, rules.ModuleAction, rules.ModuleText, rules.ModuleHiddenText, rules.ModuleURL,
		rules.ModuleURLDomain:
		return m.inspection.moduleValue(k)
	}
	return m.lookups.Answer(ctx, &s.group, k, m.question)
}

func ipValue(a netip.Addr) rules.Value {
	if !a.IsValid() {
		return rules.Value{}
	}
	return rules.IPValues([]netip.Addr{a})
}

// Work implements rules.Facts: what matching, and reading the header for it, may
// cost for the message, over all its stages and recipients. Before MAIL each
// stage has that much: its texts are short.
func (f facts) Work() *budget.Budget {
	if f.m == nil {
		return rules.Work()
	}
	return f.m.work
}

// newWork is the work of a message: what its rules match, and what is read of its
// header for them.
func (j *prepared) newWork() *budget.Budget {
	return budget.New(context.Background(), j.Limits.of(RuleWork), math.MaxInt64)
}

// walk is what reading the parts of a message may cost.
func walk(ctx context.Context) *budget.Budget { return budget.Proportional(ctx, math.MaxInt64) }

// matched are the rules that matched with effect in earlier stages.
func (f facts) matched() []string {
	if f.m != nil {
		return f.m.names()
	}
	var names []string
	for _, said := range [...]*scope{&f.s.atConnect, &f.s.atHelo} {
		for _, h := range said.hits {
			if !h.Temperror && !h.Rule.Shadow {
				names = append(names, h.Rule.Name)
			}
		}
	}
	return names
}

// dateSkew is how many seconds the Date field is ahead of now; below zero it is
// in the past. A date that cannot be read is none.
func (m *Message) dateSkew() rules.Value {
	all := m.header.First("Date")
	if len(all) == 0 {
		return rules.Value{}
	}
	// RFC 5322 §3.3 and §4.3, comments after the zone included.
	date, err := stdmail.ParseDate(all[0])
	if err != nil {
		return rules.Value{}
	}
	return rules.NumberValue(int64(date.Sub(m.s.g.Now()).Seconds()))
}
