// Package redis has clients stand in the Redis of the account, where a billing
// system writes them.
package redis

import (
	"context"
	"errors"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/clients"
)

// Settings of the source.
type Settings struct {
	On bool `key:"redis"`
}

// Named tells whether it is switched on.
func (s Settings) Named() bool { return s.On }

// Check has nothing to say.
func (Settings) Check() error { return nil }

// Source is the account's store. Commands write clients into it.
type Source struct{ accounting.Definer }

// New has the store of the account.
func New(_ Settings, env clients.Env) (Source, error) {
	if env.Store == nil {
		return Source{}, errors.New("the store of the account has no clients: a change of [redis] needs a restart")
	}
	return Source{env.Store}, nil
}

// ServedBy is what the store says of its servers, if it does.
func (s Source) ServedBy(ctx context.Context) (string, error) {
	if store, ok := s.Definer.(clients.Served); ok {
		return store.ServedBy(ctx)
	}
	return "", nil
}

// Close leaves the store to whose it is.
func (Source) Close() error { return nil }
