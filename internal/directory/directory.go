// Package directory answers whose address this is, and whether mail to it may
// be relayed: an in-memory snapshot of the clients and the recipient mode.
package directory

import (
	"maps"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
)

// Config is the recipients part of a policy.
type Config struct {
	AnyInDomains bool     // mode "domains": any address in Domains; else mode "known"
	Domains      []string // of mode "domains": "example.org"; ".example.net" is its subdomains
	Delimiter    string   // "+"; of several characters each is one, as in Postfix; "" for none

	// Incomplete: there are clients that could not be read. Who is nobody's may
	// be theirs.
	Incomplete bool
}

// Directory is an immutable snapshot.
type Directory struct {
	delimiter  string
	incomplete bool
	byID       map[string]*accounting.Client
	clients    []*accounting.Client // by id
	mailboxes  map[string]*accounting.Client
	domains    map[string]domain   // ours
	subdomains map[string]struct{} // whose subdomains are ours, without the dot
	patterns   patterns
	logins     map[string]*accounting.Client
	networks   networks
}

// domain is one of ours.
type domain struct {
	owner  *accounting.Client // of the whole domain; nil for none
	listed bool               // any address in it is ours
}

// New makes a snapshot and reports every clash at once, in the order of
// clients and of what they claim. With clashes the snapshot is usable too: the
// first claim stands and what cannot be read is left out.
func New(cfg Config, clients []*accounting.Client) (*Directory, []Clash) {
	addresses := 0
	for _, c := range clients {
		addresses += len(c.Addresses)
	}
	b := builder{d: &Directory{
		delimiter:  cfg.Delimiter,
		incomplete: cfg.Incomplete,
		byID:       make(map[string]*accounting.Client, len(clients)),
		clients:    make([]*accounting.Client, 0, len(clients)),
		mailboxes:  make(map[string]*accounting.Client, addresses),
		domains:    make(map[string]domain),
		subdomains: make(map[string]struct{}),
		logins:     make(map[string]*accounting.Client),
	}}
	for _, name := range cfg.Domains {
		b.list(name, cfg.AnyInDomains)
	}
	for _, c := range clients {
		b.client(c)
	}
	slices.SortFunc(b.d.clients, func(x, y *accounting.Client) int { return strings.Compare(x.ID, y.ID) })
	return b.d, b.clashes
}

// Client finds by id; nil when there is none.
func (d *Directory) Client(id string) *accounting.Client { return d.byID[id] }

// Clients are all, by id.
func (d *Directory) Clients() []*accounting.Client { return slices.Clone(d.clients) }

// Incomplete tells whether there are clients that it does not have.
func (d *Directory) Incomplete() bool { return d.incomplete }

// builder makes a directory.
type builder struct {
	d       *Directory
	clashes []Clash
}

// list adds a domain of the policy. Where the mode takes known addresses only
// it is read and no more.
func (b *builder) list(name string, whole bool) {
	bare, sub := strings.CutPrefix(name, ".")
	folded, err := foldDomain(bare)
	switch {
	case err != nil:
		b.clashes = append(b.clashes, Clash{Text: name, Err: err})
	case !whole:
	case sub:
		b.d.subdomains[folded] = struct{}{}
	default:
		b.d.domains[folded] = domain{listed: true}
	}
}

func (b *builder) client(c *accounting.Client) {
	if err := accounting.CheckID(c.ID); err != nil {
		b.clashes = append(b.clashes, Clash{Client: c.ID, Err: err})
		return
	}
	if b.d.byID[c.ID] != nil {
		b.clashes = append(b.clashes, Clash{Client: c.ID, Other: c.ID, Err: ErrSameID})
		return
	}
	b.d.byID[c.ID] = c
	b.d.clients = append(b.d.clients, c)
	b.claims(c)
}

// claim gives an address to a client, or returns whose it is already.
func (b *builder) claim(c *accounting.Client, written string) (owner *accounting.Client, err error) {
	a, err := accounting.ParseAddress(written)
	if err != nil {
		return nil, err
	}
	d := b.d
	if a.Form == accounting.Pattern {
		return d.patterns.add(written, a, c), nil
	}
	name, err := foldDomain(a.Domain)
	if err != nil {
		return nil, err
	}
	ours := d.domains[name]
	if a.Form == accounting.WholeDomain {
		if ours.owner != nil {
			return ours.owner, nil
		}
		ours.owner = c
		d.domains[name] = ours
		return nil, nil
	}
	folded := address.Fold(written)
	// What Lookup could not read in this form would never be found.
	if _, folds, err := address.CheckMailbox(folded); err != nil {
		return nil, err
	} else if folds != name {
		return nil, address.ErrDomain
	}
	if owner := d.mailboxes[folded]; owner != nil {
		return owner, nil
	}
	d.mailboxes[folded] = c
	d.domains[name] = ours
	return nil, nil
}

// foldDomain reads a domain name as it is written in a policy.
func foldDomain(s string) (string, error) {
	if err := address.CheckDomain(s); err != nil {
		return "", err
	}
	folded := address.FoldDomain(s)
	// What IDNA does not take stays as it was.
	if strings.IndexFunc(folded, func(r rune) bool { return r > 0x7f }) >= 0 {
		return "", address.ErrDomain
	}
	return folded, address.CheckDomain(folded)
}

// Reach are the domains in which an address may be ours, in order: those of
// Domains, and those of clients' addresses. all is false where there may be more:
// an expression names no domain, or not all clients are known.
func (d *Directory) Reach() (names []string, all bool) {
	found := make(map[string]struct{}, len(d.domains))
	for name := range d.domains {
		found[name] = struct{}{}
	}
	for name := range d.patterns.byDomain {
		found[name] = struct{}{}
	}
	for name := range d.subdomains {
		found["."+name] = struct{}{}
	}
	return slices.Sorted(maps.Keys(found)), len(d.patterns.anywhere) == 0 && !d.incomplete
}

// Domains are those whose mail is ours by the domain, in order: "example.org";
// ".example.org" for what is below it. any tells whether every address of one of
// them is.
func (d *Directory) Domains() (names []string, any bool) {
	for name, of := range d.domains {
		if of.listed || of.owner != nil {
			names = append(names, name)
			any = any || of.listed
		}
	}
	for name := range d.subdomains {
		names, any = append(names, "."+name), true
	}
	slices.Sort(names)
	return names, any
}
