package assemble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/config"
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
	Log *slog.Logger
	// Changed is called after other clients are in force. It must not wait.
	Changed func()

	Book *price.Book
	Live *directory.Live

	mu       sync.Mutex
	cfg      *config.Config // in force; nil before the first
	roster   *roster        // clients of the store; nil: never read
	again    bool           // the roster is to be read whatever its version
	problems []problem      // of clients of the store
	failed   string         // why it was not read when it last should have been
	since    time.Time      // of that
	unsaved  bool
	saved    savings
}

// NewAccounts reads what the state folder keeps.
func NewAccounts(dir string, log *slog.Logger) (*Accounts, error) {
	a := &Accounts{Dir: dir, Log: log, Book: price.NewBook(), Live: directory.NewLive()}
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
// them may be priced long after they have gone from the policy. And it reads
// the definitions of the store's clients under the new policy.
func (a *Accounts) Prepare(_ context.Context, d *Draft) (Step, error) {
	d.Policy.Clients = a.Live
	cfg := d.Config
	was := a.known(cfg)
	now := was.under(cfg)
	if d.Before != nil && cfg.ClientsInRedis && d.Before.ClientsInRedis {
		if err := was.lost(now); err != nil {
			return nil, err
		}
	}
	clients, problems := now.directory(cfg)
	if err := a.durable(cfg.Tariffs); err != nil {
		return nil, err
	}
	return step{commit: func() {
		a.Book.Add(cfg.Tariffs...)
		a.mu.Lock()
		a.cfg = cfg
		if a.roster == nil || a.roster == was {
			a.roster = now
			a.tell(problems)
		} else {
			a.again = true // it was read anew meanwhile, under the policy before
		}
		a.Live.Replace(clients)
		a.mu.Unlock()
		if a.Changed != nil {
			a.Changed()
		}
	}}, nil
}

// known is the roster as it was read last or, before that, as the state folder
// keeps it.
func (a *Accounts) known(cfg *config.Config) *roster {
	a.mu.Lock()
	r := a.roster
	a.mu.Unlock()
	if r != nil || !cfg.ClientsInRedis || a.Dir == "" {
		return r
	}
	r, err := loadRoster(a.Dir, cfg)
	if err != nil {
		a.Log.Error("the clients that were kept cannot be read; until the store answers, recipients are deferred", "error", err)
		return nil
	}
	return r
}

// Known are the clients of a policy that is not in force, and those of the store
// as the state folder keeps them: for who only reads.
func (a *Accounts) Known(cfg *config.Config) *directory.Directory {
	if clients, _ := a.known(cfg).under(cfg).directory(cfg); clients != nil {
		return clients
	}
	return cfg.Gate.Directory
}

// Close keeps what was not kept yet.
func (a *Accounts) Close() error {
	a.saved = savings{}
	return a.Save(time.Now())
}

// durable makes the terms of tariffs durable.
func (a *Accounts) durable(tariffs []*price.Tariff) error {
	next := price.NewBook(a.Book.All()...)
	next.Add(tariffs...)
	if a.Dir != "" && len(next.All()) > len(a.Book.All()) {
		if err := durable.Replace(filepath.Join(a.Dir, bookName), next.Encode(), 0o600); err != nil {
			return fmt.Errorf("tariffs: %w", err)
		}
	}
	return nil
}

// know makes the terms of a candidate's tariffs known.
func (a *Accounts) know(tariffs []*price.Tariff) error {
	if err := a.durable(tariffs); err != nil {
		return err
	}
	a.Book.Add(tariffs...)
	return nil
}
