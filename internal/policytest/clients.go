package policytest

import (
	"errors"
	"slices"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
)

// clients are those that a file of cases has: they stand in for the clients of the
// source that a policy follows. What a gateway keeps of that is no part of a test,
// which says the same everywhere.
type clients struct {
	list []config.Definition

	mu    sync.Mutex
	under *config.ClientSource // what they were read under last
	are   *directory.Directory
	err   error
}

var errNoSource = errors.New("[[client]] in a file of cases stands in for the clients of a source, and the policy follows none ([clients])")

// directory is the policy's clients and these; nil where there are none of these.
// Changes of a policy's rules leave its clients as they are.
func (c *clients) directory(cfg *config.Config) (*directory.Directory, error) {
	if c == nil {
		return nil, nil
	}
	if cfg.ClientSource == nil {
		return nil, errNoSource
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under != cfg.ClientSource {
		kept, problems := assemble.StandIn(cfg, c.list)
		c.under, c.are, c.err = cfg.ClientSource, nil, problems.Err()
		if c.err == nil {
			c.are = kept.Directory()
		}
	}
	return c.are, c.err
}

// CheckClients tells what is wrong with the clients of the files of cases, once a
// file.
func CheckClients(cfg *config.Config, cases []*Case) error {
	var errs []error
	var seen []*clients
	for _, c := range cases {
		if slices.Contains(seen, c.clients) {
			continue
		}
		seen = append(seen, c.clients)
		if _, err := c.clients.directory(cfg); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Unnamed is the source of clients that the policy follows, where a file of cases
// has none to stand in for them; "" elsewhere.
func Unnamed(cfg *config.Config, cases []*Case) string {
	if cfg.ClientSource != nil && slices.ContainsFunc(cases, func(c *Case) bool { return c.clients == nil }) {
		return cfg.ClientSource.Type
	}
	return ""
}
