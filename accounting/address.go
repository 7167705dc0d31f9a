package accounting

import (
	"regexp"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// Form says how an address of a client is written.
type Form uint8

const (
	Mailbox     Form = iota // user@domain
	WholeDomain             // @domain
	Pattern                 // /regex/
)

// Address is one entry of a client's addresses, cut into its parts; case and
// IDN forms are as written.
type Address struct {
	Form  Form
	Local string // of a Mailbox
	// Domain of a Mailbox and a WholeDomain. Of a Pattern whose end spells it
	// out (@example\.org$) it is that of everything the pattern matches, in
	// lower case; else empty.
	Domain string
	Regexp *regexp.Regexp // of a Pattern; case is ignored unless it says (?-i)
	// Open: a Pattern that does not end where the address ends. It also
	// claims what goes on behind it, in anybody's domain.
	Open bool
}

// ParseAddress reads one entry of a client's addresses.
func ParseAddress(s string) (Address, error) {
	if len(s) > 1 && s[0] == '/' && s[len(s)-1] == '/' {
		return parsePattern(s[1 : len(s)-1])
	}
	if s != "" && s[0] == '@' {
		if err := address.CheckDomain(s[1:]); err != nil {
			return Address{}, err
		}
		return Address{Form: WholeDomain, Domain: s[1:]}, nil
	}
	local, domain, err := address.CheckMailbox(s)
	if err != nil {
		return Address{}, err
	}
	return Address{Form: Mailbox, Local: local, Domain: domain}, nil
}
