package directory

import (
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/mail"
)

// Standing is what an address is to us.
type Standing uint8

const (
	Foreign  Standing = iota // not our domain
	Unknown                  // in a domain of ours, but nobody's
	NoDomain                 // a bare local part other than postmaster
	Ours                     // accepted; Client is nil when nobody is billed
)

var standings = [...]string{Foreign: "foreign", Unknown: "unknown", NoDomain: "no_domain", Ours: "ours"}

func (s Standing) String() string { return standings[s] }

// Answer is what is known of one recipient address.
type Answer struct {
	Standing Standing
	Client   *accounting.Client // nil: nobody is billed
	// Address is the form under which the client was found (folded, and
	// without the tag if that is how); of others the folded address. What
	// cannot be an address stays as it is.
	Address string
}

// postmaster is always there (RFC 5321 §4.5.1).
const postmaster = "postmaster"

// Lookup tells what an address, without angle brackets, is to us. Nothing is
// Ours that is not an address by RFC 5321 and RFC 6531, or longer than
// accounting.MaxAddress.
//
// It costs no allocation for an address already folded, but for the shorter
// form where that is how it was found.
func (d *Directory) Lookup(addr string) Answer {
	if len(addr) > accounting.MaxAddress || !accounting.Printable(addr) {
		return d.unreadable(addr)
	}
	folded := mail.FoldAddress(addr)
	if local, _ := mail.SplitAddress(folded); len(local) == len(folded) {
		if folded != postmaster {
			return Answer{Standing: NoDomain, Address: folded}
		}
		return Answer{Ours, d.patterns.match(folded, ""), folded}
	}
	local, name, err := accounting.ParseMailbox(folded)
	if err != nil {
		return d.unreadable(addr)
	}
	if a, ok := d.owner(folded, local, name); ok {
		return a
	}
	in, ours := d.domain(name)
	switch {
	case !ours:
		return Answer{Foreign, nil, folded}
	case routed(local):
		return Answer{Unknown, nil, folded}
	case in.owner != nil:
		return Answer{Ours, in.owner, folded}
	case in.listed, local == postmaster:
		return Answer{Ours, nil, folded}
	}
	return Answer{Unknown, nil, folded}
}

// owner finds whose address this is by what is more exact than its domain: as
// it is, without its tag, by a regex.
func (d *Directory) owner(folded, local, name string) (Answer, bool) {
	if c := d.mailboxes[folded]; c != nil {
		return Answer{Ours, c, folded}, true
	}
	if routed(local) {
		return Answer{}, false
	}
	user, tagged := d.untag(local)
	if tagged {
		var room [accounting.MaxAddress]byte
		short := append(append(append(room[:0], user...), '@'), name...)
		if c := d.mailboxes[string(short)]; c != nil {
			return Answer{Ours, c, string(short)}, true
		}
	}
	if d.patterns.none(name) {
		return Answer{}, false
	}
	if c := d.patterns.match(folded, name); c != nil {
		return Answer{Ours, c, folded}, true
	}
	if tagged {
		short := user + "@" + name
		if c := d.patterns.match(short, name); c != nil {
			return Answer{Ours, c, short}, true
		}
	}
	return Answer{}, false
}

// untag cuts a local part before its first delimiter. One that begins with it
// has no tag, nor has a quoted one.
func (d *Directory) untag(local string) (user string, tagged bool) {
	i := strings.IndexAny(local, d.delimiter)
	if i <= 0 || local[0] == '"' {
		return local, false
	}
	return local[:i], true
}

// routed tells whether a local part hides another address. Postfix, and the
// server behind it, may well deliver there (resolve_dequoted_address): it is
// nobody's but of a client who owns exactly this.
func routed(local string) bool { return local[0] == '"' && strings.IndexByte(local, '@') >= 0 }

// domain tells whether a folded domain is ours.
func (d *Directory) domain(name string) (domain, bool) {
	in, ours := d.domains[name]
	if in.listed || len(d.subdomains) == 0 {
		return in, ours
	}
	for i := strings.IndexByte(name, '.'); i >= 0; {
		if _, ok := d.subdomains[name[i+1:]]; ok {
			in.listed = true
			return in, true
		}
		next := strings.IndexByte(name[i+1:], '.')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return in, ours
}

// unreadable answers for what is not an address: never Ours.
func (d *Directory) unreadable(addr string) Answer {
	_, name := mail.SplitAddress(addr)
	if name == "" {
		return Answer{NoDomain, nil, addr}
	}
	if len(name) <= accounting.MaxAddress {
		if _, ours := d.domain(mail.FoldDomain(name)); ours {
			return Answer{Unknown, nil, addr}
		}
	}
	return Answer{Foreign, nil, addr}
}
