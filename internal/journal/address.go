package journal

import (
	"strings"

	"golang.org/x/net/idna"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

// address is one that is looked for.
type address struct {
	given  bool
	null   bool    // "<>"
	whole  string  // folded; "" when a domain is asked for
	domain string  // folded
	text   string  // as given
	part   string  // lower case: any address with it in it; with whole and domain empty
	needle *needle // stands in the line unless that has unusual octets; nil: nothing does for sure
}

func newAddress(s string) address {
	s = strings.TrimSpace(s)
	a := address{given: s != "", null: s == "<>", text: unbracketed(s)}
	if !a.given || a.null {
		return a
	}
	local, domain := mail.SplitAddress(a.text)
	if local == "" && domain != "" {
		a.domain = mail.FoldDomain(domain)
		if verbatim(a.domain) && !strings.Contains(a.domain, "xn--") {
			a.needle = newNeedle(a.domain)
		}
		return a
	}
	if local == "" || !strings.Contains(domain, ".") {
		a.part = strings.ToLower(a.text)
		// An A-label is found by letters that it does not have.
		if verbatim(a.part) && !strings.Contains(a.part, "xn--") {
			a.needle = newNeedle(a.part)
		}
		return a
	}
	a.whole = mail.FoldAddress(a.text)
	if local, _ := mail.SplitAddress(a.whole); local != "" && verbatim(local) {
		a.needle = newNeedle(local)
	}
	return a
}

func (a *address) is(s string) bool {
	switch {
	case a.null:
		return s == ""
	case s == "":
		return false
	case a.domain != "":
		_, domain := mail.SplitAddress(s)
		return mail.FoldDomain(domain) == a.domain
	case a.part != "":
		return strings.Contains(strings.ToLower(s), a.part) || strings.Contains(mail.FoldAddress(s), a.part) ||
			strings.Contains(strings.ToLower(people(s)), a.part)
	}
	return strings.EqualFold(a.text, s) || mail.FoldAddress(s) == a.whole
}

// people is an address as people write it, without A-labels.
func people(s string) string {
	local, domain := mail.SplitAddress(s)
	if !strings.Contains(strings.ToLower(domain), "xn--") {
		return s
	}
	u, err := idna.ToUnicode(domain)
	if err != nil {
		return s
	}
	return local + "@" + u
}
