package assemble

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
)

// Resolvers is the part that asks DNS. A policy that asks the same servers as
// the one before goes on with its resolver and what that knows. A resolver ends
// when nobody judges by a policy that has it.
type Resolvers struct {
	Log *slog.Logger // told of DNS lists that refuse or lie; nil: nobody is
	mu  sync.Mutex
	// beside is whose resolver is shared where it asks the same servers; nil: nobody's.
	beside *Resolvers
	now    *resolver // of the policy in force; nil: it asks nothing
	ending sync.WaitGroup
}

type resolver struct {
	*dnscheck.Resolver
	servers []string
	lease   lease
}

// Prepare gives the policy its resolver, where it needs one.
func (r *Resolvers) Prepare(_ context.Context, d *Draft) (Step, error) {
	if !d.Config.Gate.NeedsDNS() {
		return step{commit: func() { r.set(nil) }}, nil
	}
	next := r.current()
	// resolv.conf is read anew at each reload.
	servers, err := dnscheck.Config{Servers: d.Config.Resolver}.Addresses()
	if err != nil {
		return nil, fmt.Errorf("resolver: %w", err)
	}
	if (next == nil || !slices.Equal(next.servers, servers)) && r.beside != nil {
		next = r.beside.current()
	}
	if next == nil || !slices.Equal(next.servers, servers) {
		made, err := dnscheck.New(dnscheck.Config{Servers: servers, Log: r.Log})
		if err != nil {
			return nil, fmt.Errorf("resolver: %w", err)
		}
		next = &resolver{Resolver: made, servers: servers}
		next.lease.end = func() { r.ending.Go(next.Close) }
	}
	next.lease.take()
	d.OnRetire(next.lease.giveBack)
	d.Policy.DNS = next.Resolver
	return step{commit: func() { r.set(next) }, discard: next.lease.giveBack}, nil
}

func (r *Resolvers) set(next *resolver) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = next
}

func (r *Resolvers) current() *resolver {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// Stats are those of the resolver in force, nil where there is none.
func (r *Resolvers) Stats() *dnscheck.Stats {
	now := r.current()
	if now == nil {
		return nil
	}
	s := now.Stats()
	return &s
}

// Close ends the resolver in force and waits for those before.
func (r *Resolvers) Close() error {
	if now := r.current(); now != nil {
		r.set(nil)
		now.Close()
	}
	r.ending.Wait()
	return nil
}
