package directory

import (
	"errors"
	"fmt"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// ErrSameID: an id that stands at two clients. The second is left out.
var ErrSameID = errors.New("two clients have this id")

// Clash is an address that two clients claim, or one that cannot be read. It
// is an error.
type Clash struct {
	Address       string // as written; "" when the client itself is at fault
	Client, Other string // whose entry it is ("" for a domain of the policy), and who has it already; the same for twice in one
	Err           error  // nil when it is readable, and Other has it
}

func (c Clash) Error() string {
	switch {
	case c.Client == "" && (c.Address != "" || errors.Is(c.Err, address.ErrDomain)):
		return fmt.Sprintf("domain %q: %v", c.Address, c.Err)
	case c.Address == "":
		return fmt.Sprintf("client %q: %v", c.Client, c.Err)
	case c.Err != nil:
		return fmt.Sprintf("address %q of client %q: %v", c.Address, c.Client, c.Err)
	case c.Client == c.Other:
		return fmt.Sprintf("address %q stands twice in client %q", c.Address, c.Client)
	}
	return fmt.Sprintf("address %q of client %q belongs to client %q already", c.Address, c.Client, c.Other)
}

// Unwrap returns what is wrong with an entry that cannot be read.
func (c Clash) Unwrap() error { return c.Err }
