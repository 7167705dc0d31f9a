package mailauth

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/tollgate-mail/tollgate/internal/address"
	ourmail "github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/results"
)

// Evaluation is what DMARC says of a message.
type Evaluation struct {
	Result results.Auth
	From   string // the domain of the author
	// Policy is what the domain asks for of mail that fails; "" without a record.
	Policy results.DMARCPolicy
}

// Evidence is what DMARC builds on.
type Evidence struct {
	From       []string // the values of all From fields, as received
	SPF        results.Auth
	SPFDomain  string      // that it was for: of MAIL FROM, or of HELO for the null sender
	Signatures []Signature // of DKIM
}

// DMARC evaluates a message as RFC 9989 has it, which replaces RFC 7489. We
// follow the older one in two things. The organizational domain is found by the
// list of public suffixes, not by asking for the records of every domain above: that
// would be up to eight questions for each identity of a message. It says the same but
// where a record has psd, where none stands at the organization (a subdomain that has
// one is then an organization of its own), and at suffixes of companies, such as
// hosts of pages, that have a record: it is not that of their customers here. And two records of the author's
// domain mean that it has none that could be applied (RFC 7489 §6.6.3, step 5):
// the one of its organization is not taken in their place. pct and ri are gone.
func DMARC(ctx context.Context, e Evidence, lookup Lookup) Evaluation {
	domain, ok := author(e.From)
	if !ok {
		// RFC 9989 §5.3.1: no author, or authors of several domains.
		return Evaluation{Result: results.PermError}
	}
	out := Evaluation{From: domain}
	found, of, ok, err := discover(ctx, domain, lookup)
	switch {
	case err != nil:
		out.Result = results.TempError
		return out
	case !ok:
		out.Result = results.None
		return out
	}
	out.Policy, out.Result = found.asked(of), aligned(domain, found, e)
	if of != subdomain || out.Result == results.Pass || found.asked(missing) == out.Policy {
		return out
	}
	// Whether there is such a name is asked only where it matters: of mail that has not
	// passed, and for which the record asks something else then.
	switch gone, err := absent(ctx, domain, lookup); {
	case err != nil:
		out.Policy, out.Result = "", results.TempError
	case gone:
		out.Policy = found.asked(missing)
	}
	return out
}

// aligned is pass when one identity that passed is aligned with the author's
// domain (RFC 9989 §4.4), temperror when one might.
func aligned(domain string, r record, e Evidence) results.Auth {
	result := results.Fail
	if alike(domain, e.SPFDomain, r.strictSPF) {
		switch e.SPF {
		case results.Pass:
			return results.Pass
		case results.TempError:
			result = results.TempError
		}
	}
	for _, s := range e.Signatures {
		if !alike(domain, s.Domain, r.strictDKIM) {
			continue
		}
		switch s.Result {
		case results.Pass:
			return results.Pass
		case results.TempError:
			result = results.TempError
		}
	}
	return result
}

func alike(author, other string, strict bool) bool {
	other = address.FoldDomain(other)
	if other == "" {
		return false
	}
	return author == other || !strict && organisation(author) == organisation(other)
}

// organisation is the organizational domain (RFC 7489 §3.2): one label more
// than the public suffix; of a public suffix, itself.
func organisation(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

// discover finds the record of a domain, of its organization or of the public
// suffix above, and what the domain is to where it stands; not ok where DMARC does not
// apply (RFC 9989 §4.10.1). An error is a passing one.
func discover(ctx context.Context, domain string, lookup Lookup) (r record, of relation, ok bool, err error) {
	texts, err := recordsOf(ctx, domain, lookup)
	if err != nil || len(texts) > 1 {
		return record{}, itself, false, err
	}
	if len(texts) == 1 {
		r, ok = parseRecord(texts[0])
		return r, itself, ok, nil
	}
	org := organisation(domain)
	suffix, _ := publicsuffix.PublicSuffix(domain)
	for _, above := range []string{org, suffix} {
		if above == domain {
			continue
		}
		texts, err := recordsOf(ctx, above, lookup)
		if err != nil {
			return record{}, itself, false, err
		}
		if len(texts) != 1 {
			continue // of several, all are discarded (RFC 9989 §4.10, 6)
		}
		r, ok = parseRecord(texts[0])
		return r, subdomain, ok && (above != suffix || r.suffix), nil
	}
	return record{}, itself, false, nil
}

// absent tells whether there is no such domain, as RFC 8020 has it: nothing at the
// name nor below it (RFC 9989 §3.2).
func absent(ctx context.Context, domain string, lookup Lookup) (bool, error) {
	_, err := lookup(ctx, domain)
	var missing *net.DNSError
	if err != nil && ctx.Err() == nil && errors.As(err, &missing) && missing.IsNotFound {
		return true, nil
	}
	return false, err
}

// recordsOf are the DMARC records of a domain.
func recordsOf(ctx context.Context, domain string, lookup Lookup) ([]string, error) {
	all, err := lookup(ctx, "_dmarc."+domain)
	var missing *net.DNSError
	if err != nil && ctx.Err() == nil && errors.As(err, &missing) && missing.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(text string) bool { return !isRecord(trim(text)) }), nil
}

// author is the one domain of the From field, in A-labels; not ok where there is
// none or more than one (RFC 9989 §5.3.1).
func author(from []string) (string, bool) {
	if len(from) != 1 {
		return "", false
	}
	domain := ""
	for _, m := range ourmail.ParseMailboxes(nil, from[0]) {
		if domain != "" && m.Domain != domain {
			return "", false
		}
		domain = m.Domain
	}
	return domain, domain != "" && !strings.HasPrefix(domain, "[") && net.ParseIP(domain) == nil
}
