package journal

import (
	"bytes"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

// address is one that is looked for.
type address struct {
	given  bool
	null   bool   // "<>"
	whole  string // folded; "" when a domain is asked for
	domain string // folded
	text   string // as given
	needle []byte // stands in the line unless that has unusual octets; nil: nothing does for sure
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
			a.needle = bytes.ToLower([]byte(a.domain))
		}
		return a
	}
	a.whole = mail.FoldAddress(a.text)
	if local, _ := mail.SplitAddress(a.whole); local != "" && verbatim(local) {
		a.needle = bytes.ToLower([]byte(local))
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
	}
	return strings.EqualFold(a.text, s) || mail.FoldAddress(s) == a.whole
}
