package mailauth

import (
	"context"
	"errors"
	"net"
	"net/mail"
	"strings"

	"github.com/emersion/go-msgauth/dmarc"
	"golang.org/x/net/publicsuffix"

	ourmail "github.com/tollgate-mail/tollgate/internal/mail"
)

// Evaluation is what DMARC says of a message.
type Evaluation struct {
	Result string // none, pass, fail, temperror, permerror
	From   string // the domain of the author
	// Policy is what the domain asks for of mail that fails: none, quarantine,
	// reject; "" without a record.
	Policy string
}

// Evidence is what DMARC builds on.
type Evidence struct {
	From       []string    // the values of all From fields, as received
	SPF        string      // result of RFC 7208
	SPFDomain  string      // that it was for: of MAIL FROM, or of HELO for the null sender
	Signatures []Signature // of DKIM
}

// DMARC evaluates a message (RFC 7489 §6.6.2).
func DMARC(ctx context.Context, e Evidence, lookup Lookup) Evaluation {
	domain, ok := author(e.From)
	if !ok {
		// RFC 7489 §6.6.1: no author, or authors of several domains.
		return Evaluation{Result: Permerror}
	}
	out := Evaluation{From: domain}
	record, policy, err := discover(ctx, domain, lookup)
	switch {
	case errors.Is(err, dmarc.ErrNoPolicy):
		out.Result = None
		return out
	case err != nil && (dmarc.IsTempFail(err) || ctx.Err() != nil):
		out.Result = Temperror
		return out
	case err != nil:
		out.Result = Permerror
		return out
	}
	out.Policy = policy
	out.Result = aligned(domain, record, e)
	return out
}

// aligned is pass when one identity that passed is aligned with the author's
// domain (RFC 7489 §3.1), temperror when one might.
func aligned(domain string, record *dmarc.Record, e Evidence) string {
	result := Fail
	if alike(domain, e.SPFDomain, record.SPFAlignment) {
		switch e.SPF {
		case Pass:
			return Pass
		case Temperror:
			result = Temperror
		}
	}
	for _, s := range e.Signatures {
		if !alike(domain, s.Domain, record.DKIMAlignment) {
			continue
		}
		switch s.Result {
		case Pass:
			return Pass
		case Temperror:
			result = Temperror
		}
	}
	return result
}

func alike(author, other string, mode dmarc.AlignmentMode) bool {
	other = ourmail.FoldDomain(other)
	if other == "" {
		return false
	}
	return author == other || mode != dmarc.AlignmentStrict && organisation(author) == organisation(other)
}

// organisation is the organisational domain (RFC 7489 §3.2): one label more
// than the public suffix; of a public suffix, itself.
func organisation(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

// discover finds the record of a domain, or of its organisation, and the policy
// it has for the domain (RFC 7489 §6.6.3).
func discover(ctx context.Context, domain string, lookup Lookup) (*dmarc.Record, string, error) {
	options := &dmarc.LookupOptions{LookupTXT: func(name string) ([]string, error) {
		all, err := lookup(ctx, name)
		return single(all), err
	}}
	record, err := dmarc.LookupWithOptions(domain, options)
	if err == nil {
		return record, string(record.Policy), nil
	}
	org := organisation(domain)
	if !errors.Is(err, dmarc.ErrNoPolicy) || org == domain {
		return nil, "", err
	}
	record, err = dmarc.LookupWithOptions(org, options)
	if err != nil {
		return nil, "", err
	}
	if record.SubdomainPolicy != "" {
		return record, string(record.SubdomainPolicy), nil
	}
	return record, string(record.Policy), nil
}

// single keeps the one record that is DMARC's; of several, none applies
// (RFC 7489 §6.6.3, steps 2 and 5).
func single(all []string) []string {
	var records []string
	for _, txt := range all {
		version, _, _ := strings.Cut(txt, ";")
		if strings.EqualFold(strings.ReplaceAll(version, " ", ""), "v=DMARC1") {
			records = append(records, txt)
		}
	}
	if len(records) != 1 {
		return nil
	}
	return records
}

// author is the one domain of the From field, folded; not ok where there is
// none or more than one.
func author(from []string) (string, bool) {
	if len(from) != 1 {
		return "", false
	}
	domain := ""
	for _, address := range addresses(from[0]) {
		_, d := ourmail.SplitAddress(address)
		d = ourmail.FoldDomain(d)
		if d == "" || domain != "" && d != domain {
			return "", false
		}
		domain = d
	}
	return domain, domain != "" && net.ParseIP(strings.Trim(domain, "[]")) == nil
}

// addresses are those of a From field. What does not parse as RFC 5322 has it
// is read as mail programs do: what stands in angle brackets, else the words
// with an at sign.
func addresses(field string) []string {
	field = strings.TrimSpace(strings.NewReplacer("\r\n", "", "\n", "").Replace(field))
	if list, err := mail.ParseAddressList(field); err == nil {
		all := make([]string, len(list))
		for i, a := range list {
			all[i] = a.Address
		}
		return all
	}
	var all []string
	rest := field
	for {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			break
		}
		inside, next, ok := strings.Cut(after, ">")
		if !ok {
			break
		}
		if strings.Contains(inside, "@") {
			all = append(all, strings.TrimSpace(inside))
		}
		rest = next
	}
	if len(all) > 0 {
		return all
	}
	for _, word := range strings.FieldsFunc(field, func(r rune) bool { return strings.ContainsRune(" \t,;()\"'<>", r) }) {
		if strings.Contains(word, "@") {
			all = append(all, word)
		}
	}
	return all
}
