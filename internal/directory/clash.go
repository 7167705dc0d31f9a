package directory

import (
	"errors"
	"fmt"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// ErrSameID: an id that stands at two clients. The second is left out.
var ErrSameID = errors.New("two clients have this id")

// Kind is what a client claims.
type Kind uint8

const (
	Mailbox Kind = iota // an entry of addresses
	Login               // of logins
	Network             // of networks
)

// Kinds are all, and the keys of a policy that they stand under.
func Kinds() map[Kind]string {
	return map[Kind]string{Mailbox: "addresses", Login: "logins", Network: "networks"}
}

func (k Kind) String() string { return [...]string{"address", "login", "network"}[k] }

// Clash is an address, a login or a network that two clients claim, or one that
// cannot be read. It is an error.
type Clash struct {
	Kind          Kind
	Text          string // as written; "" when the client itself is at fault
	Client, Other string // whose entry it is ("" for a domain of the policy), and who has it already; the same for twice in one
	Err           error  // nil when it is readable, and Other has it
}

func (c Clash) Error() string {
	switch {
	case c.Client == "" && (c.Text != "" || errors.Is(c.Err, address.ErrDomain)):
		return fmt.Sprintf("domain %q: %v", c.Text, c.Err)
	case c.Err != nil && c.Text == "" && c.Kind == Mailbox:
		return fmt.Sprintf("client %q: %v", c.Client, c.Err)
	case c.Err != nil:
		return fmt.Sprintf("%s %q of client %q: %v", c.Kind, c.Text, c.Client, c.Err)
	case c.Client == c.Other:
		return fmt.Sprintf("%s %q stands twice in client %q", c.Kind, c.Text, c.Client)
	}
	return fmt.Sprintf("%s %q of client %q belongs to client %q already", c.Kind, c.Text, c.Client, c.Other)
}

// Unwrap returns what is wrong with an entry that cannot be read.
func (c Clash) Unwrap() error { return c.Err }
