package assemble

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/durable"
)

// bookName is the file of the state folder that keeps the terms of tariffs: as
// long as a record may name them.
const bookName = "tariffs"

// Accounts is the part that knows the clients, how their accounts stand, and
// the terms of tariffs.
type Accounts struct {
	// Dir is the state folder; "" keeps nothing.
	Dir string
	// Changed is called after another policy is in force. It must not wait.
	Changed func()

	Book *price.Book
	Live *directory.Live
}

// NewAccounts reads what the state folder keeps.
func NewAccounts(dir string) (*Accounts, error) {
	a := &Accounts{Dir: dir, Book: price.NewBook(), Live: directory.NewLive()}
	if dir == "" {
		return a, nil
	}
	path := filepath.Join(dir, bookName)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return a, nil
	}
	if err == nil {
		err = a.Book.Decode(text)
	}
	if err != nil {
		return nil, fmt.Errorf("tariffs: %s: %w", path, err)
	}
	return a, nil
}

// Prepare makes the terms of the policy's tariffs durable: a record that names
// them may be priced long after they have gone from the policy.
func (a *Accounts) Prepare(_ context.Context, d *Draft) (Step, error) {
	d.Policy.Clients = a.Live
	next := price.NewBook(a.Book.All()...)
	next.Add(d.Config.Tariffs...)
	if a.Dir != "" && len(next.All()) > len(a.Book.All()) {
		if err := durable.Replace(filepath.Join(a.Dir, bookName), next.Encode(), 0o600); err != nil {
			return nil, fmt.Errorf("tariffs: %w", err)
		}
	}
	clients := d.Config.Gate.Directory
	return step{commit: func() {
		a.Book.Add(d.Config.Tariffs...)
		a.Live.Replace(clients)
		if a.Changed != nil {
			a.Changed()
		}
	}}, nil
}

// Close has nothing to end.
func (a *Accounts) Close() error { return nil }
