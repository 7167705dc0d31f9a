package assemble

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/clients"
	"github.com/tollgate-mail/tollgate/internal/clients/types"
	"github.com/tollgate-mail/tollgate/internal/config"
)

// following is a source while it is followed: known by its address, whatever it is
// made of.
type following struct{ clients.Source }

// servedBy names who answers now, where the source can tell.
func (f *following) servedBy(ctx context.Context) (string, error) {
	if s, ok := f.Source.(clients.Served); ok {
		return s.ServedBy(ctx)
	}
	return "", nil
}

// sameSource tells whether two policies follow the same source.
func sameSource(a, b *config.Config) bool {
	if a.ClientSource == nil || b.ClientSource == nil {
		return false
	}
	return a.ClientSource.Type == b.ClientSource.Type && reflect.DeepEqual(a.ClientSource.Settings, b.ClientSource.Settings)
}

// sourceOf is the source that a policy follows: that in force, where it is the same,
// or a new one; nil where it follows none.
func (a *Accounts) sourceOf(cfg, before *config.Config) (*following, error) {
	is := cfg.ClientSource
	if is == nil {
		return nil, nil
	}
	if before != nil && sameSource(cfg, before) {
		return a.inForce(), nil
	}
	kind, ok := types.Find(is.Type)
	if !ok {
		return nil, fmt.Errorf("%s: nobody follows clients of %s", is.Pos, is.Type)
	}
	source, err := kind.Make(is.Settings, a.Env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", is.Pos, err)
	}
	return &following{source}, nil
}

func (a *Accounts) inForce() *following {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.source
}

// sourceName is that of the source in force. The lock is held.
func (a *Accounts) sourceName() string {
	if a.cfg == nil || a.cfg.ClientSource == nil {
		return ""
	}
	return a.cfg.ClientSource.Type
}

// drop ends a source that comes not in force, unless it is in force.
func (a *Accounts) drop(source *following) {
	if source != a.inForce() {
		a.end(source)
	}
}

// end closes a source, without waiting for it.
func (a *Accounts) end(source *following) {
	if source == nil {
		return
	}
	a.ending.Go(func() {
		if err := source.Close(); err != nil {
			a.Log.Warn("a source of clients cannot be closed", "error", err)
		}
	})
}

// Definer is the source in force as one in which commands define clients.
func (a *Accounts) Definer() (accounting.Definer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.source == nil {
		return nil, errors.New("the policy has all clients in its files: [clients] has no redis = true")
	}
	to, ok := a.source.Source.(accounting.Definer)
	if !ok {
		return nil, fmt.Errorf("clients of %s are changed where they stand, not by commands", a.sourceName())
	}
	return to, nil
}
