package directory

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
)

// ErrLogin: a login that nobody can authenticate by, or that was meant to stand
// for several.
var ErrLogin = errors.New("a login is one name, written whole: no @domain, no /expression/, no control characters")

// Submission is where outbound mail comes from.
type Submission struct {
	Login string     // that the SMTP client has authenticated by; "" for none
	Addr  netip.Addr // of the SMTP client; the zero Addr where there is none
	// Senders are the forms of the envelope sender; none where it is not to be
	// believed.
	Senders []address.Address
}

// Submitter is the client whose mail it is: by the login, then by the network,
// then by the sender; nil for nobody.
func (d *Directory) Submitter(s Submission) *accounting.Client {
	if s.Login != "" {
		if c := d.logins[address.Login(s.Login)]; c != nil {
			return c
		}
	}
	if c := d.networks.find(s.Addr); c != nil {
		return c
	}
	for _, sender := range s.Senders {
		if c := d.Find(sender).Client; c != nil {
			return c
		}
	}
	return nil
}

// maxLogin bounds a login, in octets: SASL names (RFC 4616 §2) are shorter.
const maxLogin = 255

// claimLogin gives a login to a client, or returns whose it is already.
func (b *builder) claimLogin(c *accounting.Client, written string) (owner *accounting.Client, err error) {
	if written == "" || len(written) > maxLogin || written[0] == '@' || written[0] == '/' || !address.Printable(written) {
		return nil, ErrLogin
	}
	folded := address.Login(written)
	if owner := b.d.logins[folded]; owner != nil {
		return owner, nil
	}
	b.d.logins[folded] = c
	return nil, nil
}

// networks are those of clients. The longest prefix that an address is in
// decides.
type networks struct {
	owners map[netip.Prefix]*accounting.Client
	// Which lengths there are, the longest first.
	lengths4, lengths6 []int
}

// add takes a network, or returns whose it is already.
func (n *networks) add(p netip.Prefix, c *accounting.Client) (owner *accounting.Client) {
	if owner := n.owners[p]; owner != nil {
		return owner
	}
	if n.owners == nil {
		n.owners = make(map[netip.Prefix]*accounting.Client)
	}
	n.owners[p] = c
	lengths := &n.lengths6
	if p.Addr().Is4() {
		lengths = &n.lengths4
	}
	if at, found := slices.BinarySearchFunc(*lengths, p.Bits(), func(have, want int) int { return want - have }); !found {
		*lengths = slices.Insert(*lengths, at, p.Bits())
	}
	return nil
}

// find is whose network an address is in. It costs a step for each length that
// there is, however many networks there are.
func (n *networks) find(a netip.Addr) *accounting.Client {
	a = a.Unmap()
	lengths := n.lengths6
	if a.Is4() {
		lengths = n.lengths4
	}
	for _, bits := range lengths {
		p, err := a.Prefix(bits)
		if err != nil {
			return nil // no address at all
		}
		if c := n.owners[p]; c != nil {
			return c
		}
	}
	return nil
}

// claims gives a client what it claims, in its order.
func (b *builder) claims(c *accounting.Client) {
	take := func(kind Kind, written string, owner *accounting.Client, err error) {
		switch {
		case err != nil:
			b.clashes = append(b.clashes, Clash{Kind: kind, Text: written, Client: c.ID, Err: err})
		case owner != nil:
			b.clashes = append(b.clashes, Clash{Kind: kind, Text: written, Client: c.ID, Other: owner.ID})
		}
	}
	for _, written := range c.Addresses {
		owner, err := b.claim(c, written)
		take(Mailbox, written, owner, err)
	}
	for _, written := range c.Logins {
		owner, err := b.claimLogin(c, written)
		take(Login, written, owner, err)
	}
	for _, p := range c.Networks {
		take(Network, p.String(), b.d.networks.add(p, c), nil)
	}
}

// Fold is the form in which what clients claim compares.
func (k Kind) Fold(written string) string {
	switch {
	case k == Login:
		return address.Login(written)
	case k == Network:
		return written
	case strings.HasPrefix(written, "@"):
		return "@" + address.FoldDomain(written[1:])
	case strings.HasPrefix(written, "/"):
		return written
	}
	return address.Fold(written)
}
