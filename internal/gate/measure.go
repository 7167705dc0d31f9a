package gate

import (
	"context"
	"net/mail"
	"slices"

	ours "github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/mailauth"
	"github.com/tollgate-mail/tollgate/rules"
)

// matched are the rules that matched with effect in earlier stages.
func (f facts) matched() []string {
	if f.m != nil {
		return f.m.names()
	}
	var names []string
	for _, said := range [...]*said{&f.s.atConnect, &f.s.atHelo} {
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
	all := m.head.first("Date")
	if len(all) == 0 {
		return rules.Value{}
	}
	// RFC 5322 §3.3 and §4.3, comments after the zone included.
	date, err := mail.ParseDate(all[0])
	if err != nil {
		return rules.Value{}
	}
	return rules.NumberValue(int64(date.Sub(m.s.g.Now()).Seconds()))
}

// files is how many files the message has, and the octets of the largest, once
// decoded. They are counted once, when a rule asks.
func (m *Message) files(ctx context.Context, number func(*ours.FileCount) int64) (rules.Value, error) {
	if m.fileCount == nil {
		if m.stash == nil {
			return rules.Value{}, errUninspected
		}
		c, err := ours.CountFiles(walk(ctx), m.stash.Open(ctx))
		if err != nil {
			return rules.Value{}, err
		}
		m.fileCount = &c
	}
	v := rules.NumberValue(number(m.fileCount))
	v.Partial = m.fileCount.Partial
	return v, nil
}

// dkimDomains are the domains of signatures that are good.
func (m *Message) dkimDomains(ctx context.Context) (rules.Value, error) {
	signatures, err := m.dkim(ctx)
	if err != nil {
		return rules.Value{}, err
	}
	var domains []string
	for _, s := range signatures {
		if s.Result == mailauth.Pass && !slices.Contains(domains, s.Domain) {
			domains = append(domains, s.Domain)
		}
	}
	return rules.TextValues(domains), nil
}
