package journal

import (
	"strings"

	"golang.org/x/net/idna"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// mailbox is an address that is looked for.
type mailbox struct {
	given  bool
	null   bool    // "<>"
	whole  string  // folded; "" when a domain is asked for
	domain string  // folded
	text   string  // as given
	part   string  // lower case: any address with it in it; with whole and domain empty
	needle *needle // stands in the line unless that has unusual octets; nil: nothing does for sure
}

func newMailbox(s string) mailbox {
	s = strings.TrimSpace(s)
	a := mailbox{given: s != "", null: s == "<>", text: unbracketed(s)}
	if !a.given || a.null {
		return a
	}
	local, domain := address.Split(a.text)
	if local == "" && domain != "" {
		a.domain = address.FoldDomain(domain)
		a.needle = atomNeedle(a.domain)
		return a
	}
	if local == "" || !strings.Contains(domain, ".") {
		a.part = strings.ToLower(a.text)
		a.needle = atomNeedle(a.part)
		return a
	}
	a.whole = address.Fold(a.text)
	if local, _ := address.Split(a.whole); local != "" {
		a.needle = atomNeedle(local)
	}
	return a
}

// atomNeedle is one for an address or a part of one: for its longest atom, since
// white space and comments may stand between them (RFC 5322 §3.4.1, RFC 822 §3.1.4)
// in an address as a client gave it, and quotes and backslashes where they need not. An A-label is found by letters that it does
// not have.
func atomNeedle(text string) *needle {
	if !verbatim(text) || strings.Contains(text, "xn--") {
		return nil
	}
	return newNeedle(longestAtom(text))
}

func longestAtom(text string) string {
	longest := ""
	for _, atom := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".@%!|()<>[],;: \"\\", r) }) {
		if len(atom) > len(longest) {
			longest = atom
		}
	}
	return longest
}

func (a *mailbox) is(s string) bool {
	switch {
	case a.null:
		return s == ""
	case s == "":
		return false
	case a.domain != "":
		return address.Domain(s) == a.domain
	case a.part != "":
		return strings.Contains(strings.ToLower(s), a.part) || strings.Contains(address.Fold(s), a.part) ||
			strings.Contains(strings.ToLower(people(s)), a.part)
	}
	return strings.EqualFold(a.text, s) || address.Fold(s) == a.whole
}

// people is an address as people write it, without A-labels.
func people(s string) string {
	local, domain := address.Split(s)
	if !strings.Contains(strings.ToLower(domain), "xn--") {
		return s
	}
	u, err := idna.ToUnicode(domain)
	if err != nil {
		return s
	}
	return local + "@" + u
}
