package mailauth

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/results"
)

// record is what counts of a DMARC record (RFC 9989 §4.7).
type record struct {
	policy, subdomains, missing results.DMARCPolicy // p, sp and np; "" where one of the latter lacks
	strictDKIM, strictSPF, test bool                // adkim, aspf, t
	suffix                      bool                // psd=y: of a public suffix
}

// isRecord tells whether a text is a DMARC record of the version we know: all
// others are no records at all (RFC 9989 §4.7, v).
func isRecord(text string) bool {
	tag, _, _ := strings.Cut(text, ";")
	name, value, ok := strings.Cut(tag, "=")
	return ok && strings.EqualFold(trim(name), "v") && trim(value) == "DMARC1"
}

// parseRecord reads a record. What is wrong in it is as if it were not there
// (RFC 9989 §4.8), but for the policies: a record without one that is valid asks
// for reports alone, where it has an address for them (§4.10.1). It is not ok
// where DMARC is not to be applied at all.
func parseRecord(text string) (r record, ok bool) {
	seen := make(map[string]bool)
	valid, reports, policies := false, false, results.DMARCPolicies()
	broken := false
	tags := strings.Split(text, ";")
	for _, tag := range tags[1:] {
		name, value, found := strings.Cut(tag, "=")
		name = strings.ToLower(trim(name))
		if value = trim(value); !found || seen[name] {
			continue
		}
		seen[name] = true
		lower := strings.ToLower(value)
		switch name {
		case "p":
			if slices.Contains(policies, lower) {
				r.policy, valid = results.DMARCPolicy(lower), true
			}
		case "sp":
			if broken = broken || !slices.Contains(policies, lower); !broken {
				r.subdomains = results.DMARCPolicy(lower)
			}
		case "np":
			if broken = broken || !slices.Contains(policies, lower); !broken {
				r.missing = results.DMARCPolicy(lower)
			}
		case "adkim":
			r.strictDKIM = lower == "s"
		case "aspf":
			r.strictSPF = lower == "s"
		case "t":
			r.test = lower == "y"
		case "psd":
			r.suffix = lower == "y"
		case "rua":
			for _, one := range strings.Split(value, ",") {
				u, err := url.Parse(trim(one))
				reports = reports || err == nil && u.Scheme != "" && (u.Opaque != "" || u.Host != "")
			}
		}
	}
	if valid && !broken {
		return r, true
	}
	r.policy, r.subdomains, r.missing = results.AskNothing, "", ""
	return r, reports
}

// relation is that of the author's domain to the one whose record it is.
type relation uint8

const (
	itself    relation = iota
	subdomain          // which exists
	missing            // a subdomain that does not
)

// asked is what the record asks for of mail that fails: of a subdomain of where
// it stands, sp; of one that does not exist, np; in a test one step less (RFC 9989
// §4.7, t).
func (r record) asked(of relation) results.DMARCPolicy {
	policy := r.policy
	if of != itself && r.subdomains != "" {
		policy = r.subdomains
	}
	if of == missing && r.missing != "" {
		policy = r.missing
	}
	if r.test {
		switch policy {
		case results.Reject:
			return results.Quarantine
		case results.Quarantine:
			return results.AskNothing
		}
	}
	return policy
}

func trim(s string) string { return strings.Trim(s, " \t\r\n") }
