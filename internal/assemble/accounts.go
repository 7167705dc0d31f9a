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
	"github.com/tollgate-mail/tollgate/internal/clients"
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
	// Env is what sources of clients find.
	Env clients.Env

	Book *price.Book
	Live *directory.Live

	mu       sync.Mutex
	cfg      *config.Config // in force; nil before the first
	source   *following     // by the policy in force; nil: none
	roster   *roster        // clients of the source; nil: never read
	again    bool           // the roster is to be read whatever its version
	problems []problem      // of clients of the source
	failed   string         // why it was not read when it last should have been
	since    time.Time      // of that
	ending   sync.WaitGroup // sources of policies before
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
// the definitions of the source's clients under the new policy.
func (a *Accounts) Prepare(_ context.Context, d *Draft) (Step, error) {
	d.Policy.Clients = a.Live
	cfg := d.Config
	held, was := a.known(cfg)
	now := was.under(cfg)
	if d.Before != nil && sameSource(cfg, d.Before) {
		if err := was.lost(now); err != nil {
			return nil, err
		}
	}
	dir, problems := now.directory(cfg)
	source, err := a.sourceOf(cfg, d.Before)
	if err != nil {
		return nil, err
	}
	if err := a.durable(cfg.Tariffs); err != nil {
		a.drop(source)
		return nil, err
	}
	return step{commit: func() {
		a.Book.Add(cfg.Tariffs...)
		a.mu.Lock()
		a.cfg = cfg
		before := a.source
		a.source = source
		a.again = a.again || source != before
		if a.roster == held || !a.roster.of(cfg) {
			a.roster = now
			a.tell(problems)
		} else {
			a.again = true // it was read anew meanwhile, under the policy before
		}
		a.Live.Replace(dir)
		a.mu.Unlock()
		if before != source {
			a.end(before)
		}
		if a.Changed != nil {
			a.Changed()
		}
	}, discard: func() { a.drop(source) }}, nil
}

// known is the roster as it is held and, of the source of a policy, as it was read
// last or, before that, as the state folder keeps it.
func (a *Accounts) known(cfg *config.Config) (held, of *roster) {
	a.mu.Lock()
	held = a.roster
	a.mu.Unlock()
	if held != nil && held.of(cfg) {
		return held, held
	}
	if cfg.ClientSource == nil || a.Dir == "" {
		return held, nil
	}
	of, err := loadRoster(a.Dir, cfg)
	if err != nil {
		a.Log.Error("the clients that were kept cannot be read; until their source answers, recipients are deferred", "error", err)
		return held, nil
	}
	return held, of
}

// Known are the clients of a policy that is not in force, and those of its source
// as the state folder keeps them: for who only reads.
func (a *Accounts) Known(cfg *config.Config) *directory.Directory {
	if dir := a.candidate(cfg); dir != nil {
		return dir
	}
	return cfg.Gate.Directory
}

// candidate are the clients of a policy that is tried; nil while nothing is known of
// those of its source: then it defers, as it would in force.
func (a *Accounts) candidate(cfg *config.Config) *directory.Directory {
	_, r := a.known(cfg)
	dir, _ := r.under(cfg).directory(cfg)
	return dir
}

// Keep keeps what was not kept yet, at once.
func (a *Accounts) Keep() error {
	a.saved = savings{}
	return a.Save(time.Now())
}

// Leave has nothing kept any more: the state folder is another process's.
func (a *Accounts) Leave() { a.Dir = "" }

// Close keeps what was not kept yet, and ends the source.
func (a *Accounts) Close() error {
	err := a.Keep()
	a.mu.Lock()
	source := a.source
	a.source = nil
	a.mu.Unlock()
	a.end(source)
	a.ending.Wait()
	return err
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
