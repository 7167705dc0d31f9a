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
// list of public suffixes, not by asking for the records of every domain above:
// that would be up to eight questions for each identity of a message, and says
// the same but for the few records with psd. And two records of the author's
// domain mean that it has none that could be applied (RFC 7489 §6.6.3, step 5):
// the one of its organization is not taken in their place. pct and ri are gone.
func DMARC(ctx context.Context, e Evidence, lookup Lookup) Evaluation {
	domain, ok := author(e.From)
	if !ok {
		// RFC 9989 §5.3.1: no author, or authors of several domains.
		return Evaluation{Result: results.PermError}
	}
	out := Evaluation{From: domain}
	found, policy, err := discover(ctx, domain, lookup)
	switch {
	case err != nil:
		out.Result = results.TempError
		return out
	case policy == "":
		out.Result = results.None
		return out
	}
	out.Policy = policy
	out.Result = aligned(domain, found, e)
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
// suffix above, and the policy it has for the domain: "" where DMARC does not
// apply (RFC 9989 §4.10.1). An error is a passing one.
func discover(ctx context.Context, domain string, lookup Lookup) (record, results.DMARCPolicy, error) {
	texts, err := recordsOf(ctx, domain, lookup)
	if err != nil || len(texts) > 1 {
		return record{}, "", err
	}
	if len(texts) == 1 {
		r, ok := parseRecord(texts[0])
		if !ok {
			return record{}, "", nil
		}
		return r, r.asked(itself), nil
	}
	org := organisation(domain)
	suffix, _ := publicsuffix.PublicSuffix(domain)
	for _, above := range []string{org, suffix} {
		if above == domain {
			continue
		}
		texts, err := recordsOf(ctx, above, lookup)
		if err != nil {
			return record{}, "", err
		}
		if len(texts) != 1 {
			continue // of several, all are discarded (RFC 9989 §4.10, 6)
		}
		r, ok := parseRecord(texts[0])
		if !ok || above == suffix && !r.suffix {
			return record{}, "", nil
		}
		of := subdomain
		if r.missing != "" && r.asked(missing) != r.asked(subdomain) {
			// Whether there is such a name is asked only where it matters.
			gone, err := absent(ctx, domain, lookup)
			if err != nil {
				return record{}, "", err
			}
			if gone {
				of = missing
			}
		}
		return r, r.asked(of), nil
	}
	return record{}, "", nil
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
