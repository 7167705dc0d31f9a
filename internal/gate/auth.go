package gate

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/mailauth"
	"github.com/tollgate-mail/tollgate/internal/results"
	"github.com/tollgate-mail/tollgate/rules"
)

// authTimeout is how long all keys and records of one message may take.
const authTimeout = 15 * time.Second

// authenticated is what DKIM and DMARC say of a message, each found once.
type authentication struct {
	checked    bool
	signatures []mailauth.Signature
	err        error // the signatures could not be checked

	dmarc *mailauth.Evaluation
}

// dkim verifies the message's signatures.
func (m *Message) dkim(ctx context.Context) ([]mailauth.Signature, error) {
	a := &m.auth
	if a.checked {
		return a.signatures, a.err
	}
	a.checked = true
	if m.header.Count("DKIM-Signature") == 0 {
		return nil, nil
	}
	if m.stash == nil || m.j.DNS == nil {
		a.err = errUninspected
		return nil, a.err
	}
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	a.signatures, a.err = mailauth.VerifyDKIM(ctx, walk(ctx), m.stash.Open(ctx), m.j.DNS.LookupTXT)
	return a.signatures, a.err
}

// dkimValue is the best result.
func (m *Message) dkimValue(ctx context.Context) (rules.Value, error) {
	all, err := m.dkim(ctx)
	if err != nil {
		m.s.g.Log.Info("DKIM cannot be checked", "ref", m.ref, "error", err)
		return rules.EnumValue(results.TempError), nil
	}
	return rules.EnumValue(mailauth.Best(all)), nil
}

// dmarc evaluates what the author's domain says.
func (m *Message) dmarc(ctx context.Context) *mailauth.Evaluation {
	if m.auth.dmarc != nil {
		return m.auth.dmarc
	}
	e := mailauth.Evidence{SPFDomain: m.spfDomain()}
	for _, f := range m.header.Fields {
		if strings.EqualFold(f.Name, "From") {
			e.From = append(e.From, f.Value)
		}
	}
	spf, _ := m.lookups.Answer(ctx, &m.s.group, rules.Key{Attr: rules.SPF}, m.question)
	e.SPF = results.Auth(spf.Text)
	var err error
	if e.Signatures, err = m.dkim(ctx); err != nil {
		// They may be good: whoever they are of, the message cannot fail for
		// want of them.
		m.auth.dmarc = &mailauth.Evaluation{Result: results.TempError}
		return m.auth.dmarc
	}
	if m.j.DNS == nil {
		return &mailauth.Evaluation{Result: results.TempError}
	}
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	found := mailauth.DMARC(ctx, e, m.j.DNS.LookupTXT)
	m.auth.dmarc = &found
	return m.auth.dmarc
}

// spfDomain is the domain that SPF is about: of the sender or, for the null
// sender, the name in HELO (RFC 7208 §2.4).
func (m *Message) spfDomain() string {
	if m.from.Null() {
		return m.s.helo
	}
	return m.from.Domain
}

// authResults adds the field that tells what was found, where the policy asks
// for any of it (RFC 8601): at the top, with the fields of the same hop.
func (m *Message) authResults(ctx context.Context, edits []Edit) []Edit {
	if m.outbound() || m.j.DNS == nil {
		return edits
	}
	var r mailauth.Results
	if m.j.tells.spf {
		spf, err := m.lookups.Answer(ctx, &m.s.group, rules.Key{Attr: rules.SPF}, m.question)
		if err == nil && spf.Known {
			r.SPF, r.SPFSender = results.Auth(spf.Text), m.from.ASCII()
			if m.from.Null() {
				r.SPFHelo = m.s.helo
			}
		}
	}
	if m.j.tells.dkim {
		v, _ := m.dkimValue(ctx)
		r.DKIM, r.Signatures = results.Auth(v.Text), m.auth.signatures
	}
	if m.j.tells.dmarc {
		r.DMARC = m.dmarc(ctx)
	}
	if value := r.Value(m.j.Gateway); value != "" {
		edits = append(edits, Edit{Kind: InsertField, Index: 0, Name: mailauth.FieldName, Value: value})
	}
	return edits
}

// forgedResults removes Authentication-Results that say they are ours, from the
// highest index down (RFC 8601 §5).
func (m *Message) forgedResults(edits []Edit) []Edit {
	n := m.header.Count(mailauth.FieldName)
	if n == 0 {
		return edits
	}
	for i := len(m.header.Fields) - 1; i >= 0; i-- {
		f := m.header.Fields[i]
		if !strings.EqualFold(f.Name, mailauth.FieldName) {
			continue
		}
		if mailauth.IsOf(f.Value, m.j.Gateway) {
			edits = append(edits, Edit{Kind: DeleteField, Name: mailauth.FieldName, Index: n})
		}
		n--
	}
	return edits
}

// dkimDomains are the domains of signatures that are good.
func (m *Message) dkimDomains(ctx context.Context) (rules.Value, error) {
	signatures, err := m.dkim(ctx)
	if err != nil {
		return rules.Value{}, err
	}
	var domains []string
	for _, s := range signatures {
		if s.Result == results.Pass && !slices.Contains(domains, s.Domain) {
			domains = append(domains, s.Domain)
		}
	}
	return rules.TextValues(domains), nil
}
