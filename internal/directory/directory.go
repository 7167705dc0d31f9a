// Package directory answers whose address this is, and whether mail to it may
// be relayed: an in-memory snapshot of the clients and the recipient mode.
package directory

import (
	"github.com/tollgate-mail/tollgate/accounting"
)

// Config is the recipients part of a policy.
type Config struct {
	AnyInDomains bool     // mode "domains": any address in Domains; else mode "known"
	Domains      []string // "example.org"; ".example.net" is its subdomains
	Delimiter    string   // "+"; "" for none
}

// Standing is what an address is to us.
type Standing uint8

const (
	Foreign  Standing = iota // not our domain
	Unknown                  // in a domain of ours, but nobody's
	NoDomain                 // a bare local part other than postmaster
	Ours                     // accepted; Client is nil when nobody is billed
)

// Answer is what is known of one recipient address.
type Answer struct {
	Standing Standing
	Client   *accounting.Client // nil: nobody is billed
	// Address is the form under which the client was found (folded, and
	// without the tag if that is how); of others the folded address.
	Address string
}

// Clash is an address that two clients claim, or one that cannot be read.
type Clash struct {
	Address       string
	Client, Other string // Other is "" when Err says what is wrong
	Err           error
}

// Directory is an immutable snapshot.
type Directory struct{}

// New makes a snapshot and reports every clash at once.
func New(cfg Config, clients []*accounting.Client) (*Directory, []Clash) { return &Directory{}, nil }

// Lookup costs no allocation for addresses already folded.
func (d *Directory) Lookup(addr string) Answer { return Answer{} }

// Client finds by id.
func (d *Directory) Client(id string) *accounting.Client { return nil }

// Clients are all, by id.
func (d *Directory) Clients() []*accounting.Client { return nil }
