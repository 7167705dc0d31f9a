package directory

import (
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
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
	// Exact: it is a client's address as it stands, tag and all.
	Exact bool
}

// postmaster is always there (RFC 5321 §4.5.1).
const postmaster = "postmaster"

// Lookup tells what an address, as a client wrote it, is to us.
func (d *Directory) Lookup(addr string) Answer { return d.Find(address.Parse(addr)) }

// Find tells what an address is to us. Nothing is Ours that is not an address
// by RFC 5321 and RFC 6531, or longer than address.Max.
//
// It costs no allocation, but for the shorter form where that is how it was
// found, and for a domain with U-labels where there are expressions.
func (d *Directory) Find(a address.Address) Answer {
	folded := a.String()
	if !a.Valid() || len(folded) > address.Max || !address.Printable(folded) {
		return d.unreadable(a)
	}
	if a.Domain == "" {
		if folded != postmaster {
			return Answer{Standing: NoDomain, Address: folded}
		}
		return Answer{Standing: Ours, Client: d.patterns.match(folded, "", ""), Address: folded}
	}
	local, name, err := address.CheckMailbox(folded)
	if err != nil {
		return d.unreadable(a)
	}
	if found, ok := d.owner(folded, local, name); ok {
		return found
	}
	in, ours := d.domain(name)
	switch {
	case !ours:
		return Answer{Standing: Foreign, Address: folded}
	case routed(local):
		return Answer{Standing: Unknown, Address: folded}
	case in.owner != nil:
		return Answer{Standing: Ours, Client: in.owner, Address: folded}
	case in.listed, local == postmaster:
		return Answer{Standing: Ours, Address: folded}
	}
	return Answer{Standing: Unknown, Address: folded}
}

// Untagged is the mailbox of an address that an answer is about, without a
// tag that had no part in finding it.
func (d *Directory) Untagged(a address.Address, found Answer) (address.Address, bool) {
	if found.Exact {
		return a, false
	}
	return a.Untagged(d.delimiter)
}

// owner finds whose address this is by what is more exact than its domain: as
// it is, without its tag, by a regex.
func (d *Directory) owner(folded, local, name string) (Answer, bool) {
	if c := d.mailboxes[folded]; c != nil {
		return Answer{Standing: Ours, Client: c, Address: folded, Exact: true}, true
	}
	if routed(local) {
		return Answer{}, false
	}
	user, tagged := d.untag(local)
	if tagged {
		var room [address.Max]byte
		short := append(append(append(room[:0], user...), '@'), name...)
		if c := d.mailboxes[string(short)]; c != nil {
			return Answer{Standing: Ours, Client: c, Address: string(short)}, true
		}
	}
	if d.patterns.none(name) {
		return Answer{}, false
	}
	shown := address.DisplayDomain(name)
	if c := d.patterns.match(folded, other(local, name, shown), name); c != nil {
		return Answer{Standing: Ours, Client: c, Address: folded}, true
	}
	if tagged {
		short := user + "@" + name
		if c := d.patterns.match(short, other(user, name, shown), name); c != nil {
			return Answer{Standing: Ours, Client: c, Address: short}, true
		}
	}
	return Answer{}, false
}

// other is an address with its domain in U-labels, "" where that is the same.
func other(local, name, shown string) string {
	if shown == name {
		return ""
	}
	return local + "@" + shown
}

// untag cuts a local part before its first delimiter. One that begins with it
// has no tag, nor has a quoted one.
func (d *Directory) untag(local string) (user string, tagged bool) {
	return address.Untag(local, d.delimiter)
}

// routed tells whether a local part hides another address. Postfix, and the
// server behind it, may well deliver there (resolve_dequoted_address,
// allow_percent_hack, swap_bangpath): it is nobody's but of a client who owns
// exactly this. Postfix's own guard takes none of them either
// (allow_untrusted_routing).
func routed(local string) bool { return strings.ContainsAny(local, "@%!") }

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
func (d *Directory) unreadable(a address.Address) Answer {
	answer := Answer{Standing: Foreign, Address: a.String()}
	if _, domain := address.Split(answer.Address); domain == "" {
		answer.Standing = NoDomain
	} else if len(a.Domain) <= address.Max {
		if _, ours := d.domain(a.Domain); ours {
			answer.Standing = Unknown
		}
	}
	return answer
}
