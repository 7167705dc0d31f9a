package trial

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/state"
)

// Answers is a part that answers look-ups from a table: see dnscheck.NewStatic.
// What does not stand there does not exist.
type Answers struct {
	Records map[string][]string

	resolver *dnscheck.Resolver
}

// Prepare makes the resolver. Its error says which record cannot be read.
func (a *Answers) Prepare(_ context.Context, d *assemble.Draft) (assemble.Step, error) {
	r, err := dnscheck.NewStatic(a.Records)
	if err != nil {
		return nil, err
	}
	d.Policy.DNS = r
	return step{commit: func() { a.resolver = r }, discard: r.Close}, nil
}

// Close ends it.
func (a *Answers) Close() error {
	if a.resolver != nil {
		a.resolver.Close()
	}
	return nil
}

// Memory is a part that remembers what it is told to, and keeps nothing.
type Memory struct {
	// Passed: every client has passed greylisting before; otherwise each comes
	// for the first time.
	Passed bool
	// Wrote are those who have written before, each with whom they wrote to.
	Wrote map[string][]string
}

// Prepare gives the policy its memory, where it needs one.
func (m *Memory) Prepare(_ context.Context, d *assemble.Draft) (assemble.Step, error) {
	if d.Config.Gate.NeedsMemory() {
		d.Policy.Memory = remembered{*m, d.Config.Greylist.Delay}
	}
	return step{}, nil
}

// Close does nothing.
func (m *Memory) Close() error { return nil }

type remembered struct {
	Memory
	delay time.Duration
}

func (r remembered) Greylist(_ context.Context, t gate.Try) (time.Duration, string, error) {
	switch {
	case !t.Client.IsValid():
		return 0, "", state.ErrClient
	case r.Passed:
		return 0, "", nil
	}
	return r.delay, string(state.New), nil
}

func (r remembered) Wrote(_ context.Context, local, remote string, _ time.Time) (bool, error) {
	for who, to := range r.Memory.Wrote {
		if address.Fold(who) == address.Fold(local) {
			return slices.ContainsFunc(to, func(a string) bool { return address.Fold(a) == address.Fold(remote) }), nil
		}
	}
	return false, nil
}

func (r remembered) Remember(context.Context, string, []string, time.Time) error { return nil }

// step is a Step of two functions; nil does nothing.
type step struct{ commit, discard func() }

func (s step) Commit() {
	if s.commit != nil {
		s.commit()
	}
}

func (s step) Discard() {
	if s.discard != nil {
		s.discard()
	}
}

// ParseClient reads the address of an SMTP client; "" is none.
func ParseClient(ip string) (netip.Addr, error) {
	if ip == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(strings.TrimPrefix(ip, "IPv6:"))
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q is no IP address", ip)
	}
	return a.Unmap(), nil
}

// Peer is an SMTP client. Without a host it has no verified name; without a
// word on that, it is ok where there is one.
func Peer(addr netip.Addr, host, resolve string) gate.Peer {
	if host == "" {
		host = "unknown"
	}
	if resolve == "" {
		if resolve = "ok"; host == "unknown" {
			resolve = "fail"
		}
	}
	return gate.Peer{Addr: addr, Host: host, Resolve: resolve}
}
