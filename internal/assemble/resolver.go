package main

import (
	"fmt"
	"slices"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
)

// resolvers are those of the policies so far. Messages under way may still ask
// by that of a policy before; all end with the daemon.
type resolvers struct {
	mu      sync.Mutex
	all     []*dnscheck.Resolver
	servers []string // of the last
}

// give gives a policy its resolver: that of the one before, with what it knows,
// where the servers are the same.
func (r *resolvers) give(cfg *config.Config) error {
	if !cfg.Gate.NeedsDNS() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 || !slices.Equal(cfg.Resolver, r.servers) {
		made, err := dnscheck.New(dnscheck.Config{Servers: cfg.Resolver})
		if err != nil {
			return err
		}
		r.all, r.servers = append(r.all, made), cfg.Resolver
	}
	cfg.Gate.DNS = r.all[len(r.all)-1]
	return nil
}

// stats are those of the resolver in force, nil where there is none.
func (r *resolvers) stats() *dnscheck.Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 {
		return nil
	}
	s := r.all[len(r.all)-1].Stats()
	return &s
}

// dnsLine is how DNS fares, for eyes.
func dnsLine(s *dnscheck.Stats) string {
	share := 0.0
	if s.Asked > 0 {
		share = 100 * float64(s.Hits+s.Joined) / float64(s.Asked)
	}
	return fmt.Sprintf("%d look-ups, %.0f%% known already; %d queries, %d timed out, %d now; %d answers kept",
		s.Asked, share, s.Queries, s.Timeouts, s.InFlight, s.CacheSize)
}

func (r *resolvers) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.all {
		one.Close()
	}
}
